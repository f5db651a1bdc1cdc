"""How the policy decides: the order of evaluation, what a label covers, what its version says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from auth.policy import Policy
from auth.principal import Kind, Scope, Shape
from auth.purposes import PURPOSES, REGISTRY_VERSION, Exactly
from auth.rules import RULES, Rule, Who, forbid, permit
from models.grant import Decision
from models.vocabulary import Access, Label, Outcome, Purpose, Reason, Relation, Role

CLEAR, MASKED, DENIED = Outcome.CLEAR, Outcome.MASKED, Outcome.DENIED
SELF, OTHER = Relation.SELF, Relation.OTHER
BOTH: Final = Shape(Kind.PERSON, roles=frozenset({Role.SUPPORT, Role.ANALYST}), region="eu")
PERSON: Final = Shape(Kind.PERSON, region="eu")

CLEAR_EMAIL: Final = permit(Role.SUPPORT, [Label.EMAIL], [Purpose.SUPPORT])
MASKED_EMAIL: Final = permit(Role.ANALYST, [Label.EMAIL], [Purpose.SUPPORT], as_=MASKED)
NO_EMAIL: Final = forbid(Who.ANYONE, [Label.EMAIL], [Purpose.SUPPORT])


def decide(
    *rules: Rule,
    shape: Shape = BOTH,
    purpose: Purpose | None = Purpose.SUPPORT,
    label: Label | None = Label.EMAIL,
    relation: Relation = OTHER,
    access: Access = Access.READ,
) -> Decision:
    """Decide under a table of `rules` only, in the region `eu`."""
    return Policy("eu", rules).decide(shape, purpose, label, relation, access)


def service(*scopes: str) -> Shape:
    """A service of this region."""
    return Shape(Kind.SERVICE, scopes=frozenset(map(Scope.parse, scopes)), region="eu")


def test_an_empty_table_denies() -> None:
    """Empty means deny."""
    assert decide() == Decision(DENIED, "no rule permits it", Reason.ROLE)


def test_a_permit_is_named_by_the_decision() -> None:
    """A decision says which rule made it, in words."""
    decision = decide(CLEAR_EMAIL)
    assert decision == Decision(CLEAR, "permit SUPPORT to read user.contact.email for SUPPORT")


def test_a_forbid_is_named_by_the_decision() -> None:
    """So is what forbids."""
    assert decide(NO_EMAIL).rule == "forbid ANYONE to read user.contact.email for SUPPORT"


@pytest.mark.parametrize("rules", [(CLEAR_EMAIL, NO_EMAIL), (NO_EMAIL, CLEAR_EMAIL)], ids=["after", "before"])
def test_deny_beats_allow(rules: tuple[Rule, ...]) -> None:
    """Wherever the forbid stands."""
    assert decide(*rules).outcome is DENIED


@pytest.mark.parametrize("rules", [(CLEAR_EMAIL, MASKED_EMAIL), (MASKED_EMAIL, CLEAR_EMAIL)], ids=["first", "last"])
def test_clear_beats_masked(rules: tuple[Rule, ...]) -> None:
    """Whoever has one role that reads in clear reads in clear."""
    assert decide(*rules).outcome is CLEAR


def test_masked_stays_masked() -> None:
    """Two masked permits are no clear one."""
    assert decide(MASKED_EMAIL, replace(MASKED_EMAIL, who=Role.SUPPORT)).outcome is MASKED


def test_nothing_without_a_purpose() -> None:
    """No purpose, no data."""
    assert decide(CLEAR_EMAIL, purpose=None).reason is Reason.PURPOSE


def test_nothing_without_a_label() -> None:
    """What carries no label is nobody's to read."""
    assert decide(CLEAR_EMAIL, label=None).reason is Reason.PURPOSE


def test_a_purpose_that_may_not_use_the_label_comes_first() -> None:
    """Before the region and before any rule: even a forbid is not looked at."""
    rule = permit(Role.SUPPORT, [Label.BEHAVIOR], [Purpose.SUPPORT])
    stranger = replace(BOTH, region="us")
    assert decide(rule, shape=stranger, label=Label.BEHAVIOR).reason is Reason.PURPOSE


def test_a_caller_of_another_region_is_denied_for_the_region() -> None:
    """Were it not for the region, the rule would hold."""
    decision = decide(CLEAR_EMAIL, shape=replace(BOTH, region="us"))
    assert decision == Decision(DENIED, "this is region eu", Reason.REGION)


def test_a_service_lacks_a_scope() -> None:
    """People lack a role, services a scope."""
    rule = permit(Who.SERVICE, [Label.CONTACT], [Purpose.SUPPORT])
    assert decide(rule, shape=service("user.name:read")).reason is Reason.SCOPE


def test_a_service_needs_a_rule_besides_its_scope() -> None:
    """A scope alone gives nothing."""
    assert decide(CLEAR_EMAIL, shape=service("user.contact:read")).reason is Reason.SCOPE


