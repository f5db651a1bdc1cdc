"""How a denial reads: for people in `message`, for programs in `extensions`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

from ulid import ULID

from auth.principal import RECENT, Principal
from auth.step_up import described
from graph.denials import Denial
from graph.errors import ErrorMap, error_map, node_location
from graph.gate import ROW_ID
from graph.messages import Answer
from graph.plan import PlanField
from graph.rendering import Tally
from models.vocabulary import Purpose, Reason

_CHALLENGE: Final = 'Bearer realm="fieldward"'
FORBIDDEN: Final = "FORBIDDEN"
UNAUTHENTICATED: Final = "UNAUTHENTICATED"


def refuse(denials: Iterable[Denial], principal: Principal, purpose: Purpose | None, why_no_purpose: str) -> Answer:
    """The answer to an operation of which nothing runs: one error per denied coordinate, no data."""
    if not principal.authenticated:
        return _unauthenticated(denials, principal)
    denials = tuple(denials)
    errors = [
        _error(denial, denial.places[0], _message(denial, purpose, why_no_purpose), FORBIDDEN, denial.reason)
        for denial in denials
    ]
    return Answer({"errors": _identified(errors)}, status=403, challenge=_lacking(denials))


def sign_in_first(principal: Principal, fields: Iterable[PlanField]) -> Answer:
    """The answer to nobody who asks for something that only somebody may do."""
    denials = [Denial(entry.coordinate, Reason.ROLE, "", (entry,)) for entry in fields]
    return _unauthenticated(denials, principal)


def _lacking(denials: Sequence[Denial]) -> str | None:
    """What would do: a fresher proof (RFC 9470, section 3), or scopes for a service (RFC 6750, section 3.1)."""
    if any(denial.wanted for denial in denials):
        return f'{_CHALLENGE}, error="insufficient_user_authentication", max_age="{int(RECENT.total_seconds())}"'
    scopes = sorted({str(denial.scope) for denial in denials if denial.scope is not None and not denial.implicit})
    return f'{_CHALLENGE}, error="insufficient_scope", scope="{" ".join(scopes)}"' if scopes else None


def nulls(denials: tuple[Denial, ...], purpose: Purpose | None) -> list[ErrorMap]:
    """Under `OnDenied.NULL`: one error per denied selection, none beneath a selection that is denied
    already. A root that is null as a whole has one error per coordinate, all with its path."""
    return _identified(_nulls(denials, purpose))


@lru_cache(maxsize=1_000)
def _nulls(denials: tuple[Denial, ...], purpose: Purpose | None) -> tuple[ErrorMap, ...]:
    closed = {d.places[0].path[0] for d in denials if d.coordinate == ROW_ID or d.essential}
    named = {place.path[0] for d in denials for place in d.places if not (d.implicit or d.essential)}
    denied = {place.path for denial in denials for place in denial.places if len(place.path) > 1}
    found: dict[tuple[str, tuple[str, ...]], ErrorMap] = {}
    for denial in denials:
        for place in denial.places:
            root = place.path[0]
            if len(place.path) == 1 and root in named:
                continue
            if root not in closed and any(place.path[:length] in denied for length in range(1, len(place.path))):
                continue
            path = (root,) if root in closed else place.path
            error = _error(denial, place, _message(denial, purpose, ""), FORBIDDEN, denial.reason, path)
            found.setdefault((denial.coordinate, path), error)
    return tuple(found.values())


def _identified(errors: Iterable[ErrorMap]) -> list[ErrorMap]:
    """The errors of one answer: they are one decision, so they share its identifier."""
    decision = f"dec_{str(ULID()).lower()}"
    return [{**error, "extensions": {**error["extensions"], "decisionId": decision}} for error in errors]


def withheld(tally: Tally) -> list[dict[str, Any]]:
    """What was withheld row by row, for `extensions.withheld`."""
    return [
        {"coordinate": coordinate, "reason": reason.value, "count": count}
        for (coordinate, reason), count in sorted(tally.items())
    ]


def _unauthenticated(denials: Iterable[Denial], principal: Principal) -> Answer:
    problem = principal.problem
    errors = [
        _error(
            denial,
            denial.places[0],
            f"{problem} Sign in again to use {denial.coordinate}."
            if problem
            else f"Sign in to use {denial.coordinate}.",
            UNAUTHENTICATED,
            Reason.ROLE,
        )
        for denial in denials
    ]
    # RFC 6750, section 3.1: an error is named only when a token was presented.
    challenge = f'{_CHALLENGE}, error="invalid_token", error_description="{problem}"' if problem else _CHALLENGE
    return Answer({"errors": _identified(errors)}, status=401, challenge=challenge)


def _error(
    denial: Denial,
    place: PlanField,
    message: str,
    code: str,
    reason: Reason,
    path: tuple[str, ...] | None = None,
) -> ErrorMap:
    return error_map(
        message,
        code,
        locations=node_location(place.nodes[0]),
        path=path or place.path,
        reason=reason.value,
        coordinate=denial.coordinate,
        **({} if denial.wanted is None else {"wanted": denial.wanted.value}),
    )


def _message(denial: Denial, purpose: Purpose | None, why_no_purpose: str) -> str:
    if denial.wanted is not None:
        return f"{denial.coordinate} needs a stronger or fresher proof of who you are. {described(denial.wanted)}"
    if purpose is None:
        return f"{denial.coordinate} is denied. {why_no_purpose}".rstrip()
    match denial.reason:
        case Reason.PURPOSE:
            return f"{denial.coordinate} is denied: {denial.rule}."
        case Reason.SCOPE:
            return f"{denial.coordinate} is denied for {purpose}: the token's scopes do not cover it."
        case Reason.ROLE:
            return (
                f"{denial.coordinate} is denied for {purpose}: you have no right to it, on this data, for this purpose."
            )
        case reason:
            return f"{denial.coordinate} is denied for {purpose} ({reason}): {denial.rule}."
