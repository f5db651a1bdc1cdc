"""Decisions and grants: the values that prove a check happened.

A `Decision` is falsy when it denies. Only `auth.policy` makes a `Grant`; the reader and the
writer accept nothing else, so there is no way to personal data around the policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from models.vocabulary import Outcome, Purpose, Reason, Relation, Wanted


@dataclass(frozen=True, slots=True)
class Decision:
    """One answer of the policy: an outcome, the rule that made it, and a reason when it denies.

    `wanted`, with the reason STEP_UP only: what the caller must prove first.
    """

    outcome: Outcome
    rule: str
    reason: Reason | None = None
    wanted: Wanted | None = None

    def __bool__(self) -> bool:
        return self.outcome is not Outcome.DENIED


@dataclass(frozen=True, slots=True)
class RowConditions:
    """What a row itself must fulfil before any of its fields is shown under a purpose."""

    consent_to: Purpose | None = None
    adult_only: bool = False
    unrestricted_only: bool = False

    def __bool__(self) -> bool:
        return self.consent_to is not None or self.adult_only or self.unrestricted_only


@dataclass(frozen=True, slots=True, eq=False)
class Grant:
    """What one principal's shape may do under one purpose, per relation and coordinate.

    `decisions[relation][coordinate]`, where a coordinate is `User.email` for reading and
    `UpdateUserInput.email` for writing. A coordinate that is not in the map is denied.
    """

    purpose: Purpose
    policy_version: str
    decisions: Mapping[Relation, Mapping[str, Decision]]
    conditions: Mapping[Relation, RowConditions]

    def decision(self, relation: Relation, coordinate: str) -> Decision | None:
        """The decision for a coordinate, or None when it was never asked for (so: denied)."""
        return self.decisions[relation].get(coordinate)

    def allows(self, relation: Relation, coordinate: str) -> bool:
        """Whether the coordinate may be touched at all, clear or masked."""
        return bool(self.decisions[relation].get(coordinate))
