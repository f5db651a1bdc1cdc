"""What a grant of the policy holds: decisions per relation and coordinate, and what a row must fulfil."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Final

import pytest

from auth.policy import Claim, Policy
from auth.principal import Kind, Shape
from models.grant import RowConditions
from models.vocabulary import Access, Label, Purpose, Relation, Role

SELF, OTHER = Relation.SELF, Relation.OTHER
SUPPORT: Final = Shape(Kind.PERSON, roles=frozenset({Role.SUPPORT}), region="eu")
PERSON: Final = Shape(Kind.PERSON, region="eu")


def test_a_claim_is_to_read_unless_it_says_otherwise() -> None:
    """The safe thing to say nothing about."""
    assert Claim("User.email", Label.EMAIL).access is Access.READ


def test_a_grant_decides_per_relation() -> None:
    """One's own email is clear under ACCOUNT, another's denied."""
    grant = Policy("eu").grant(SUPPORT, Purpose.ACCOUNT, [Claim("User.email", Label.EMAIL)])
    assert (grant.allows(SELF, "User.email"), grant.allows(OTHER, "User.email")) == (True, False)


def test_a_grant_keeps_reading_and_writing_apart() -> None:
    """Each coordinate is decided for what is done to it."""
    claims = [Claim("User.loginCount", Label.ACCOUNT), Claim("UpdateUserInput.status", Label.ACCOUNT, Access.WRITE)]
    grant = Policy("eu").grant(PERSON, Purpose.ACCOUNT, claims)
    assert grant.allows(SELF, "User.loginCount")
    assert not grant.allows(SELF, "UpdateUserInput.status")


def test_a_grant_denies_what_was_not_claimed() -> None:
    """A coordinate that nobody asked for is denied, not looked up."""
    grant = Policy("eu").grant(PERSON, Purpose.ACCOUNT, [Claim("User.email", Label.EMAIL)])
    assert grant.decision(SELF, "User.phone") is None
    assert not grant.allows(SELF, "User.phone")


def test_a_grant_cannot_be_changed() -> None:
    """Neither the grant nor the maps in it."""
    grant = Policy("eu").grant(PERSON, Purpose.ACCOUNT, [Claim("User.email", Label.EMAIL)])
    with pytest.raises(FrozenInstanceError):
        grant.purpose = Purpose.LEGAL  # type: ignore[misc]  # what must not be possible
    for mapping in (grant.decisions, grant.decisions[OTHER], grant.conditions):
        assert not hasattr(mapping, "__setitem__")


def test_a_grant_names_its_purpose_and_policy() -> None:
    """Enough for a record of what was decided by which policy."""
    policy = Policy("eu")
    grant = policy.grant(PERSON, Purpose.SECURITY, [])
    assert (grant.purpose, grant.policy_version) == (Purpose.SECURITY, policy.version)


@pytest.mark.parametrize(
    ("purpose", "conditions"),
    [
        (Purpose.ACCOUNT, RowConditions()),
        (Purpose.SECURITY, RowConditions()),
        (Purpose.LEGAL, RowConditions()),
        (Purpose.SUPPORT, RowConditions(unrestricted_only=True)),
        (Purpose.ANALYTICS, RowConditions(unrestricted_only=True)),
        (Purpose.PERSONALISATION, RowConditions(Purpose.PERSONALISATION, adult_only=True, unrestricted_only=True)),
        (Purpose.MARKETING, RowConditions(Purpose.MARKETING, adult_only=True, unrestricted_only=True)),
        (Purpose.AI_TRAINING, RowConditions(Purpose.AI_TRAINING, adult_only=True, unrestricted_only=True)),
        (Purpose.EMERGENCY, RowConditions(unrestricted_only=True)),
    ],
)
@pytest.mark.parametrize("relation", Relation)
def test_a_grant_says_what_a_row_must_fulfil(purpose: Purpose, conditions: RowConditions, relation: Relation) -> None:
    """Consent and age for the purposes that rest on consent; no restriction but for the necessary ones."""
    assert Policy("eu").grant(PERSON, purpose, []).conditions[relation] == conditions


def test_conditions_are_falsy_when_there_are_none() -> None:
    """So that a row need not be looked at."""
    assert not RowConditions()
    assert RowConditions(unrestricted_only=True)
