"""Different lists of parts never read the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.crypto.framing import framed

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


def test_lengths_are_those_of_the_bytes() -> None:
    """Not of the characters; in four bytes."""
    assert framed("Zoë", b"", "a") == b"\0\0\0\4Zo\xc3\xab\0\0\0\0\0\0\0\1a"
    assert framed() == b""


def test_a_lone_surrogate_is_refused() -> None:
    """It has no bytes of its own: replaced by another sign, two texts would be one."""
    with pytest.raises(UnicodeEncodeError):
        framed("\ud800")
