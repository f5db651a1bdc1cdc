"""Made-up rule tables, callers and purposes, and how two policies are compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from hypothesis import settings
from hypothesis import strategies as st

from auth.policy import Policy
from auth.principal import Kind, Scope, Shape
from auth.purposes import PURPOSES, Exactly, Pattern, PurposeSpec
from auth.rules import RULES, Rule, Who
from models.vocabulary import Access, Label, Outcome, Purpose, Relation, Role

QUICK: Final = settings(max_examples=60, deadline=None)
REGION: Final = "eu"
ORDER: Final = {Outcome.DENIED: 0, Outcome.MASKED: 1, Outcome.CLEAR: 2}
QUESTIONS: Final = [(label, relation, access) for label in Label for relation in Relation for access in Access]

Table = tuple[Rule, ...]
Answers = Mapping[tuple[Label, Relation, Access], Outcome]

labels = st.sampled_from(Label)
purposes = st.sampled_from(Purpose)
patterns: st.SearchStrategy[Pattern] = labels | labels.map(Exactly)
scopes = st.builds(Scope, labels, st.sampled_from(Access))


def rules(whos: Sequence[Who | Role], outcomes: Sequence[Outcome]) -> st.SearchStrategy[Rule]:
    """Any rule for one of `whos` with one of `outcomes`."""
    return st.builds(
        Rule,
        who=st.sampled_from(whos),
        labels=st.lists(patterns, min_size=1, max_size=3).map(tuple),
        purposes=st.lists(purposes, min_size=1, max_size=8).map(tuple),
        outcome=st.sampled_from(outcomes),
        access=st.sampled_from(Access),
    )


# As in the default table, no permit is for ANYONE.
permits = rules([Who.SELF, Who.SERVICE, *Role], [Outcome.CLEAR, Outcome.MASKED])


def forbids(*whos: Who | Role) -> st.SearchStrategy[Rule]:
    """Any forbid for one of `whos`; for anybody at all when none is named."""
    return rules(whos or [*Who, *Role], [Outcome.DENIED])


def tables(forbidding: st.SearchStrategy[Rule] | None = None) -> st.SearchStrategy[Table]:
    """Some rows of the default table with some made-up permits and forbids, in any order."""
    made_up = st.lists(permits | (forbids() if forbidding is None else forbidding), max_size=5)
    real = st.lists(st.sampled_from(RULES), unique=True, max_size=len(RULES))
    return st.tuples(real, made_up).flatmap(lambda t: st.permutations([*t[0], *t[1]])).map(tuple)


def shapes(*kinds: Kind) -> st.SearchStrategy[Shape]:
    """Any caller, mostly of this region."""
    return st.builds(
        Shape,
        kind=st.sampled_from(kinds or tuple(Kind)),
        roles=st.frozensets(st.sampled_from(Role)),
        scopes=st.frozensets(scopes, max_size=4),
        region=st.sampled_from([REGION, REGION, REGION, "us", ""]),
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
