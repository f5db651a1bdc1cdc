"""Explains one root field: asks the gate for each row it could mean, and says what the answer hangs on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from auth.policy import Claim, Policy
from auth.principal import RECENT, Kind, subject_of
from graph.access import Rows
from graph.catalogue import Catalogue
from graph.explaining.findings import Findings, Place, closed_root, entry
from graph.explaining.ruling import Asker, Rulings
from graph.explaining.touching import Touch, names_oneself, touches
from graph.gate import Admission, Asked, Gate, Question, Refusal
from graph.plan import Plan, PlanRoot
from graph.types.access import AccessUse, AccessVerdict
from models.grant import RowConditions
from models.vocabulary import Access, OnDenied, Purpose, Relation

_MINUTES: Final = int(RECENT.total_seconds() // 60)
Answers = dict[Relation | None, Admission | Refusal]


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """An operation, who asks, and what is to become of what is denied."""

    plan: Plan
    asker: Asker
    on_denied: OnDenied


class Roots:
    """Explains root fields against one policy."""

    def __init__(self, catalogue: Catalogue, policy: Policy, rulings: Rulings) -> None:
        self._catalogue = catalogue
        # One of its own: what is only explained must not crowd out what is run.
        self._gate = Gate(policy, catalogue)
        self._rulings = rulings
        self._subject = Asker(subject_of(policy.region), frozenset({Purpose.ACCOUNT}), Purpose.ACCOUNT)

    def explain(self, root: PlanRoot, setting: Setting, findings: Findings) -> None:
        """Add what is found about `root`."""
        used = touches(root, self._catalogue)
        asker = self._subject if root.opens.rows is Rows.SUBJECT else setting.asker
        closed = closed_root(self._rulings, asker, root.field.coordinate, root.opens, root.field.nodes[0])
        if closed is not None:
            findings.add(closed, asker)
        places = list(self._places(root, used))
        for claim, place in places:
            findings.add(entry(self._rulings, asker, claim, place), asker)
        if closed is None:
            self._by_proof(root, asker, [claim for claim, _place in places], findings)
        answers: Answers = {
            relation: self._check(root, setting, asker, relation, used) for relation in _relations(root, asker)
        }
        self._by_relation(root, answers, findings)
        admitted = [answer for answer in answers.values() if isinstance(answer, Admission)]
        if not admitted:
            return
        self._by_row(root, setting.asker, answers, findings)
        self._by_variable(used, asker, list(answers), findings)
        access = admitted[0].roots.get(root.field.key)
        if access is not None and root.positions:
            _by_condition(access.grant.conditions[Relation.OTHER], findings)

    def _places(self, root: PlanRoot, used: Sequence[Touch]) -> Iterator[tuple[Claim, Place]]:
        own_only = root.opens.rows is Rows.SUBJECT
        for claim in root.claims:
            places = root.selected.get(claim.coordinate, ())
            if places or not root.selected:
                node = (places[0] if places else root.field).nodes[0]
                yield claim, Place(AccessUse.READ, node, own_only=own_only)
        for claim in root.implied:
            use = AccessUse.READ if claim.access is Access.READ else AccessUse.WRITE
            own_only = root.opens.rows is Rows.OWN
            yield claim, Place(use, root.field.nodes[0], own_only=own_only, opens=root.opens)
        for it in used:
            clear, certain = it.touched.clear, it.variable is None
            via = None if it.via == it.claim.coordinate else it.via
            yield it.claim, Place(it.use, it.node, via, clear=clear, certain=certain, own_only=own_only)

    def _check(
        self, root: PlanRoot, setting: Setting, asker: Asker, relation: Relation | None, used: Sequence[Touch]
    ) -> Admission | Refusal:
        """The gate's answer when the rows are of one kind; a variable that can hold nothing good counts."""
        hopeful = {it.variable for it in used if self._allowed(asker, it, relation)}
        certain = dict.fromkeys(it.touched for it in used if it.variable is None or it.variable not in hopeful)
        plan = replace(setting.plan, roots=(root,))
        asked = (Asked(relation, tuple(certain)),)
        who = setting.asker
        return self._gate.check(Question(plan, who.shape, who.purpose, setting.on_denied, asked))

    def _allowed(self, asker: Asker, touch: Touch, relation: Relation | None) -> bool:
        return self._rulings.allows(asker, touch.claim, relation or Relation.OTHER, clear=touch.touched.clear)

    def _by_relation(self, root: PlanRoot, answers: Answers, findings: Findings) -> None:
        """Whose row it is."""
        verdicts = {relation: _verdict(answer) for relation, answer in answers.items()}
        found = set(verdicts.values())
        if len(found) == 1:
            findings.verdicts |= found
        elif AccessVerdict.ALLOWED not in found:
            findings.verdicts.add(AccessVerdict.PARTIAL)
        else:
            whose = ("your own", "another's")
            good, bad = whose if verdicts[Relation.SELF] is AccessVerdict.ALLOWED else reversed(whose)
            text = f"{root.field.coordinate}: on {good} row everything is allowed, on {bad} not."
            findings.note(text, AccessVerdict.DEPENDS)
        if root.opens.rows is Rows.OWN and Relation.OTHER in answers:
            findings.note(f"{root.field.coordinate}: a service has no row of its own, so there is nothing to show.")

    def _by_proof(self, root: PlanRoot, asker: Asker, claims: Sequence[Claim], findings: Findings) -> None:
        """What asks for a fresh proof of who the caller is: said also to those who have just given one."""
        if root.opens.rows is Rows.SUBJECT:
            return
        found = [root.field.coordinate] if self._rulings.root_needs_fresh_proof(asker, root.opens) else []
        relations = [relation or Relation.OTHER for relation in _relations(root, asker)]
        found += [
            claim.coordinate
            for claim in claims
            if any(self._rulings.needs_fresh_proof(asker, claim, relation) for relation in relations)
        ]
        for name in dict.fromkeys(found):
            findings.note(f"{name} asks for step-up: a proof of who you are that is at most {_MINUTES} minutes old.")

    def _by_row(self, root: PlanRoot, asker: Asker, answers: Answers, findings: Findings) -> None:
        """Where rows may be anybody's, what only some of them show."""
        if None not in answers or asker.shape.kind is not Kind.PERSON:
            return
        for claim in root.claims:
            own, others = (self._rulings.allows(asker, claim, it) for it in (Relation.SELF, Relation.OTHER))
            if own != others and claim.coordinate in root.selected:
                whose = "your own row" if own else "other people's rows"
                findings.note(
                    f"{claim.coordinate} shows on {whose} only; elsewhere it is null and counted as withheld.",
                    AccessVerdict.DEPENDS,
                )

    def _by_variable(
        self, used: Sequence[Touch], asker: Asker, relations: Sequence[Relation | None], findings: Findings
    ) -> None:
        """What a variable must not hold."""
        denied: dict[str, list[str]] = {}
        for it in used:
            if it.variable is not None and not any(self._allowed(asker, it, relation) for relation in relations):
                denied.setdefault(it.variable, []).append(it.via)
        for variable, ways in denied.items():
            findings.note(f"${variable} must leave out {', '.join(ways)}.", AccessVerdict.DEPENDS)


