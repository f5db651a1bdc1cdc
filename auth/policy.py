"""Decides access to fields: pure functions of shape, purpose, label and relation.

Order of evaluation, first match wins:

1. no label or no purpose: denied, PURPOSE;
2. the purpose may not use the label: denied, PURPOSE;
3. a rule forbids, or none permits: denied, ROLE (people) or SCOPE (services);
4. the caller belongs to another region: denied, REGION;
5. every rule that permits needs more proof of who the caller is (`auth.step_up`): denied, STEP_UP;
6. a rule permits: clear if any that counts does so in clear, else masked.

Before that, per root field: a purpose that is about one person opens no list of people (PURPOSE).
After it, per row and by the reader: restriction (RESTRICTED), consent (CONSENT), age (AGE).

No I/O and no clock here. This module is the only maker of a `Grant`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from auth.principal import Kind, Shape
from auth.purposes import PURPOSES, REGISTRY_VERSION, PurposeSpec, covered
from auth.rules import RULES, Rule, Who
from auth.step_up import ROOTS, STEP_UP, before_root, denial, short_of
from models.grant import Decision, Grant, RowConditions
from models.vocabulary import Access, Label, LawfulBasis, Outcome, Purpose, Reason, Relation, Wanted

_RELATIONS = (Relation.SELF, Relation.OTHER)
_DECISIONS_CACHED = 100_000
# Of several reasons why no field of a row may be read, the first here is given.
_FIRST = (Reason.REGION, Reason.STEP_UP, Reason.ROLE, Reason.SCOPE, Reason.PURPOSE)


class Claim(NamedTuple):
    """A coordinate that an operation touches: its label and what is done to it. A tuple: it is hashed with
    every request."""

    coordinate: str
    label: Label
    access: Access = Access.READ


class Policy:
    """A rule table, compiled. `region` is the cell it decides for; `step_up`: whether proof is asked for too."""

    def __init__(
        self,
        region: str,
        rules: Sequence[Rule] = RULES,
        purposes: Mapping[Purpose, PurposeSpec] = PURPOSES,
        *,
        step_up: bool = False,
    ) -> None:
        self.region = region
        self.step_up = step_up
        self.rules = tuple(rules)
        self.purposes = purposes
        self.version = _version(self.rules, purposes, step_up=step_up)
        self._purpose_labels = {key: covered(spec.labels) for key, spec in purposes.items()}
        self._compiled = tuple((rule, rule.covers, frozenset(rule.purposes)) for rule in self.rules)
        self.decide = lru_cache(_DECISIONS_CACHED)(self._decide)

    def grant(self, shape: Shape, purpose: Purpose, claims: Iterable[Claim]) -> Grant:
        """Decide every claim for own and for others' rows."""
        wanted = tuple(claims)
        return Grant(
            purpose=purpose,
            policy_version=self.version,
            decisions=MappingProxyType(
                {relation: MappingProxyType(self._all(shape, purpose, wanted, relation)) for relation in _RELATIONS}
            ),
            conditions=MappingProxyType({relation: self._conditions(purpose) for relation in _RELATIONS}),
        )

    def before_many(self, purpose: Purpose | None) -> Decision | None:
        """The denial of a root field that opens many people's rows; None where the purpose is not about one."""
        spec = None if purpose is None else self.purposes.get(purpose)
        if spec is None or not spec.one_person:
            return None
        rule = f"{purpose} opens one named person at a time: use user or node"
        return Decision(Outcome.DENIED, rule, Reason.PURPOSE)

    def before_root(self, shape: Shape, *, enrolling: bool) -> Decision | None:
        """The denial of a root field that needs step-up; None where this caller may go on."""
        return before_root(shape, enrolling=enrolling) if self.step_up else None

    def _all(self, shape: Shape, purpose: Purpose, claims: Sequence[Claim], relation: Relation) -> dict[str, Decision]:
        """A decision per coordinate; of several claims on one, the first denial stands."""
        decided: dict[str, Decision] = {}
        for claim in claims:
            if decided.get(claim.coordinate, True):
                decided[claim.coordinate] = self.decide(shape, purpose, claim.label, relation, claim.access)
        return decided

    def _decide(
        self,
        shape: Shape,
        purpose: Purpose | None,
        label: Label | None,
        relation: Relation,
        access: Access = Access.READ,
    ) -> Decision:
        """Decide one label. Cached; see the module for the order of evaluation."""
        if purpose is None or label is None:
            return Decision(Outcome.DENIED, "nothing without a purpose", Reason.PURPOSE)
        if label is Label.UNIQUE_ID and access is Access.READ:
            return self._decide_row(shape, purpose, relation)
        if label not in self._purpose_labels.get(purpose, frozenset()):
            return Decision(Outcome.DENIED, f"{purpose} may not use {label}", Reason.PURPOSE)
        decision = self._by_rules(shape, purpose, label, relation, access)
        if decision.reason in (None, Reason.STEP_UP) and shape.region != self.region:
            return Decision(Outcome.DENIED, f"this is region {self.region}", Reason.REGION)
        return decision

    def _by_rules(self, shape: Shape, purpose: Purpose, label: Label, relation: Relation, access: Access) -> Decision:
        lacking = Reason.SCOPE if shape.kind is Kind.SERVICE else Reason.ROLE
        best: Rule | None = None
        short: tuple[Rule, Wanted] | None = None
        for rule, labels, purposes in self._compiled:
            if rule.access is not access or label not in labels or purpose not in purposes:
                continue
            if not _concerns(rule, shape, label, relation, access):
                continue
            if rule.outcome is Outcome.DENIED:
                return Decision(Outcome.DENIED, str(rule), lacking)
            if self.step_up and (wanted := short_of(rule, shape.assurance, label, relation, access)):
                if short is None or (wanted is Wanted.PASSWORD and short[1] is not wanted):
                    short = rule, wanted  # what is asked for is the least that will do
            elif best is None or rule.outcome is Outcome.CLEAR:
                best = rule
        if best is not None:
            return Decision(best.outcome, str(best))
        if short is not None:
            return denial(f"{short[0]}, after step-up", short[1])
        return Decision(Outcome.DENIED, "no rule permits it", lacking)

    def _decide_row(self, shape: Shape, purpose: Purpose, relation: Relation) -> Decision:
        """A row's identifier is public to whoever may read any other field of the row."""
        denials = []
        for label in self._purpose_labels.get(purpose, frozenset()) - {Label.UNIQUE_ID}:
            decision = self.decide(shape, purpose, label, relation)
            if decision:
                return Decision(Outcome.CLEAR, "whoever reads a field of the row reads its id")
            denials.append(decision)
        reasons = {decision.reason: decision.wanted for decision in denials}
        reason = next((it for it in _FIRST if it in reasons), Reason.PURPOSE)
        return Decision(Outcome.DENIED, "no field of the row may be read", reason, reasons.get(reason))

    def _conditions(self, purpose: Purpose) -> RowConditions:
        spec = self.purposes[purpose]
        return RowConditions(
            consent_to=purpose if spec.basis is LawfulBasis.CONSENT else None,
            adult_only=spec.adults_only,
            unrestricted_only=not spec.while_restricted,
        )


def _concerns(rule: Rule, shape: Shape, label: Label, relation: Relation, access: Access) -> bool:
    """Whether a rule speaks of this caller."""
    match rule.who:
        case Who.ANYONE:
            return True
        case Who.SELF:
            return relation is Relation.SELF and shape.kind is Kind.PERSON
        case Who.SERVICE:
            return shape.kind is Kind.SERVICE and any(
                scope.access is access and scope.label.covers(label) for scope in shape.scopes
            )
        case role:
            return shape.kind is Kind.PERSON and role in shape.roles


def _version(rules: Sequence[Rule], purposes: Mapping[Purpose, PurposeSpec], *, step_up: bool) -> str:
    """`<registry version>-<digest of all tables>`: equal versions decide equally."""
    demands = (*STEP_UP, *ROOTS) if step_up else ()
    text = "\n".join([*map(repr, rules), *(f"{key}={spec!r}" for key, spec in purposes.items()), *map(repr, demands)])
    return f"{REGISTRY_VERSION}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
