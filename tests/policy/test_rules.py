"""The tables of the default policy against a written-out copy: a change here is a change of policy.

The copy is plain text on purpose. Whoever changes `auth/rules.py` changes it too, says so in the
change log, and looks at which cases of `cases.yaml` turn.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product
from typing import Final

import pytest

from auth.policy import Policy
from auth.principal import Kind, Shape
from auth.purposes import PURPOSES, covered
from auth.rules import RULES, Rule, Who, permit, purposes_lent, purposes_of_person
from models.labels import LABELS
from models.vocabulary import Access, Label, Outcome, Purpose, Relation, Role

EVERYTHING: Final = (
    "user.unique_id user.account user.contact user.name user.demographic.date_of_birth user.demographic.age_range "
    "user.demographic.language user.location user.privacy_preferences user.device user.behavior user.content"
)
TO_SERVICES: Final = "ACCOUNT SECURITY SUPPORT ANALYTICS PERSONALISATION MARKETING LEGAL AI_TRAINING"
ALWAYS: Final = f"{TO_SERVICES} EMERGENCY"
IN_AN_EMERGENCY: Final = "user.account.username user.name user.contact =user.account user.location.imprecise"

# who, access, outcome, labels (`=` before one that stands for itself alone), purposes
TABLE: Final = [
    ("ANYONE", "read", "DENIED", "user.authorization", ALWAYS),
    ("ANYONE", "write", "DENIED", "user.authorization", ALWAYS),
    ("SERVICE", "read", "DENIED", "user.account.roles user.account.break_glass", ALWAYS),
    ("SERVICE", "write", "DENIED", "user.account.roles user.account.break_glass", ALWAYS),
    ("SELF", "read", "CLEAR", EVERYTHING, "ACCOUNT"),
    ("SELF", "read", "CLEAR", "user.account.username =user.account user.device user.location", "SECURITY"),
    (
        "SELF",
        "read",
        "CLEAR",
        "user.account.settings user.behavior user.demographic.language user.location.imprecise",
        "PERSONALISATION",
    ),
    (
        "SELF",
        "write",
        "CLEAR",
        (
            "user.unique_id user.account.username user.account.settings user.contact user.name "
            "user.demographic.date_of_birth user.demographic.language user.location user.privacy_preferences"
        ),
        "ACCOUNT",
    ),
    (
        "SUPPORT",
        "read",
        "CLEAR",
        (
            "user.account.username =user.account user.account.settings user.name user.location.imprecise "
            "user.demographic.language user.demographic.age_range user.privacy_preferences"
        ),
        "SUPPORT",
    ),
    ("SUPPORT", "read", "MASKED", "user.contact", "SUPPORT"),
    (
        "ANALYST",
        "read",
        "CLEAR",
        "=user.account user.behavior user.location.imprecise user.demographic.language user.demographic.age_range",
        "ANALYTICS",
    ),
    (
        "SECURITY",
        "read",
        "CLEAR",
        "user.account.username user.name =user.account user.account.settings user.device user.location.imprecise",
        "SECURITY",
    ),
    ("SECURITY", "read", "MASKED", "user.contact", "SECURITY"),
    (
        "PRIVACY",
        "read",
        "CLEAR",
        "user.account.username user.name user.contact =user.account user.privacy_preferences user.demographic.language",
        "LEGAL",
    ),
    ("PRIVACY", "write", "CLEAR", "user.name user.contact user.demographic.language", "LEGAL"),
    (
        "ADMIN",
        "read",
        "CLEAR",
        "user.account.username =user.account user.account.roles user.account.break_glass",
        "ACCOUNT",
    ),
    ("ADMIN", "write", "CLEAR", "user.account.roles user.account.break_glass.review", "ACCOUNT"),
    ("SUPPORT", "write", "CLEAR", "=user.account.break_glass", "ACCOUNT"),
    ("SECURITY", "write", "CLEAR", "=user.account.break_glass", "ACCOUNT"),
    ("PRIVACY", "write", "CLEAR", "=user.account.break_glass", "ACCOUNT"),
    ("SUPPORT", "read", "CLEAR", IN_AN_EMERGENCY, "EMERGENCY"),
    ("SECURITY", "read", "CLEAR", IN_AN_EMERGENCY, "EMERGENCY"),
    ("PRIVACY", "read", "CLEAR", IN_AN_EMERGENCY, "EMERGENCY"),
    ("SECURITY", "read", "CLEAR", "user.account.break_glass", "SECURITY"),
    ("SECURITY", "write", "CLEAR", "user.account.break_glass.review", "SECURITY"),
    ("SERVICE", "read", "CLEAR", EVERYTHING, TO_SERVICES),
    ("SERVICE", "write", "CLEAR", EVERYTHING, TO_SERVICES),
]

# The contract's words for categories, and the labels they mean.
WORDS: Final = {
    "id": "user.unique_id",
    "account": "user.account",
    "username": "user.account.username",
    "settings": "user.account.settings",
    "roles": "user.account.roles",
    "emergency access": "user.account.break_glass user.account.break_glass.review",
    "contact": "user.contact user.contact.email user.contact.phone_number user.contact.address",
    "contact.email": "user.contact.email",
    "name": "user.name user.name.first user.name.last",
    "birth date": "user.demographic.date_of_birth",
    "age band": "user.demographic.age_range",
    "language": "user.demographic.language",
    "location": "user.location user.location.imprecise user.location.precise",
    "imprecise location": "user.location.imprecise",
    "privacy preferences": "user.privacy_preferences",
    "device": "user.device user.device.device_id user.device.ip_address",
    "behavior": "user.behavior",
    "content": "user.content",
}
EVERY_WORD: Final = ", ".join(WORDS)

MAY_USE: Final = {
    "ACCOUNT": EVERY_WORD,
    "LEGAL": EVERY_WORD,
    "SUPPORT": (
        "account, username, settings, name, contact, imprecise location, language, age band, privacy preferences"
    ),
    "SECURITY": "username, name, contact, account, settings, emergency access, device, location, behavior",
    "ANALYTICS": "account, behavior, imprecise location, language, age band",
    "PERSONALISATION": "settings, behavior, language, imprecise location",
    "MARKETING": "contact.email, name, language, imprecise location, privacy preferences",
    "AI_TRAINING": "behavior, content",
    "EMERGENCY": "username, name, contact, account, imprecise location",
}

CREDENTIALS: Final = covered([Label.AUTHORIZATION])


def in_words(rule: Rule) -> tuple[str, str, str, str, str]:
    """A rule as a row of the copy."""
    labels = " ".join(map(str, rule.labels))
    return str(rule.who), str(rule.access), str(rule.outcome), labels, " ".join(rule.purposes)


def read_by(role: Role) -> frozenset[Label]:
    """All that a role's rules let it read, clear or masked, under any purpose."""
    rules = [r for r in RULES if r.who is role and r.access is Access.READ and r.outcome is not Outcome.DENIED]
    return frozenset(label for rule in rules for label in rule.covers)


