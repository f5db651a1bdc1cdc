"""Why a factor could not be enrolled, used or removed."""

from __future__ import annotations

from enum import StrEnum

from models.errors import FieldwardError


class FactorProblem(StrEnum):
    """Stable codes; none tells whose factor it is, or whether there is one."""

    WRONG_CODE = "WRONG_CODE"
    CHALLENGE_ENDED = "CHALLENGE_ENDED"
    BAD_PASSKEY = "BAD_PASSKEY"
    NOT_FOUND = "NOT_FOUND"
    NO_FACTORS = "NO_FACTORS"
    TOO_MANY_FACTORS = "TOO_MANY_FACTORS"
    PASSWORD_TOO_SHORT = "PASSWORD_TOO_SHORT"  # noqa: S105 - a code, not a secret


class FactorRefused(FieldwardError):
    """A change of factors that is not made; the code says why."""

    def __init__(self, problem: FactorProblem) -> None:
        super().__init__("The factor is refused.", code=problem.value)
        self.problem = problem
