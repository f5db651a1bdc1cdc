"""What the gate denies: which coordinate, why, by which rule, and where it was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from auth.policy import Claim
from auth.principal import Kind, Scope, Shape
from graph.plan import PlanField
from models.grant import Decision
from models.vocabulary import Reason, Wanted


@dataclass(frozen=True, slots=True)
class Denial:
    """A coordinate that the caller may not touch, why, by which rule, and where it was asked for.

    `essential`: an argument or a change, without which the operation makes no sense; `implicit`:
    the identifier of a row that nobody selected by name; `wanted`: what to prove first (STEP_UP);
    `scope`: what a service lacks (SCOPE).
    """

    coordinate: str
    reason: Reason
    rule: str
    places: tuple[PlanField, ...]
    essential: bool = False
    implicit: bool = False
    wanted: Wanted | None = None
    scope: Scope | None = None


def denied(
    coordinate: str,
    decision: Decision,
    shape: Shape,
    places: tuple[PlanField, ...],
    *,
    essential: bool = False,
    implicit: bool = False,
    claim: Claim | None = None,
) -> Denial:
    """A denial from the decision that made it; a reason it does not give is what such a caller lacks."""
    lacking = Reason.SCOPE if shape.kind is Kind.SERVICE else Reason.ROLE
    reason = decision.reason or lacking
    scope = Scope(claim.label, claim.access) if claim is not None and reason is Reason.SCOPE else None
    return Denial(coordinate, reason, decision.rule, places, essential, implicit, decision.wanted, scope)


def distinct(denials: Sequence[Denial]) -> Iterator[Denial]:
    """One denial per coordinate; the identifier, which nobody asked for, only when it is all."""
    named = [denial for denial in denials if not denial.implicit] or denials
    seen: set[tuple[str, Reason]] = set()
    for denial in named:
        if (denial.coordinate, denial.reason) not in seen:
            seen.add((denial.coordinate, denial.reason))
            yield denial
