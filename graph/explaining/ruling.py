"""A decision of the policy in words: the rule, the reason, and what would allow it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from auth.policy import Claim, Policy
from auth.principal import PROVEN, STALE, Kind, Scope, Shape
from auth.step_up import described
from graph.access import Opens, Rows
from graph.purpose import HEADER
from graph.types.access import AccessDecision
from models.grant import Decision
from models.vocabulary import Access, Label, Outcome, Purpose, Reason, Relation, Role

_RULINGS_CACHED: Final = 4_096  # finding a remedy asks the policy about everybody else
_NEEDS_CLEAR: Final = "a filter or an order needs the clear value, not a masked one"


@dataclass(frozen=True, slots=True)
class Asker:
    """Who is asked about: their shape, the purposes they hold, and the one in force."""

    shape: Shape
    held: frozenset[Purpose]
    purpose: Purpose | None


class Rulings:
    """Decides and explains; pure, as the policy is."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.ruling = lru_cache(_RULINGS_CACHED)(self._ruling)

    def allows(self, asker: Asker, claim: Claim, relation: Relation, *, clear: bool = False) -> bool:
        """Whether a claim may be made; with `clear`, a masked right is not enough."""
        return self._permits(asker.shape, asker.purpose, claim, relation, clear=clear) is not None

    def closed(self, asker: Asker, opens: Opens) -> AccessDecision | None:
        """The denial of a root field whatever is selected of it: a list, for a purpose about one person."""
        decision = self._policy.before_many(asker.purpose) if opens.rows is Rows.MANY else None
        if decision is None:
            return None
        remedy = "Name one person, with `user` or `node`."
        return AccessDecision(outcome=decision.outcome, rule=decision.rule, reason=decision.reason, remedy=remedy)

    def root(self, asker: Asker, opens: Opens, decision: AccessDecision | None) -> AccessDecision | None:
        """A decision on what calling a root field changes, once its step-up is looked at too."""
        if decision is None or decision.outcome is Outcome.DENIED or not opens.step_up:
            return decision
        short = self._policy.before_root(asker.shape, enrolling=opens.enrolling)
        if short is None or short.wanted is None:
            return decision
        return AccessDecision(
            outcome=Outcome.DENIED,
            rule=f"{decision.rule}, after step-up",
            reason=short.reason,
            wanted=short.wanted,
            remedy=described(short.wanted),
        )

    def needs_fresh_proof(self, asker: Asker, claim: Claim, relation: Relation) -> bool:
        """Whether a claim that may be made now may not be when the caller's proof has grown old."""
        stale = replace(asker.shape, assurance=STALE)
        decision = self._policy.decide(stale, asker.purpose, claim.label, relation, claim.access)
        return decision.wanted is not None

    def root_needs_fresh_proof(self, asker: Asker, opens: Opens) -> bool:
        """The same of a root field."""
        stale = replace(asker.shape, assurance=STALE)
        return opens.step_up and self._policy.before_root(stale, enrolling=opens.enrolling) is not None

    def _ruling(self, asker: Asker, claim: Claim, relation: Relation, *, clear: bool = False) -> AccessDecision:
        """The decision on one claim; with `clear`, a masked right is not enough."""
        decision = self._policy.decide(asker.shape, asker.purpose, claim.label, relation, claim.access)
        if decision and not (clear and decision.outcome is Outcome.MASKED):
            return AccessDecision(outcome=decision.outcome, rule=decision.rule)
        lacking = Reason.SCOPE if asker.shape.kind is Kind.SERVICE else Reason.ROLE
        return AccessDecision(
            outcome=Outcome.DENIED,
            rule=f"{decision.rule}; {_NEEDS_CLEAR}" if decision else decision.rule,
            reason=decision.reason or lacking,
            wanted=decision.wanted,
            remedy=" ".join(self._remedies(asker, claim, relation, decision, clear=clear)),
        )

    def _remedies(
        self, asker: Asker, claim: Claim, relation: Relation, decision: Decision, *, clear: bool
    ) -> Iterator[str]:
        if asker.shape.kind is Kind.NOBODY:
            yield "Sign in."
            return
        if decision.wanted is not None:
            yield described(decision.wanted)
            return
        if decision.reason is Reason.REGION:
            yield f"Ask the service of your own region, {asker.shape.region or 'which your token does not name'}."
            return
        mine = [it for it in self._purposes(asker.shape.proven, claim, relation, clear=clear) if it in asker.held]
        if mine:
            yield f"Ask for {' or '.join(mine)}: name it with @purpose(is: ...) or the header {HEADER}."
            return
        if asker.shape.kind is Kind.SERVICE:
            yield from self._for_services(asker, claim)
            return
        permitted = [*self._people(claim, clear=clear)]
        verb = "read" if claim.access is Access.READ else "written"
        yield f"It is {verb} by {'; '.join(permitted)}." if permitted else "Nobody may, through the API."

    def _purposes(self, shape: Shape, claim: Claim, relation: Relation, *, clear: bool) -> list[Purpose]:
        """The purposes, held or not, under which a shape could."""
        return [purpose for purpose in Purpose if self._permits(shape, purpose, claim, relation, clear=clear)]

    def _permits(
        self, shape: Shape, purpose: Purpose | None, claim: Claim, relation: Relation, *, clear: bool
    ) -> Outcome | None:
        outcome = self._policy.decide(shape, purpose, claim.label, relation, claim.access).outcome
        return None if outcome is Outcome.DENIED or (clear and outcome is Outcome.MASKED) else outcome

    def _for_services(self, asker: Asker, claim: Claim) -> Iterator[str]:
        scope = f"{claim.label}:{claim.access}"
        everything = frozenset(Scope(label, claim.access) for label in Label)
        able = self._purposes(replace(asker.shape, scopes=everything), claim, Relation.OTHER, clear=False)
        if not able:
            yield "No service may, through the API."
        elif asker.purpose in able:
            yield f"The client needs the scope `{scope}`."
        else:
            yield f"It may be used for {', '.join(able)}; the client needs such a purpose and the scope `{scope}`."

    def _people(self, claim: Claim, *, clear: bool) -> Iterator[str]:
        """Those who may, as `SUPPORT for SUPPORT (masked)`."""
        region = self._policy.region
        own = self._purposes(Shape(Kind.PERSON, region=region, assurance=PROVEN), claim, Relation.SELF, clear=clear)
        if own:
            yield f"the person themself for {', '.join(own)}"
        for role in Role:
            shape = Shape(Kind.PERSON, frozenset({role}), region=region, assurance=PROVEN)
            for purpose in Purpose:
                outcome = self._permits(shape, purpose, claim, Relation.OTHER, clear=clear)
                if outcome is not None:
                    yield f"{role} for {purpose}{' (masked)' if outcome is Outcome.MASKED else ''}"
