"""User names and email addresses: one spelling, one key."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Literal

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from models import names
from models.errors import BadInput
from models.names import new_username, normalise_email, normalise_username

PIECE = st.text(st.sampled_from("aB3_+.-"), max_size=8)
LABEL = st.text(st.sampled_from("aB3-"), max_size=8)


@given(PIECE, st.lists(LABEL, max_size=3), st.sampled_from(["org", "Example", "x1", "test", "LOCAL", "c", "xn--p1ai"]))
def test_the_short_way_agrees_with_the_library(local: str, labels: list[str], top: str) -> None:
    """Plain addresses are not handed to email-validator; the outcome is what it would have said."""
    text = f"{local}@{'.'.join([*labels, top])}"
    try:
        expected = validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        with pytest.raises(BadInput):
            normalise_email(text)
    else:
        assert normalise_email(text) == (expected, expected.casefold())


@pytest.mark.parametrize(
    "text", ["", "a", "a@b@c.org", "a b@c.org", "a@localhost", "a@x.test", "a@" + "x" * 300 + ".org"]
)
def test_what_is_no_address_is_refused_without_its_text(text: str) -> None:
    """The message is shown and logged."""
    with pytest.raises(BadInput) as caught:
        normalise_email(text)
    assert caught.value.message == "This is not an email address."
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "key"),
    [("Anna", "anna"), ("Straße", "strasse"), ("ＡＢＣ", "abc"), ("हिन्दी", "हिन्दी"), ("a.b-c_d", "a.b-c_d")],
)
def test_a_user_name_has_one_key(text: str, key: str) -> None:
    """Case and compatibility forms do not make another name."""
    assert normalise_username(text)[1] == key


@pytest.mark.parametrize(
    "text", ["", "a", "a@b", "a b", ".a", "a.", "x" * 65, "a\u202eb", "ﷺ", "ﬁn", "אבa", "a\x00b", "a" + "\u0301" * 7]
)
def test_what_is_no_user_name_is_refused(text: str) -> None:
    """No space, no `@`, nothing invisible, no tower of marks."""
    with pytest.raises(BadInput):
        normalise_username(text)


def test_a_name_is_shown_in_the_case_it_was_given() -> None:
    """What is written wide is shown as the rest (RFC 8265, section 3.4)."""
    assert [normalise_username(text)[0] for text in ("AnNa", "Straße", "ＡＢＣ")] == ["AnNa", "Straße", "ABC"]


@pytest.mark.parametrize("text", ["pаypal", "Oльга", "ivan_иван", "x१2", "हिन्दी-a"])
def test_a_new_name_is_in_one_script(text: str) -> None:
    """But one that was stored before can be signed in with."""
    with pytest.raises(BadInput) as caught:
        new_username(text)
    assert text not in caught.value.message
    assert normalise_username(text)


@given(st.text(max_size=70))
def test_making_a_name_twice_changes_nothing(text: str) -> None:
    """What is shown is a name already, with the same key and the same looks."""
    try:
        made = new_username(text)
    except BadInput:
        return
    assert new_username(made.display) == made


@pytest.mark.parametrize("normalise", [normalise_username, normalise_email])
def test_what_is_far_too_long_is_refused_before_it_is_normalised(
    normalise: Callable[[str], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bringing 100,000 combining marks into order takes many seconds."""
    real = unicodedata.normalize

    def normalised(form: Literal["NFC", "NFKC"], text: str) -> str:
        assert len(text) < 2_000, f"{len(text)} characters are normalised"
        return real(form, text)

    monkeypatch.setattr(names, "normalize", normalised)
    monkeypatch.setattr(unicodedata, "normalize", normalised)
    with pytest.raises(BadInput):
        normalise("a" + "\u0301\u0316" * 50_000 + "@people.example")


def test_another_spelling_of_a_name_may_be_longer() -> None:
    """Decomposed letters are composed before they are counted."""
    assert normalise_username("e\u0302\u0323" * 64) == ("\u1ec7" * 64, "\u1ec7" * 64)