def test_the_rules_are_those_written_here() -> None:
    """The rule table equals its copy, row by row."""
    assert [in_words(rule) for rule in RULES] == TABLE


@pytest.mark.parametrize("purpose", Purpose)
def test_a_purpose_may_use_the_labels_of_the_contract(purpose: Purpose) -> None:
    """Each purpose covers exactly the categories that the contract lists for it."""
    labels = {label for word in MAY_USE[purpose].split(", ") for label in WORDS[word].split()}
    assert {label.value for label in covered(PURPOSES[purpose].labels)} == labels


def test_an_emergency_alone_is_about_one_person() -> None:
    """Under it nobody lists people; under the others, whoever reads others may."""
    assert {purpose for purpose, spec in PURPOSES.items() if spec.one_person} == {Purpose.EMERGENCY}


def test_who_may_break_the_glass_may_be_lent_what_it_opens() -> None:
    """Asked for or not, no other purpose is ever lent, and to nobody else."""
    lent = {(role, asked) for role in Role for asked in (*Purpose, None) if purposes_lent(frozenset({role}), asked)}
    assert lent == {(role, Purpose.EMERGENCY) for role in (Role.SUPPORT, Role.SECURITY, Role.PRIVACY)}
    assert purposes_lent(frozenset(), Purpose.EMERGENCY) == frozenset()
    assert purposes_lent(frozenset(Role), Purpose.EMERGENCY) == {Purpose.EMERGENCY}


def test_every_purpose_has_a_spec() -> None:
    """The registry knows every purpose there is, and no other."""
    assert set(PURPOSES) == set(Purpose)


