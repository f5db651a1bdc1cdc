"""Equal values have equal codes, within one field and one pepper."""

from __future__ import annotations

import os
from itertools import combinations
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.crypto.blind_index import BlindIndex, Entry, Pepper
from models.crypto.framing import framed
from models.errors import BadInput
from models.names import normalise_email

OLD, NEW = Pepper(bytes(range(32)), 1), Pepper(bytes(range(1, 33)), 2)
FIELD: Final = ("eu", "users", "email")


def index(*peppers: Pepper, field: tuple[str, str, str] = FIELD) -> BlindIndex:
    """Of email addresses."""
    return BlindIndex(*field, peppers, lambda text: normalise_email(text)[1])


def test_every_spelling_has_one_code() -> None:
    """Writing and looking up normalise alike, so they cannot differ."""
    email = index(OLD)
    spellings = ("Ada@Mail.Example", "ada@mail.example", "ADA@mail.example")
    assert len({entry["mac"] for each in spellings for entry in email.entries(each)}) == 1


@given(st.text(max_size=8), st.text(max_size=8))
def test_different_values_have_different_codes(one: str, other: str) -> None:
    """And equal ones equal codes."""
    plain = BlindIndex(*FIELD, [OLD], lambda text: text.encode("utf-8", "replace").decode())
    assert (plain.entries(one) == plain.entries(other)) is (
        one.encode("utf-8", "replace") == other.encode("utf-8", "replace")
    )


def test_each_field_and_pepper_has_a_key_of_its_own() -> None:
    """Also where names put together would be the same."""
    fields = [
        FIELD,
        ("us", "users", "email"),
        ("eu", "users", "phone"),
        ("eu", "user", "semail"),
        ("euu", "sers", "email"),
    ]
    keys = [pepper.key_for(*field) for field in fields for pepper in (OLD, NEW, Pepper(bytes(range(32)), 2))]
    assert len(set(keys)) == len(keys)
    assert {len(key) for key in keys} == {32}


def test_while_a_pepper_is_replaced_both_codes_are_written() -> None:
    """Oldest first, so that two writers write the same."""
    both = index(NEW, OLD)
    assert both.versions == (1, 2)
    assert both.entries("ada@mail.example") == index(OLD).entries("ada@mail.example") + index(NEW).entries(
        "ada@mail.example"
    )


def found(stored: list[Entry], asked: list[Entry]) -> bool:
    """Whether MongoDB would find a row with these entries (`models.sealing.lookup` asks for any of the codes)."""
    return any(entry["mac"] in [each["mac"] for each in asked] for entry in stored)


@pytest.mark.parametrize(
    ("writing", "asking"), [((OLD,), (OLD, NEW)), ((OLD, NEW), (OLD, NEW)), ((OLD, NEW), (OLD,)), ((OLD, NEW), (NEW,))]
)
def test_a_row_is_found_at_every_step_of_a_replacement(writing: tuple[Pepper, ...], asking: tuple[Pepper, ...]) -> None:
    """Workers that know of it and workers that do not yet, rows written before, in between and after."""
    stored = index(*writing).entries("ada@mail.example")
    assert found(stored, index(*asking).entries("Ada@mail.example"))
    assert not found(stored, index(*asking).entries("adb@mail.example"))


def test_two_that_write_at_once_meet_in_the_middle_of_a_replacement() -> None:
    """They have a code in common, so a unique index refuses one of them."""
    steps = [index(OLD), index(OLD, NEW), index(NEW)]
    for one, other in combinations(steps[:2], 2):
        codes = [{entry["mac"] for entry in each.entries("ada@mail.example")} for each in (one, other)]
        assert codes[0] & codes[1]
    codes = [{entry["mac"] for entry in each.entries("ada@mail.example")} for each in (steps[0], steps[2])]
    assert not codes[0] & codes[1]  # why a pepper is added, and the rows completed, before the old one goes


def test_what_cannot_be_normalised_is_refused() -> None:
    """By the normalising function's own error."""
    with pytest.raises(BadInput):
        index(OLD).entries("not an address")


def test_no_pepper_or_one_version_twice_is_a_mistake() -> None:
    """Nothing would be found, or half of it."""
    for peppers in ((), (OLD, Pepper(os.urandom(32), 1))):
        with pytest.raises(ValueError, match="peppers"):
            index(*peppers)


@pytest.mark.parametrize(("size", "version"), [(16, 1), (33, 1), (32, 0), (32, 2**32)])
def test_a_pepper_has_32_bytes_and_a_version(size: int, version: int) -> None:
    """A short one could be tried out."""
    with pytest.raises(ValueError, match="32 bytes"):
        Pepper(bytes(size), version)


def test_the_code_is_of_the_value_alone() -> None:
    """Not of its length and it: what `framed` adds belongs to the key."""
    plain = BlindIndex(*FIELD, [OLD], str)
    assert plain.entries("a") != plain.entries(framed("a").decode())