def test_a_rule_covers_what_lies_beneath_its_label() -> None:
    """`user.contact` covers `user.contact.email`."""
    assert decide(permit(Role.SUPPORT, [Label.CONTACT], [Purpose.SUPPORT]))


def test_a_rule_does_not_cover_what_lies_above_its_label() -> None:
    """`user.contact.email` does not cover `user.contact`."""
    assert not decide(CLEAR_EMAIL, label=Label.CONTACT)


def test_a_rule_can_be_for_exactly_one_label() -> None:
    """The plain account without the user name beneath it."""
    rule = permit(Role.SUPPORT, [Exactly(Label.ACCOUNT)], [Purpose.SUPPORT])
    assert decide(rule, label=Label.ACCOUNT)
    assert not decide(rule, label=Label.USERNAME)


def test_a_rule_to_read_is_none_to_write() -> None:
    """Reading says nothing of writing."""
    assert not decide(CLEAR_EMAIL, access=Access.WRITE)


def test_a_rule_to_write_is_none_to_read() -> None:
    """Writing says nothing of reading."""
    assert not decide(replace(CLEAR_EMAIL, access=Access.WRITE))


def test_a_forbid_to_read_lets_write() -> None:
    """What is forbidden is what the rule says, not the label as a whole."""
    assert decide(NO_EMAIL, replace(CLEAR_EMAIL, access=Access.WRITE), access=Access.WRITE)


def test_a_rule_for_self_is_for_ones_own_row() -> None:
    """And for no other."""
    rule = permit(Who.SELF, [Label.EMAIL], [Purpose.SUPPORT])
    assert decide(rule, shape=PERSON, relation=SELF)
    assert not decide(rule, shape=PERSON, relation=OTHER)


def test_a_service_has_no_row_of_its_own() -> None:
    """Rules for SELF are for people."""
    rule = permit(Who.SELF, [Label.EMAIL], [Purpose.SUPPORT])
    assert not decide(rule, shape=service("user.contact:read"), relation=SELF)


def test_an_identifier_is_readable_with_any_field_of_the_row() -> None:
    """Even when that field is masked."""
    assert decide(MASKED_EMAIL, label=Label.UNIQUE_ID).outcome is CLEAR


def test_an_identifier_is_not_readable_by_itself() -> None:
    """Without another field there is no row to point at."""
    rule = permit(Role.SUPPORT, [Label.UNIQUE_ID], [Purpose.ACCOUNT])
    assert decide(rule, label=Label.UNIQUE_ID, purpose=Purpose.ACCOUNT).reason is Reason.ROLE


def test_an_identifier_is_readable_per_relation() -> None:
    """Reading one's own row gives no identifiers of others."""
    rule = permit(Who.SELF, [Label.EMAIL], [Purpose.SUPPORT])
    assert decide(rule, shape=PERSON, label=Label.UNIQUE_ID, relation=SELF)
    assert not decide(rule, shape=PERSON, label=Label.UNIQUE_ID, relation=OTHER)


def test_writing_an_identifier_needs_a_rule() -> None:
    """It is public to read, not to change."""
    rules = (
        permit(Role.SUPPORT, [Label.EMAIL], [Purpose.ACCOUNT]),
        permit(Role.SUPPORT, [Label.EMAIL], [Purpose.ACCOUNT], to=Access.WRITE),
    )
    assert not decide(*rules, label=Label.UNIQUE_ID, purpose=Purpose.ACCOUNT, access=Access.WRITE)


def test_equal_tables_have_equal_versions() -> None:
    """The version is that of the policy, not of the object or the process."""
    assert Policy("eu").version == Policy("us", tuple(RULES), dict(PURPOSES)).version


def test_a_version_begins_with_that_of_the_registry() -> None:
    """People see the registry's number; the digest is for machines."""
    assert Policy("eu").version.startswith(f"{REGISTRY_VERSION}-")


def test_another_rule_is_another_version() -> None:
    """A forbid more, a rule less: another policy."""
    versions = {Policy("eu", rules).version for rules in (RULES, (*RULES, NO_EMAIL), RULES[:-1])}
    assert len(versions) == 3


@pytest.mark.parametrize("change", [{"labels": (Label.NAME,)}, {"one_person": True}], ids=str)
def test_another_purpose_table_is_another_version(change: dict[str, Any]) -> None:
    """A purpose that may use less, or opens no lists, is another policy."""
    narrower = {**PURPOSES, Purpose.SUPPORT: replace(PURPOSES[Purpose.SUPPORT], **change)}
    assert Policy("eu", RULES, narrower).version != Policy("eu").version


@pytest.mark.parametrize("purpose", [*Purpose, None])
def test_lists_are_closed_for_a_purpose_about_one_person(purpose: Purpose | None) -> None:
    """An emergency, and nothing else; with what to use instead."""
    closed = Policy("eu").before_many(purpose)
    assert (closed is not None) == (purpose is Purpose.EMERGENCY)
    if closed is not None:
        assert (closed.outcome, closed.reason) == (Outcome.DENIED, Reason.PURPOSE)
        assert closed.rule == "EMERGENCY opens one named person at a time: use user or node"
