"""Made-up rule tables, callers and purposes, and how two policies are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from typing import Final

from hypothesis import settings
from hypothesis import strategies as st

from auth.policy import Policy
from auth.principal import Kind, Scope, Shape
from auth.purposes import EVERYTHING, PURPOSES, Exactly, Pattern, PurposeSpec
from auth.rules import RULES, Rule, Who
from models.vocabulary import Access, Label, Outcome, Purpose, Relation, Role

QUICK: Final = settings(max_examples=40, deadline=None)
REGION: Final = "eu"
ORDER: Final = {Outcome.DENIED: 0, Outcome.MASKED: 1, Outcome.CLEAR: 2}
QUESTIONS: Final = [(label, relation, access) for label in Label for relation in Relation for access in Access]

Table = tuple[Rule, ...]
Answers = Mapping[tuple[Label, Relation, Access], Outcome]

labels = st.sampled_from(Label)
purposes = st.sampled_from(Purpose)
patterns: st.SearchStrategy[Pattern] = labels | labels.map(Exactly)
scopes = st.builds(
    Scope, st.sampled_from([Label.ACCOUNT, Label.CONTACT, Label.DEVICE]) | labels, st.sampled_from(Access)
)

few_labels = st.lists(patterns, min_size=1, max_size=4).map(tuple)
few_purposes = st.lists(purposes, min_size=1, max_size=4, unique=True).map(tuple)
# Wide permits and narrow forbids meet more often than two random choices would.
many_labels = st.just(EVERYTHING) | few_labels
many_purposes = st.just(tuple(Purpose)) | few_purposes

# As in the default table, no permit is for ANYONE.
permits = st.builds(
    Rule,
    who=st.sampled_from([Who.SELF, Who.SERVICE, *Role]),
    labels=many_labels,
    purposes=many_purposes,
    outcome=st.sampled_from([Outcome.CLEAR, Outcome.MASKED]),
    access=st.sampled_from(Access),
)


def forbids(*whos: Who | Role) -> st.SearchStrategy[Rule]:
    """Any forbid for one of `whos`; for anybody at all when none is named."""
    return st.builds(
        Rule,
        who=st.sampled_from(whos or (*Who, *Role)),
        labels=few_labels,
        purposes=many_purposes,
        outcome=st.just(Outcome.DENIED),
        access=st.sampled_from(Access),
    )


def tables(forbidding: st.SearchStrategy[Rule] | None = None) -> st.SearchStrategy[Table]:
    """The default table or some rows of it, among made-up permits and forbids."""
    real = st.just(list(RULES)) | st.lists(st.sampled_from(RULES), unique=True)
    first, last = st.lists(permits, max_size=3), st.lists(permits, min_size=1, max_size=2)
    forbidden = st.lists(forbids() if forbidding is None else forbidding, max_size=2)
    return st.tuples(first, real, forbidden, last).map(lambda parts: tuple(chain(*parts)))


def shapes(*kinds: Kind) -> st.SearchStrategy[Shape]:
    """Any caller of this region."""
    return st.builds(
        Shape,
        kind=st.sampled_from(kinds or tuple(Kind)),
        roles=st.frozensets(st.sampled_from(Role)),
        scopes=st.frozensets(scopes, max_size=5),
        region=st.just(REGION),
    )


def answers(policy: Policy, shape: Shape, purpose: Purpose) -> Answers:
    """All that a caller may do under one purpose."""
    return {
        (label, relation, access): policy.decide(shape, purpose, label, relation, access).outcome
        for label, relation, access in QUESTIONS
    }


def assert_no_more(after: Answers, before: Answers) -> None:
    """No answer went up from denied to masked to clear."""
    risen = {q: f"{before[q]} -> {after[q]}" for q in QUESTIONS if ORDER[after[q]] > ORDER[before[q]]}
    assert not risen


def using(purpose: Purpose, used: frozenset[Label]) -> dict[Purpose, PurposeSpec]:
    """The registry with `purpose` using exactly `used`."""
    return {**PURPOSES, purpose: replace(PURPOSES[purpose], labels=tuple(map(Exactly, sorted(used))))}
