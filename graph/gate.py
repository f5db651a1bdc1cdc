"""Between the plan and the data: decides an operation as a whole, before anything runs.

`Gate.check` is pure and cached per plan, principal's shape, purpose, relations and touched arguments.
Its answer is either a refusal that lists every denied coordinate, or an `Admission`: per root field
the grant, what the reader fetches for it, and the renderers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from graphql import is_non_null_type

from auth.policy import Claim, Policy
from auth.principal import Shape, subject_of
from graph.access import Rows
from graph.catalogue import Catalogue
from graph.denials import Denial, denied, distinct
from graph.plan import Plan, PlanField, PlanRoot
from graph.rendering import Renderer
from graph.rows import Judge, row_renderer
from graph.selection import selection_of
from graph.templates import Touched
from graph.weighed import Weighed
from models.grant import Decision, Grant
from models.reading import Reading, Variant, prepare
from models.vocabulary import OnDenied, Outcome, Purpose, Reason, Relation

ROW_ID = "User.id"
_OF_SOMEBODY: Final = (Rows.OWN, Rows.CHOSEN, Rows.MANY)
_ANSWERS: Final = 2_000
_WEIGHT: Final = 100_000  # of all answers' plans together, about half a kilobyte each
_MATTERS: Final = 8  # of one root; who asks it and for what hardly varies


class Asked(NamedTuple):
    """One root field as a request asks for it: whose rows (None: anybody's) and what is touched."""

    relation: Relation | None
    touched: tuple[Touched, ...] = ()


class Question(NamedTuple):
    """Everything that `Gate.check` looks at; equal questions have equal answers. A tuple: it is hashed with every
    request."""

    plan: Plan
    shape: Shape
    purpose: Purpose | None
    on_denied: OnDenied
    asked: tuple[Asked, ...]


@dataclass(slots=True, eq=False)
class RootAccess:
    """A root field that may run. `closed`: it runs, but gives null (NULL mode)."""

    root: PlanRoot
    grant: Grant
    judge: Judge
    reading: Reading
    nested: Mapping[tuple[str, ...], PlanField]
    relation: Relation | None
    closed: bool = False
    key: str = ""
    _renderers: dict[tuple[tuple[str, ...], str, Variant], Renderer | None] = field(default_factory=dict)

    def renderer(self, position: tuple[str, ...], type_name: str, variant: Variant) -> Renderer | None:
        """What renders the rows of a place of the answer, made on first use; None: use resolvers."""
        key = (position, type_name, variant)
        try:
            return self._renderers[key]
        except KeyError:
            entry = self.root.positions.get(position)
            fields = entry.children.get(type_name) if entry else None
            made = row_renderer(self.judge, type_name, fields, variant) if fields is not None else None
            self._renderers[key] = made
            return made


@dataclass(slots=True, eq=False, weakref_slot=True)
class Admission:
    """An operation that may run. `denials` are non-empty only under `OnDenied.NULL`."""

    plan: Plan
    purpose: Purpose | None
    roots: Mapping[str, RootAccess]
    denials: tuple[Denial, ...] = ()


@dataclass(slots=True, eq=False)
class Refusal:
    """An operation that may not run, and every reason at once."""

    denials: tuple[Denial, ...]


class Gate:
    """Asks the policy about whole operations, and remembers the answers."""

    def __init__(self, policy: Policy, catalogue: Catalogue, weight: int = _WEIGHT) -> None:
        self._policy = policy
        self._catalogue = catalogue
        self._answers = Weighed[Question, Admission | Refusal](_ANSWERS, weight)
        self._row_id = catalogue.claim(ROW_ID)

    def check(self, question: Question) -> Admission | Refusal:
        """Decide an operation."""
        answer = self._answers.get(question)
        if answer is None:
            answer = self._check(question)
            if question.plan.kept:
                self._answers.put(question, answer, question.plan.weight)
        return answer

    def relation_matters(
        self, shape: Shape, purpose: Purpose | None, root: PlanRoot, touched: tuple[Touched, ...]
    ) -> bool:
        """Whether own and another's row would be treated differently."""
        key = shape, purpose, touched
        matters = root.matters.get(key)
        if matters is None:
            if len(root.matters) >= _MATTERS:
                root.matters.clear()
            matters = root.matters[key] = self._matters(shape, purpose, root, touched)
        return matters

    def _matters(self, shape: Shape, purpose: Purpose | None, root: PlanRoot, touched: tuple[Touched, ...]) -> bool:
        return any(
            self._decide(shape, purpose, claim, Relation.SELF).outcome
            is not self._decide(shape, purpose, claim, Relation.OTHER).outcome
            for claim in (*root.claims, *root.implied, *(entry.claim for entry in touched))
        )

    def _check(self, question: Question) -> Admission | Refusal:
        denials: list[Denial] = []
        fatal = False
        roots: dict[str, RootAccess] = {}
        for root, asked in zip(question.plan.roots, question.asked, strict=True):
            shape, purpose = self._actor(root, question)
            found = self._closed(root, shape, purpose) or list(self._denials(root, asked, shape, purpose))
            denials += found
            closed = any(denial.coordinate == ROW_ID for denial in found)
            nullable = root.field.definition is not None and not is_non_null_type(root.field.definition.type)
            # A closed root does not run, so its arguments do not matter.
            fatal = fatal or (not nullable if closed else any(denial.essential for denial in found))
            if purpose is not None:
                relation = Relation.SELF if root.opens.rows is Rows.SUBJECT else asked.relation
                roots[root.field.key] = self._access(root, shape, purpose, found, asked, relation, closed=closed)
        if denials and (fatal or question.on_denied is OnDenied.REJECT or question.purpose is None):
            return Refusal(tuple(distinct(denials)))
        return Admission(question.plan, question.purpose, roots, tuple(denials))

    def _actor(self, root: PlanRoot, question: Question) -> tuple[Shape, Purpose | None]:
        """Who reads: the caller, or the person whom the operation itself identifies, under ACCOUNT."""
        if root.opens.rows is Rows.SUBJECT:
            return subject_of(self._policy.region), Purpose.ACCOUNT
        return question.shape, question.purpose

    def _closed(self, root: PlanRoot, shape: Shape, purpose: Purpose | None) -> list[Denial]:
        """A list, for a purpose about one person; alone: with a proof, or with less selected, it stays closed."""
        decision = self._policy.before_many(purpose) if root.opens.rows is Rows.MANY else None
        if decision is None:
            return []
        return [denied(root.field.coordinate, decision, shape, (root.field,), essential=True)]

    def _denials(self, root: PlanRoot, asked: Asked, shape: Shape, purpose: Purpose | None) -> Iterator[Denial]:
        if root.opens.rows is Rows.SUBJECT:
            asked = Asked(Relation.SELF, asked.touched)
        for touched in (*asked.touched, *(Touched(claim) for claim in root.implied)):
            decision = self._decide(shape, purpose, touched.claim, asked.relation or Relation.OTHER)
            if not decision or (touched.clear and decision.outcome is Outcome.MASKED):
                yield denied(
                    touched.claim.coordinate, decision, shape, (root.field,), essential=True, claim=touched.claim
                )
        if root.opens.step_up:
            short = self._policy.before_root(shape, enrolling=root.opens.enrolling)
            if short is not None:
                yield denied(root.field.coordinate, short, shape, (root.field,), essential=True)
        for claim, decision in self._outputs(root, asked, shape, purpose):
            if not decision:
                places = root.selected.get(claim.coordinate, ())
                yield denied(
                    claim.coordinate, decision, shape, places or (root.field,), implicit=not places, claim=claim
                )
        if root.opens.rows in _OF_SOMEBODY and not (root.claims or asked.touched or root.implied):
            # To change nothing of somebody and to read nothing still tells that they exist.
            decision = self._decide(shape, purpose, self._row_id, asked.relation or Relation.OTHER)
            if not decision:
                yield denied(ROW_ID, decision, shape, (root.field,), implicit=True)

    def _outputs(
        self, root: PlanRoot, asked: Asked, shape: Shape, purpose: Purpose | None
    ) -> Iterator[tuple[Claim, Decision]]:
        """The decision that counts up front for each output claim.

        Where rows may be anybody's, a claim is refused up front when neither relation permits it,
        and every claim is when nothing selected may be read of others. What only one's own row
        permits is left to be decided row by row; what others' would after step-up is not: the
        caller is told to, instead of being shown nulls.
        """
        if asked.relation is not None:
            yield from ((claim, self._decide(shape, purpose, claim, asked.relation)) for claim in root.claims)
            return
        others = {claim: self._decide(shape, purpose, claim, Relation.OTHER) for claim in root.claims}
        selected = [other for claim, other in others.items() if claim.coordinate in root.selected]
        hopeless = not any(selected or others.values())
        for claim, other in others.items():
            own = self._decide(shape, purpose, claim, Relation.SELF)
            counts = hopeless or other or not own or other.reason is Reason.STEP_UP
            yield claim, (other if counts else own)

    def _decide(self, shape: Shape, purpose: Purpose | None, claim: Claim, relation: Relation) -> Decision:
        return self._policy.decide(shape, purpose, claim.label, relation, claim.access)

    def _access(
        self,
        root: PlanRoot,
        shape: Shape,
        purpose: Purpose,
        denials: Sequence[Denial],
        asked: Asked,
        relation: Relation | None,
        *,
        closed: bool,
    ) -> RootAccess:
        # The reader always loads the identifier; its claim is part of every grant that opens rows.
        claims = dict.fromkeys((*root.claims, *root.implied, *(touched.claim for touched in asked.touched)))
        if root.positions:
            claims[self._row_id] = None
        grant = self._policy.grant(shape, purpose, claims)
        refused = frozenset(denial.coordinate for denial in denials)
        judge = Judge(grant.decisions, refused, self._catalogue.by_python)
        selection, nested = selection_of(root)
        return RootAccess(root, grant, judge, prepare(selection, grant), nested, relation, closed, root.field.key)
