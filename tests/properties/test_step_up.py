"""What holds of step-up whatever the rule table: more proof never gives less, asking for it never gives more."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from auth.policy import Policy
from auth.principal import PROVEN, Assurance, Kind, Shape
from auth.rules import Who
from models.vocabulary import Outcome, Purpose, Reason, Relation
from tests.properties.policies import (
    ORDER,
    QUESTIONS,
    QUICK,
    REGION,
    Table,
    answers,
    assert_no_more,
    forbids,
    purposes,
    shapes,
    tables,
)

assurances = st.builds(Assurance, st.booleans(), st.booleans())


def with_(shape: Shape, assurance: Assurance) -> Shape:
    """The same caller, more or less surely known."""
    return replace(shape, assurance=assurance)


def enforcing(table: Table) -> Policy:
    """A policy that asks for proof."""
    return Policy(REGION, table, step_up=True)


@QUICK
@given(tables(), shapes(), purposes, assurances, assurances)
def test_stepping_up_never_takes_a_right_away(
    table: Table, shape: Shape, purpose: Purpose, one: Assurance, other: Assurance
) -> None:
    """Whoever has proven both has every right of whoever has proven either."""
    policy, both = enforcing(table), Assurance(one.strong or other.strong, one.recent or other.recent)
    assert_no_more(answers(policy, with_(shape, one), purpose), answers(policy, with_(shape, both), purpose))


@QUICK
@given(tables(), shapes(), purposes, assurances, assurances)
def test_without_enforcement_assurance_changes_nothing(
    table: Table, shape: Shape, purpose: Purpose, one: Assurance, other: Assurance
) -> None:
    """Not even a reason."""
    policy = Policy(REGION, table)
    for label, relation, access in QUESTIONS:
        decisions = {policy.decide(with_(shape, it), purpose, label, relation, access) for it in (one, other)}
        assert len(decisions) == 1
        assert all(decision.wanted is None for decision in decisions)


@QUICK
@given(tables(), shapes(), purposes, assurances)
def test_enforcing_never_grants(table: Table, shape: Shape, purpose: Purpose, assurance: Assurance) -> None:
    """And changes nothing for those who have proven everything."""
    caller, free = with_(shape, assurance), Policy(REGION, table)
    assert_no_more(answers(enforcing(table), caller, purpose), answers(free, caller, purpose))
    proven = with_(shape, PROVEN)
    assert answers(enforcing(table), proven, purpose) == answers(free, proven, purpose)


@QUICK
@given(tables(), shapes(), purposes, assurances)
def test_step_up_is_the_reason_exactly_where_it_helps(
    table: Table, shape: Shape, purpose: Purpose, assurance: Assurance
) -> None:
    """Nobody is sent to prove themselves for nothing, and nobody is told another reason where it would do."""
    policy = enforcing(table)
    for label, relation, access in QUESTIONS:
        decision = policy.decide(with_(shape, assurance), purpose, label, relation, access)
        helps = not decision and bool(policy.decide(with_(shape, PROVEN), purpose, label, relation, access))
        assert (decision.reason is Reason.STEP_UP) is helps
        assert (decision.wanted is not None) is helps


@QUICK
@given(tables(), shapes(Kind.SERVICE, Kind.NOBODY), purposes, assurances)
def test_services_and_nobody_are_never_asked(
    table: Table, shape: Shape, purpose: Purpose, assurance: Assurance
) -> None:
    """Whatever proof they seem to bring or lack."""
    caller = with_(shape, assurance)
    assert answers(enforcing(table), caller, purpose) == answers(Policy(REGION, table), caller, purpose)


@QUICK
@given(tables(forbids()), st.data(), shapes(Kind.PERSON), purposes, assurances)
def test_the_order_of_the_rules_never_matters(
    table: Table, data: st.DataObject, shape: Shape, purpose: Purpose, assurance: Assurance
) -> None:
    """Not for the answer, and not for what is asked for."""
    caller, shuffled = with_(shape, assurance), data.draw(st.permutations(table))
    one, other = enforcing(table), enforcing(tuple(shuffled))
    for question in QUESTIONS:
        label, relation, access = question
        first = one.decide(caller, purpose, label, relation, access)
        second = other.decide(caller, purpose, label, relation, access)
        assert (first.outcome, first.reason, first.wanted) == (second.outcome, second.reason, second.wanted)


@QUICK
@given(tables(forbids(Who.ANYONE)), st.data(), shapes(Kind.PERSON), purposes, assurances)
def test_removing_a_role_never_grants(
    table: Table, data: st.DataObject, shape: Shape, purpose: Purpose, assurance: Assurance
) -> None:
    """A role whose rules ask for proof is no burden on those of another."""
    fewer = replace(shape, roles=frozenset(role for role in shape.roles if data.draw(st.booleans())))
    policy = enforcing(table)
    before = answers(policy, with_(shape, assurance), purpose)
    assert_no_more(answers(policy, with_(fewer, assurance), purpose), before)


@QUICK
@given(tables(forbids(Who.ANYONE)), shapes(Kind.PERSON), purposes, assurances)
def test_ones_own_row_is_never_less_than_anothers(
    table: Table, shape: Shape, purpose: Purpose, assurance: Assurance
) -> None:
    """Proof is asked for on the rows of others first."""
    found = answers(enforcing(table), with_(shape, assurance), purpose)
    for label, _relation, access in QUESTIONS:
        assert ORDER[found[label, Relation.SELF, access]] >= ORDER[found[label, Relation.OTHER, access]]


@QUICK
@given(tables(), shapes(Kind.PERSON), purposes)
def test_staff_rights_need_a_second_factor(table: Table, shape: Shape, purpose: Purpose) -> None:
    """Without one, a person gets of others what they would without any role: nothing."""
    found = answers(enforcing(table), with_(shape, Assurance(recent=True)), purpose)
    assert {found[question] for question in QUESTIONS if question[1] is Relation.OTHER} == {Outcome.DENIED}
