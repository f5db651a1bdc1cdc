"""What a sign-in name means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.names import login_key, normalise_email, normalise_username, spelling
from models.errors import BadInput


@pytest.mark.parametrize(
    ("login", "meaning"),
    [
        ("Alice", ("username_key", "alice")),
        ("ALICE@Wonderland.Example", ("email", "alice@wonderland.example")),
        ("Straße", ("username_key", "strasse")),
    ],
)
def test_an_at_sign_tells_an_address_from_a_user_name(login: str, meaning: tuple[str, str]) -> None:
    """The look-up goes to exactly one unique key, in its normal form."""
    assert login_key(login) == meaning


@pytest.mark.parametrize("login", ["", "@", "a b", "x" * 255, "a@" * 200, "ali\0ce", "$where", "{'$gt': ''}"])
def test_what_is_neither_is_refused_without_being_repeated(login: str) -> None:
    """The message holds nothing of what was typed."""
    with pytest.raises(BadInput) as refused:
        login_key(login)
    assert len(login) < 4 or login not in refused.value.message


@given(st.text(max_size=70))
def test_normalising_a_user_name_twice_changes_nothing(text: str) -> None:
    """The form that is shown is already normal, and keeps its key."""
    try:
        display, key = normalise_username(text)
    except BadInput:
        return
    assert normalise_username(display) == (display, key)


@given(st.emails())
def test_normalising_an_address_twice_changes_nothing(text: str) -> None:
    """The form that is shown is already normal, and keeps its key."""
    try:
        display, key = normalise_email(text)
    except BadInput:
        return
    assert normalise_email(display) == (display, key)


def test_attempts_are_counted_by_one_key_per_name() -> None:
    """All spellings of a name have one, other names have others, and what is no name has itself, cut short."""
    assert spelling("Straße") == spelling("STRASSE")
    assert spelling("Al@People.example") == spelling("al@people.example") != spelling("al")
    assert spelling("\0" + "x" * 999) == "\0" + "x" * 255
