"""What must hold of the policy whatever the rule table: it never grants more for having been given less."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from auth.policy import Claim, Policy
from auth.principal import Kind, Scope, Shape
from auth.purposes import covered
from auth.rules import RULES, Rule, Who, permit
from models.vocabulary import Access, Label, Outcome, Purpose, Relation, Role
from tests.properties.policies import (
    ORDER,
    QUESTIONS,
    QUICK,
    REGION,
    Table,
    answers,
    assert_no_more,
    forbids,
    labels,
    purposes,
    shapes,
    tables,
    using,
)

CREDENTIALS: Final = covered([Label.AUTHORIZATION])


@QUICK
@given(tables(), forbids(), st.integers(0, 20), shapes(), purposes)
def test_adding_a_forbid_never_grants(table: Table, rule: Rule, at: int, shape: Shape, purpose: Purpose) -> None:
    """Wherever in the table the forbid is put."""
    forbidding = (*table[:at], rule, *table[at:])
    assert_no_more(answers(Policy(REGION, forbidding), shape, purpose), answers(Policy(REGION, table), shape, purpose))


@QUICK
@given(tables(), forbids(Who.ANYONE), shapes(), purposes)
def test_a_forbid_for_anyone_denies_all_it_covers(table: Table, rule: Rule, shape: Shape, purpose: Purpose) -> None:
    """Whatever else permits; only the identifier, public with the rest of its row, has no rules for reading."""
    policy = Policy(REGION, (*table, rule))
    covers = rule.covers if rule.access is Access.WRITE else rule.covers - {Label.UNIQUE_ID}
    for named in rule.purposes:
        for label in covers:
            for relation in Relation:
                assert not policy.decide(shape, named, label, relation, rule.access)


@QUICK
@given(tables(), st.data(), shapes(), purposes)
def test_removing_a_permit_never_grants(table: Table, data: st.DataObject, shape: Shape, purpose: Purpose) -> None:
    """Any part of the permits, down to none of them."""
    kept = [rule for rule in table if rule.outcome is Outcome.DENIED or data.draw(st.booleans())]
    assert_no_more(answers(Policy(REGION, kept), shape, purpose), answers(Policy(REGION, table), shape, purpose))


@QUICK
@given(tables(forbids(*Who)), st.data(), shapes(Kind.PERSON), purposes)
def test_removing_a_role_never_grants(table: Table, data: st.DataObject, shape: Shape, purpose: Purpose) -> None:
    """As long as no forbid names a role, which the default table does not."""
    fewer = replace(shape, roles=frozenset(role for role in shape.roles if data.draw(st.booleans())))
    policy = Policy(REGION, table)
    assert_no_more(answers(policy, fewer, purpose), answers(policy, shape, purpose))


@QUICK
@given(tables(), st.data(), shapes(Kind.SERVICE), purposes)
def test_removing_a_scope_never_grants(table: Table, data: st.DataObject, shape: Shape, purpose: Purpose) -> None:
    """Any part of the scopes, down to none of them."""
    fewer = replace(shape, scopes=frozenset(scope for scope in shape.scopes if data.draw(st.booleans())))
    policy = Policy(REGION, table)
    assert_no_more(answers(policy, fewer, purpose), answers(policy, shape, purpose))


@QUICK
@given(tables(), shapes(Kind.SERVICE), st.data(), purposes)
def test_narrowing_a_scope_never_grants(table: Table, shape: Shape, data: st.DataObject, purpose: Purpose) -> None:
    """A scope on a category beneath another gives no more than the scope on the whole."""
    narrowed = frozenset(Scope(data.draw(st.sampled_from(sorted(covered([s.label])))), s.access) for s in shape.scopes)
    policy = Policy(REGION, table)
    assert_no_more(answers(policy, replace(shape, scopes=narrowed), purpose), answers(policy, shape, purpose))


@QUICK
@given(tables(), shapes(), purposes, st.frozensets(labels), st.data())
def test_a_narrower_purpose_never_grants(
    table: Table, shape: Shape, purpose: Purpose, used: frozenset[Label], data: st.DataObject
) -> None:
    """Taking labels from what a purpose may use takes from what it lets anybody do."""
    fewer = frozenset(label for label in used if data.draw(st.booleans()))
    assert_no_more(
        answers(Policy(REGION, table, using(purpose, fewer)), shape, purpose),
        answers(Policy(REGION, table, using(purpose, used)), shape, purpose),
    )


@QUICK
@given(tables(), st.data(), shapes(), purposes)
def test_the_order_of_the_rules_never_matters(
    table: Table, data: st.DataObject, shape: Shape, purpose: Purpose
) -> None:
    """Deny beats allow and clear beats masked wherever they stand."""
    shuffled = data.draw(st.permutations(table))
    assert answers(Policy(REGION, table), shape, purpose) == answers(Policy(REGION, shuffled), shape, purpose)


@QUICK
@given(tables(forbids(Who.ANYONE, Who.SERVICE, *Role)), shapes(), purposes)
def test_ones_own_row_is_never_less_than_anothers(table: Table, shape: Shape, purpose: Purpose) -> None:
    """On one's own row the rules for SELF and for the role both count."""
    policy = Policy(REGION, table)
    for label in Label:
        for access in Access:
            own = policy.decide(shape, purpose, label, Relation.SELF, access)
            other = policy.decide(shape, purpose, label, Relation.OTHER, access)
            assert ORDER[own.outcome] >= ORDER[other.outcome]


