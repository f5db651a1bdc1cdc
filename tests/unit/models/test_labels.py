"""The label table: how each category is stored, and what its mask shows."""

from __future__ import annotations

from typing import Final

import pytest

from models.labels import LABELS, Protection, mask_all, mask_email, mask_phone
from models.vocabulary import Label

# How the contract's table of fields says that each category is stored.
WAYS: Final = {
    "plain": (
        "user.unique_id user.account user.account.username user.account.settings user.account.roles "
        "user.account.break_glass user.account.break_glass.review user.demographic.age_range "
        "user.demographic.language user.location.imprecise user.privacy_preferences user.behavior"
    ),
    "encrypted": (
        "user.contact user.contact.email user.contact.phone_number user.contact.address user.name user.name.first "
        "user.name.last user.demographic.date_of_birth user.location user.location.precise user.device "
        "user.device.device_id user.device.ip_address user.content user.authorization.password"
    ),
    "hashed": "user.authorization user.authorization.credentials",
}
STORED: Final = {key: way for way, keys in WAYS.items() for key in keys.split()}


@pytest.mark.parametrize("label", Label)
def test_a_label_is_stored_as_the_contract_says(label: Label) -> None:
    """Plain, encrypted (with an index or without) or hashed; hashes of passwords are encrypted as well."""
    spec = LABELS[label]
    assert ("encrypted" if spec.encrypted else spec.protection.value) == STORED[label]


def test_people_are_found_by_their_email() -> None:
    """Encrypted, with a blind index for exact look-up."""
    assert LABELS[Label.EMAIL].protection is Protection.SEARCHABLE


def test_the_table_cannot_be_changed() -> None:
    """It is a table, not a setting."""
    assert not hasattr(LABELS, "__setitem__")


@pytest.mark.parametrize("label", Label)
def test_a_label_has_a_title_for_people(label: Label) -> None:
    """Not its key."""
    assert LABELS[label].title
    assert LABELS[label].title != label


def test_no_two_labels_share_a_title() -> None:
    """People tell categories apart by it."""
    assert len({spec.title for spec in LABELS.values()}) == len(LABELS)


@pytest.mark.parametrize("label", Label)
def test_only_credentials_are_kept_for_no_time(label: Label) -> None:
    """Retention is in days, and what is needed no more goes at once."""
    days = LABELS[label].retention_days
    assert days == 0 if Label.AUTHORIZATION.covers(label) else days > 0


@pytest.mark.parametrize(
    ("email", "masked"),
    [
        ("anna.smith@example.org", "a•••@•••.org"),
        ("jo@mail.example.co.uk", "j•••@•••.uk"),
        ("x@example.org", "•••@•••.org"),
        ("anna@localhost", "a•••@•••"),
        ('"a@b"@example.org', '"•••@•••.org'),
        ("élodie@exämple.fr", "é•••@•••.fr"),
    ],
)
def test_an_email_keeps_its_first_letter_and_top_level_domain(email: str, masked: str) -> None:
    """And its `@`; a local part of one letter is hidden whole."""
    assert mask_email(email) == masked


@pytest.mark.parametrize(
    ("phone", "masked"),
    [("+44 20 7946 0123", "•••23"), ("12345", "•••45"), ("+1 (555) 010-9", "•••09"), ("1234", "•••"), ("", "•••")],
)
def test_a_phone_keeps_its_last_two_digits(phone: str, masked: str) -> None:
    """A number of under five digits is hidden whole: two of them would be half of it."""
    assert mask_phone(phone) == masked


@pytest.mark.parametrize("value", ["", "a", "12 Long Street", 12, None, ["x"]])
def test_any_other_value_is_hidden_whole(value: object) -> None:
    """Not even its length shows."""
    assert mask_all(value) == "•••"


@pytest.mark.parametrize("label", [Label.ADDRESS, Label.CONTACT, Label.NAME, Label.BIRTH_DATE, Label.IP_ADDRESS])
def test_labels_without_a_mask_of_their_own_show_nothing(label: Label) -> None:
    """The default hides all."""
    assert LABELS[label].mask("2001-02-03") == "•••"


@pytest.mark.parametrize(
    ("upper", "lower", "covers"),
    [
        (Label.CONTACT, Label.EMAIL, True),
        (Label.CONTACT, Label.CONTACT, True),
        (Label.ACCOUNT, Label.USERNAME, True),
        (Label.LOCATION, Label.PRECISE_LOCATION, True),
        (Label.EMAIL, Label.CONTACT, False),
        (Label.EMAIL, Label.PHONE, False),
        (Label.CONTACT, Label.CONTENT, False),
        (Label.IMPRECISE_LOCATION, Label.PRECISE_LOCATION, False),
    ],
)
def test_a_category_covers_those_beneath_it(upper: Label, lower: Label, covers: bool) -> None:
    """Beneath is a matter of whole words of the key, not of letters."""
    assert upper.covers(lower) is covers
