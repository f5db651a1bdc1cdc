"""Different lists of parts never read the same."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.crypto.framing import framed, framed_pairs

PARTS = st.lists(st.binary(max_size=6), max_size=6)


def read(data: bytes) -> list[bytes]:
    """The parts again."""
    parts = []
    while data:
        size = int.from_bytes(data[:4], "big")
        parts.append(data[4 : 4 + size])
        data = data[4 + size :]
    return parts


@given(PARTS)
def test_the_parts_can_be_read_back(parts: list[bytes]) -> None:
    """So no two lists give the same bytes."""
    assert read(framed(*parts)) == parts


@given(PARTS, PARTS)
def test_what_lists_begin_with_can_be_framed_first(one: list[bytes], other: list[bytes]) -> None:
    """The bytes are the same."""
    assert framed(*one) + framed(*other) == framed(*one, *other)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=4) | st.integers(120, 140).map("x".__mul__)


@given(st.binary(max_size=140), st.lists(st.tuples(TEXTS, TEXTS), max_size=4))
@example(start=b"", pairs=[("a" * 127, "b" * 128)])
@example(start=b"\xc3", pairs=[("\x80", "")])
def test_pairs_are_framed_as_each_of_them(start: bytes, pairs: list[tuple[str, str]]) -> None:
    """Short or long, ASCII or not."""
    firsts, seconds = [first for first, _ in pairs], [second for _, second in pairs]
    assert framed_pairs(start, firsts, seconds) == [start + framed(*pair) for pair in pairs]


def test_pairs_need_as_many_of_both() -> None:
    """A row would be taken for another's otherwise."""
    with pytest.raises(ValueError, match="zip"):
        framed_pairs(b"", ["a", "b"], ["a"])


def test_lengths_are_those_of_the_bytes() -> None:
    """Not of the characters; in four bytes."""
    assert framed("Zoë", b"", "a") == b"\0\0\0\4Zo\xc3\xab\0\0\0\0\0\0\0\1a"
    assert framed() == b""


def test_a_lone_surrogate_is_refused() -> None:
    """It has no bytes of its own: replaced by another sign, two texts would be one."""
    with pytest.raises(UnicodeEncodeError):
        framed("\ud800")
    with pytest.raises(UnicodeEncodeError):
        framed_pairs(b"", ["a"], ["\ud800"])