@QUICK
@given(tables(), shapes(), purposes, st.frozensets(labels))
def test_no_rule_reaches_past_the_purpose(table: Table, shape: Shape, purpose: Purpose, used: frozenset[Label]) -> None:
    """Labels that a purpose may not use are denied under it, the public identifier apart."""
    found = answers(Policy(REGION, table, using(purpose, used)), shape, purpose)
    for label, relation, access in QUESTIONS:
        if label not in used and (label, access) != (Label.UNIQUE_ID, Access.READ):
            assert found[label, relation, access] is Outcome.DENIED


@QUICK
@given(tables(), shapes(Kind.PERSON, Kind.SERVICE), purposes)
def test_nobody_reaches_credentials(table: Table, shape: Shape, purpose: Purpose) -> None:
    """The default forbids hold whatever the other rules permit, even when a purpose may use every label there is."""
    opened = [permit(who, Label, Purpose, to=access) for who in (Who.SELF, Who.SERVICE, *Role) for access in Access]
    kept = [rule for rule in RULES if rule.outcome is Outcome.DENIED]
    found = answers(Policy(REGION, [*table, *opened, *kept], using(purpose, frozenset(Label))), shape, purpose)
    assert all(found[question] is Outcome.DENIED for question in QUESTIONS if question[0] in CREDENTIALS)


@QUICK
@given(tables(), shapes(Kind.NOBODY), purposes)
def test_nobody_gets_nothing(table: Table, shape: Shape, purpose: Purpose) -> None:
    """Whatever roles, scopes and region came with it."""
    assert set(answers(Policy(REGION, table), shape, purpose).values()) == {Outcome.DENIED}


@QUICK
@given(tables(), shapes(Kind.PERSON, Kind.SERVICE), purposes)
def test_a_caller_of_another_region_gets_nothing(table: Table, shape: Shape, purpose: Purpose) -> None:
    """Each cell decides for its own callers only."""
    stranger = replace(shape, region="us")
    assert set(answers(Policy(REGION, table), stranger, purpose).values()) == {Outcome.DENIED}


@QUICK
@given(tables(), shapes(Kind.PERSON), purposes)
def test_scopes_give_people_nothing(table: Table, shape: Shape, purpose: Purpose) -> None:
    """Scopes are for services."""
    policy = Policy(REGION, table)
    assert answers(policy, shape, purpose) == answers(policy, replace(shape, scopes=frozenset()), purpose)


@QUICK
@given(tables(), shapes(Kind.SERVICE), purposes)
def test_roles_give_services_nothing(table: Table, shape: Shape, purpose: Purpose) -> None:
    """Roles are for people."""
    policy = Policy(REGION, table)
    assert answers(policy, shape, purpose) == answers(policy, replace(shape, roles=frozenset()), purpose)


@QUICK
@given(tables(), shapes(), purposes)
def test_an_identifier_is_public_to_whoever_reads_the_row(table: Table, shape: Shape, purpose: Purpose) -> None:
    """It is readable, and in clear, when any other label is, and else not."""
    found = answers(Policy(REGION, table), shape, purpose)
    for relation in Relation:
        others = [found[label, relation, Access.READ] for label in Label if label is not Label.UNIQUE_ID]
        readable = any(outcome is not Outcome.DENIED for outcome in others)
        assert found[Label.UNIQUE_ID, relation, Access.READ] is (Outcome.CLEAR if readable else Outcome.DENIED)


@QUICK
@given(tables(), shapes(), purposes)
def test_a_denial_is_falsy_and_says_why(table: Table, shape: Shape, purpose: Purpose) -> None:
    """Exactly the denials are falsy, and exactly they carry a reason."""
    policy = Policy(REGION, table)
    for label, relation, access in QUESTIONS:
        decision = policy.decide(shape, purpose, label, relation, access)
        denied = decision.outcome is Outcome.DENIED
        assert bool(decision) is not denied
        assert (decision.reason is not None) is denied


@QUICK
@given(
    tables(),
    shapes(),
    purposes,
    st.dictionaries(st.text(min_size=1, max_size=5), st.tuples(labels, st.sampled_from(Access)), max_size=8),
    st.text(max_size=6),
)
def test_a_grant_holds_the_decisions_and_nothing_else(
    table: Table, shape: Shape, purpose: Purpose, asked: dict[str, tuple[Label, Access]], stranger: str
) -> None:
    """It answers for each claim as `decide` does, and denies a coordinate that was not asked for."""
    policy = Policy(REGION, table)
    grant = policy.grant(shape, purpose, [Claim(name, label, access) for name, (label, access) in asked.items()])
    for relation in Relation:
        for name, (label, access) in asked.items():
            decision = policy.decide(shape, purpose, label, relation, access)
            assert grant.decision(relation, name) == decision
            assert grant.allows(relation, name) is bool(decision)
        if stranger not in asked:
            assert grant.decision(relation, stranger) is None
            assert not grant.allows(relation, stranger)