def test_every_label_has_a_spec() -> None:
    """The label table knows every label there is, and no other."""
    assert set(LABELS) == set(Label)


@pytest.mark.parametrize("purpose", Purpose)
def test_a_purpose_is_one_purpose(purpose: Purpose) -> None:
    """A name that needs the word "and" names two purposes."""
    assert "and" not in re.findall(r"\w+", PURPOSES[purpose].name.lower())


@pytest.mark.parametrize("role", Role)
def test_no_role_reads_everything(role: Role) -> None:
    """All rules of a role together leave personal labels out."""
    assert set(Label) - CREDENTIALS - {Label.UNIQUE_ID} - read_by(role)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(
    "label", [Label.BIRTH_DATE, Label.PRECISE_LOCATION, Label.CONTENT], ids=lambda label: str(label.value)
)
def test_no_role_reads_what_only_the_person_may(role: Role, label: Label) -> None:
    """Birth date, precise place and content of others are in no row of the contract's table for staff."""
    assert label not in read_by(role)


def test_no_role_is_forbidden() -> None:
    """A forbid for one role would make losing that role a gain, and one for SELF would make one's own row less."""
    assert {rule.who for rule in RULES if rule.outcome is Outcome.DENIED} == {Who.ANYONE, Who.SERVICE}


def test_nothing_is_permitted_to_everybody() -> None:
    """A permit for everybody would be one for nobody in particular, signed in or not."""
    assert [rule for rule in RULES if rule.who is Who.ANYONE and rule.outcome is not Outcome.DENIED] == []


@pytest.mark.parametrize("rule", [r for r in RULES if r.who not in (Who.ANYONE, Who.SERVICE)], ids=str)
def test_a_rule_permits_nothing_that_its_purpose_may_not_use(rule: Rule) -> None:
    """Such a permit would promise what is never given."""
    for purpose in rule.purposes:
        assert rule.covers <= covered(PURPOSES[purpose].labels)


@pytest.mark.parametrize(
    ("roles", "purposes"),
    [
        ("", "ACCOUNT SECURITY PERSONALISATION"),
        ("SUPPORT", "ACCOUNT SUPPORT"),
        ("ANALYST", "ACCOUNT ANALYTICS"),
        ("PRIVACY", "ACCOUNT LEGAL"),
        ("SECURITY", "ACCOUNT SECURITY"),
        ("ADMIN", "ACCOUNT"),
        ("SUPPORT ANALYST", "ACCOUNT SUPPORT ANALYTICS"),
        ("PRIVACY SECURITY ADMIN", "ACCOUNT LEGAL SECURITY"),
    ],
)
def test_a_token_carries_the_purposes_of_its_roles(roles: str, purposes: str) -> None:
    """Staff act for their roles' purposes, and for ACCOUNT on their own data."""
    assert purposes_of_person(frozenset(map(Role, roles.split()))) == set(map(Purpose, purposes.split()))


def test_every_role_has_a_purpose_to_act_for() -> None:
    """A role whose rules no purpose of its token reaches would be no role; an emergency has to be opened first."""
    for role in Role:
        carried = purposes_of_person(frozenset({role})) | {Purpose.EMERGENCY}
        assert {p for rule in RULES if rule.who is role for p in rule.purposes} <= carried


def test_no_role_carries_an_emergency() -> None:
    """Not even all of them together."""
    assert Purpose.EMERGENCY not in purposes_of_person(frozenset(Role))
    assert all(Purpose.EMERGENCY not in purposes_of_person(frozenset({role})) for role in Role)


def test_the_forbids_hold_by_themselves() -> None:
    """Were everything permitted to everybody, and every purpose to use it all, credentials would stay out."""
    permits = [permit(who, Label, Purpose, to=access) for who in (*Who, *Role) for access in Access]
    specs = {purpose: replace(spec, labels=tuple(Label)) for purpose, spec in PURPOSES.items()}
    policy = Policy("eu", [*permits, *(rule for rule in RULES if rule.outcome is Outcome.DENIED)], specs)
    shape = Shape(Kind.PERSON, roles=frozenset(Role), region="eu")
    for purpose, access in product(Purpose, Access):
        open_labels = {label for label in Label if policy.decide(shape, purpose, label, Relation.SELF, access)}
        assert open_labels == set(Label) - CREDENTIALS
