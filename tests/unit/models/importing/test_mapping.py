"""Which column means which field."""

from __future__ import annotations

import pytest

from models.errors import BadInput
from models.fields import labels_of
from models.importing.mapping import TARGETS, ColumnMapping, target_of
from models.user import UserDocument


def test_only_labelled_fields_can_be_imported_into() -> None:
    """Whatever a file holds, nothing is stored that carries no label."""
    assert set(TARGETS) <= set(labels_of(UserDocument))


def test_roles_consents_and_keys_are_not_imported() -> None:
    """A file cannot make anybody staff, nor give consent in anybody's name."""
    assert not {"roles", "consents", "_id", "username_key", "email_key", "age_band"} & set(TARGETS)


@pytest.mark.parametrize(
    ("column", "target"),
    [
        ("email", "email"),
        ("E-Mail", "email"),
        ("EMAIL_ADDRESS", "email"),
        ("givenName", "given_name"),
        ("First Name", "given_name"),
        ("address.postalCode", "address.postal_code"),
        ("zip", "address.postal_code"),
        ("preferences.theme", "preferences.theme"),
        ("id", "import_key"),
        ("password", "password_hash"),
        ("favouriteColour", None),
    ],
)
def test_columns_are_known_by_their_usual_names(column: str, target: str | None) -> None:
    """snake_case, camelCase, spaces and other systems' names all find the field."""
    assert ColumnMapping().target(column) == target


def test_an_explicit_column_wins_over_a_name() -> None:
    """`--map email=login` takes the address from `login`, and `email` is left out."""
    mapping = ColumnMapping(explicit={"email": "login"})
    assert mapping.columns(["login", "email", "id"]) == [(0, "email"), (2, "import_key")]
    assert mapping.unknown == {"email"}


def test_two_columns_for_one_field_need_a_word() -> None:
    """Which of `mail` and `email` is right cannot be guessed."""
    with pytest.raises(BadInput, match="--map email="):
        ColumnMapping().columns(["mail", "email"])


def test_an_explicit_column_must_be_there() -> None:
    """A mistyped `--map` is found before the first row."""
    with pytest.raises(BadInput, match="username"):
        ColumnMapping(explicit={"username": "nick"}).columns(["username", "email"])


def test_a_file_without_a_header_shows_nothing_of_its_first_row() -> None:
    """The first row of such a file holds values, and none of them is named."""
    mapping = ColumnMapping()
    with pytest.raises(BadInput) as caught:
        mapping.columns(["17", "Planted Value", "planted@example.org"])
    assert "lanted" not in caught.value.message
    assert not mapping.unknown


def test_a_column_name_that_may_be_a_value_is_not_shown() -> None:
    """JSON keys can be addresses; those are counted as unknown without being repeated."""
    mapping = ColumnMapping()
    mapping.target("planted@example.org")
    mapping.target("shoe size")
    assert mapping.unknown == {"(a column whose name cannot be shown)", "shoe size"}


def test_ever_new_keys_do_not_fill_memory() -> None:
    """What is remembered of unknown columns is bounded."""
    mapping = ColumnMapping()
    for number in range(5000):
        mapping.target(f"key {number}")
    assert len(mapping.unknown) <= 100
    assert len(mapping._targets) <= 1000


@pytest.mark.parametrize("name", ["given_name", "givenName", "Given Name"])
def test_a_field_may_be_spelled_either_way(name: str) -> None:
    """`--map givenName=...` and `--map given_name=...` mean the same."""
    assert target_of(name) == "given_name"


def test_an_unknown_field_is_answered_with_the_known_ones() -> None:
    """The caller learns what there is."""
    with pytest.raises(BadInput, match="given_name"):
        target_of("roles")
