"""Names that look alike have one skeleton; names in several scripts are told."""

from __future__ import annotations

from string import ascii_letters, digits
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import lookalikes
from models.errors import BadInput
from models.lookalikes import mixes_scripts, skeleton
from models.names import new_username

ASCII_NAME = st.text(st.sampled_from(ascii_letters + digits + "._-"), min_size=2, max_size=20)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("paypal", "PayPaI"),
        ("paypal", "paypa1"),
        ("tim", "tirn"),
        ("root", "r00t"),
        ("scope", "ѕсоре"),
        ("caxap", "сахар"),
        ("hem", "HERN"),
        ("straße", "straße"),
        ("josé", "jose\u0301"),
    ],
)
def test_what_looks_alike_has_one_skeleton(name: str, other: str) -> None:
    """Whatever the script, the case and the composition."""
    assert skeleton(name) == skeleton(other)


@pytest.mark.parametrize(("name", "other"), [("anna", "anne"), ("josé", "jose"), ("user1", "user2"), ("иван", "ivan")])
def test_what_does_not_look_alike_has_two(name: str, other: str) -> None:
    """Accents and other digits can be seen."""
    assert skeleton(name) != skeleton(other)


@given(ASCII_NAME)
def test_the_short_way_agrees_with_the_data(name: str) -> None:
    """Names in ASCII are mapped without reading the data."""
    assert skeleton(name) == normalize("NFD", name.translate(lookalikes._table()))


@given(st.text(max_size=30))
def test_a_skeleton_is_its_own(name: str) -> None:
    """Of what can be a name: names alike to a third are alike."""
    try:
        made = new_username(name)
    except BadInput:
        return
    assert skeleton(made.skeleton) == made.skeleton


@pytest.mark.parametrize(
    "name", ["東京タワー", "ひらがなカタカナ漢字abc", "abc한국漢字", "иванов7", "हिन्दी", "a.b_c-9", "Ελλάδα"]
)
def test_scripts_that_are_written_together(name: str) -> None:
    """One alone, and those of Japanese, Chinese and Korean with Latin."""
    assert not mixes_scripts(name)


@pytest.mark.parametrize("name", ["pаypal", "иvan", "abcα", "ひらがな한국", "x١2", "१2", "a\U000e0fffb\U00013000"])
def test_scripts_that_are_not(name: str) -> None:
    """Nor digits of two systems."""
    assert mixes_scripts(name)