def _relations(root: PlanRoot, asker: Asker) -> tuple[Relation | None, ...]:
    """The kinds of rows that a root can mean; None: any, decided row by row."""
    person = asker.shape.kind is Kind.PERSON
    match root.opens.rows:
        case Rows.MANY:
            return (None,)
        case Rows.OWN:
            return (Relation.SELF if person else Relation.OTHER,)
        case Rows.CHOSEN if not names_oneself(root):
            # No rule gives a service more on one row than on another.
            return (Relation.SELF, Relation.OTHER)
    return (Relation.SELF,)


def _verdict(answer: Admission | Refusal) -> AccessVerdict:
    if isinstance(answer, Refusal):
        return AccessVerdict.REFUSED
    return AccessVerdict.PARTIAL if answer.denials else AccessVerdict.ALLOWED


def _by_condition(conditions: RowConditions, findings: Findings) -> None:
    """What a row itself must fulfil. Restricting one's data is rare: said, but no reason to call it open."""
    if conditions.consent_to is not None:
        findings.note(f"Only rows of people who have consented to {conditions.consent_to} show.", AccessVerdict.DEPENDS)
    if conditions.adult_only:
        findings.note("Rows of minors do not show.", AccessVerdict.DEPENDS)
    if conditions.unrestricted_only:
        findings.note("Rows of people who have restricted the use of their data do not show.")
