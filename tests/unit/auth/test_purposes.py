"""The registry of purposes: what people are told, and which labels a pattern covers."""

from __future__ import annotations

from typing import Final

import pytest

from auth.purposes import ACCOUNT_ONLY, EVERYTHING, PURPOSES, Exactly, covered
from models.vocabulary import Label, LawfulBasis, Purpose

# use (fideslang 3.1), lawful basis, days kept, adults only, while restricted, one person
WRITTEN_OUT: Final = {
    "ACCOUNT": ("essential.service", "CONTRACT", 30, False, True, False),
    "SECURITY": ("essential.fraud_detection", "LEGITIMATE_INTERESTS", 90, False, True, False),
    "SUPPORT": ("essential.service.operations.support", "CONTRACT", 365, False, False, False),
    "ANALYTICS": ("functional.service.improve", "LEGITIMATE_INTERESTS", 365, False, False, False),
    "PERSONALISATION": ("personalize.content", "CONSENT", 180, True, False, False),
    "MARKETING": ("marketing.communications.email", "CONSENT", 365, True, False, False),
    "LEGAL": ("essential.legal_obligation", "LEGAL_OBLIGATION", 1095, False, True, False),
    "AI_TRAINING": ("train_ai_system", "CONSENT", 180, True, False, False),
    "EMERGENCY": ("essential.service.operations", "LEGITIMATE_INTERESTS", 90, False, False, True),
}


@pytest.mark.parametrize("purpose", Purpose)
def test_a_purpose_is_as_written_here(purpose: Purpose) -> None:
    """A change of basis, retention or condition is a change of policy."""
    spec = PURPOSES[purpose]
    conditions = (spec.adults_only, spec.while_restricted, spec.one_person)
    assert (spec.use, spec.basis.value, spec.retention_days, *conditions) == WRITTEN_OUT[purpose]


def test_consent_is_asked_where_the_contract_says_so() -> None:
    """Personalisation, marketing and training rest on consent, and nothing else does."""
    resting = {purpose for purpose, spec in PURPOSES.items() if spec.basis is LawfulBasis.CONSENT}
    assert resting == {Purpose.PERSONALISATION, Purpose.MARKETING, Purpose.AI_TRAINING}


@pytest.mark.parametrize("purpose", Purpose)
def test_people_are_told_in_sentences(purpose: Purpose) -> None:
    """What it is for and what refusing means, each a sentence; the name is none."""
    spec = PURPOSES[purpose]
    assert spec.name
    assert not spec.name.endswith(".")
    assert spec.description.endswith(".")
    assert spec.refusal.endswith(".")


def test_no_two_purposes_share_a_name() -> None:
    """People tell them apart by it."""
    assert len({spec.name for spec in PURPOSES.values()}) == len(PURPOSES)


def test_the_registry_cannot_be_changed() -> None:
    """It is a table, not a setting."""
    assert not hasattr(PURPOSES, "__setitem__")


def test_everything_is_all_but_credentials() -> None:
    """No category is forgotten, and authorization is left out whole."""
    assert covered(EVERYTHING) == set(Label) - {Label.AUTHORIZATION, Label.CREDENTIALS, Label.PASSWORD}


def test_a_label_covers_those_beneath_it() -> None:
    """`user.contact` covers email, phone and address, and itself."""
    assert covered([Label.CONTACT]) == {Label.CONTACT, Label.EMAIL, Label.PHONE, Label.ADDRESS}


def test_a_leaf_covers_itself() -> None:
    """And nothing above it."""
    assert covered([Label.EMAIL]) == {Label.EMAIL}


def test_exactly_one_label_covers_no_more() -> None:
    """The plain account is neither the user name nor the settings."""
    assert covered([ACCOUNT_ONLY]) == {Label.ACCOUNT}


def test_patterns_add_up() -> None:
    """Several patterns cover what any of them covers."""
    assert covered([Exactly(Label.ACCOUNT), Label.USERNAME]) == {Label.ACCOUNT, Label.USERNAME}


def test_no_pattern_covers_nothing() -> None:
    """Empty means nothing."""
    assert covered([]) == frozenset()


def test_exactly_shows_that_it_is() -> None:
    """In a decision's rule, `=user.account` is told from `user.account`."""
    assert str(ACCOUNT_ONLY) == "=user.account"
