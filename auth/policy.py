"""Decides access to fields: pure functions of shape, purpose, label and relation.

Order of evaluation, first match wins:

1. no label or no purpose: denied, PURPOSE;
2. the purpose may not use the label: denied, PURPOSE;
3. a rule forbids, or none permits: denied, ROLE (people) or SCOPE (services);
4. the caller belongs to another region: denied, REGION;
5. a rule permits: clear if any does so in clear, else masked.

Then, per row and by the reader: restriction (RESTRICTED), consent (CONSENT), age (AGE).

No I/O and no clock here. This module is the only maker of a `Grant`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from auth.principal import Kind, Shape
from auth.purposes import PURPOSES, REGISTRY_VERSION, PurposeSpec, covered
from auth.rules import RULES, Rule, Who
from models.grant import Decision, Grant, RowConditions
from models.vocabulary import Access, Label, LawfulBasis, Outcome, Purpose, Reason, Relation

_RELATIONS = (Relation.SELF, Relation.OTHER)
_DECISIONS_CACHED = 100_000


@dataclass(frozen=True, slots=True)
class Claim:
    """A coordinate that an operation touches: its label and what is done to it."""

    coordinate: str
    label: Label
    access: Access = Access.READ


class Policy:
    """A rule table, compiled. `region` is the cell it decides for."""

    def __init__(
        self,
        region: str,
        rules: Sequence[Rule] = RULES,
        purposes: Mapping[Purpose, PurposeSpec] = PURPOSES,
    ) -> None:
        self.region = region
        self.rules = tuple(rules)
        self.purposes = purposes
        self.version = _version(self.rules, purposes)
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
        if decision and shape.region != self.region:
            return Decision(Outcome.DENIED, f"this is region {self.region}", Reason.REGION)
        return decision

    def _by_rules(self, shape: Shape, purpose: Purpose, label: Label, relation: Relation, access: Access) -> Decision:
        lacking = Reason.SCOPE if shape.kind is Kind.SERVICE else Reason.ROLE
        best: Rule | None = None
        for rule, labels, purposes in self._compiled:
            if rule.access is not access or label not in labels or purpose not in purposes:
                continue
            if not _concerns(rule, shape, label, relation, access):
                continue
            if rule.outcome is Outcome.DENIED:
                return Decision(Outcome.DENIED, str(rule), lacking)
            if best is None or rule.outcome is Outcome.CLEAR:
                best = rule
        if best is None:
            return Decision(Outcome.DENIED, "no rule permits it", lacking)
        return Decision(best.outcome, str(best))

    def _decide_row(self, shape: Shape, purpose: Purpose, relation: Relation) -> Decision:
        """A row's identifier is public to whoever may read any other field of the row."""
        denials = []
        for label in self._purpose_labels.get(purpose, frozenset()) - {Label.UNIQUE_ID}:
            decision = self.decide(shape, purpose, label, relation)
            if decision:
                return Decision(Outcome.CLEAR, "whoever reads a field of the row reads its id")
            denials.append(decision)
        reasons = {decision.reason for decision in denials if decision.reason} - {Reason.PURPOSE}
        return Decision(Outcome.DENIED, "no field of the row may be read", min(reasons, default=Reason.PURPOSE))

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


def _version(rules: Sequence[Rule], purposes: Mapping[Purpose, PurposeSpec]) -> str:
    """`<registry version>-<digest of both tables>`: equal versions decide equally."""
    text = "\n".join([*map(repr, rules), *(f"{key}={spec!r}" for key, spec in purposes.items())])
    return f"{REGISTRY_VERSION}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
