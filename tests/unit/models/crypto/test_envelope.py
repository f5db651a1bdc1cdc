"""A sealed value opens at its place with its key, and nothing else does."""

from __future__ import annotations

import os
from dataclasses import fields, replace
from itertools import permutations
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.crypto.envelope import (
    NONCE_BYTES,
    OVERHEAD,
    Column,
    DataKey,
    DataKeys,
    Page,
    Row,
    SealBroken,
    Shelf,
    key_version_of,
)
from models.crypto.framing import framed
from tests.bindings import Binding, seal, unseal

HERE: Final = Binding("eu", "devices", "dev_eu_1", "usr_eu_1", "name")
SECRET: Final = bytes(range(32))
TEXT: Final = b'"Zo\xc3\xab\xe2\x80\x99s laptop"'
# What a value can be told apart from: parts that contain each other, and the characters that join things.
WORDS: Final = st.sampled_from(["", "a", "b", "ab", "a.b", "eu", "users", "email", "usr_eu_1", "\0", "\0\0\0\1a"])
BINDINGS: Final = st.builds(Binding, WORDS, WORDS, WORDS, WORDS, WORDS)


@pytest.fixture
def key() -> DataKey:
    """A person's first key."""
    return DataKey(SECRET, 1)


@given(st.binary(max_size=200), st.builds(Binding, *[st.text(max_size=20)] * 5), st.integers(1, 2**32 - 1))
def test_what_is_sealed_opens(text: bytes, binding: Binding, version: int) -> None:
    """Any bytes, at any place, under any version; the sealed value is 33 bytes longer."""
    key = DataKey(SECRET, version)
    sealed = seal(key, binding, text)
    assert unseal(key, binding, sealed) == text
    assert len(sealed) == len(text) + OVERHEAD
    assert key_version_of(sealed) == version


@given(BINDINGS, BINDINGS)
def test_it_opens_at_its_own_place_only(one: Binding, other: Binding) -> None:
    """However alike two places are when put together."""
    key = DataKey(SECRET, 1)
    sealed = seal(key, one, TEXT)
    if one == other:
        assert unseal(key, other, sealed) == TEXT
        return
    with pytest.raises(SealBroken):
        unseal(key, other, sealed)


@pytest.mark.parametrize("name", [field.name for field in fields(Binding)])
def test_it_is_bound_to_each_part_of_its_place(key: DataKey, name: str) -> None:
    """Region, collection, document, person and path."""
    sealed = seal(key, HERE, TEXT)
    for value in ("", "x", getattr(HERE, name) + "x", getattr(HERE, name)[:-1]):
        with pytest.raises(SealBroken):
            unseal(key, replace(HERE, **{name: value}), sealed)


def test_the_order_of_the_parts_counts(key: DataKey) -> None:
    """The same parts in any other order open nothing, at the place or in the additional data."""
    sealed = seal(key, HERE, TEXT)
    parts = [getattr(HERE, field.name) for field in fields(Binding)]
    for other in permutations(parts):
        if list(other) != parts:
            with pytest.raises(SealBroken):
                unseal(key, Binding(*other), sealed)
    all_parts = [b"\1", *parts, b"\0\0\0\1"]
    opened = 0
    for mixed in permutations(all_parts):
        end = Column("")
        end[sealed[:5]] = framed(mixed[-1])
        try:
            assert DataKeys([key]).open_at(Row(framed(*mixed[:-1])), end, sealed) == TEXT
        except SealBroken:
            continue
        opened += 1
        assert list(mixed) == all_parts
    assert opened == 1


def test_no_byte_can_be_changed(key: DataKey) -> None:
    """Each to another value, each bit of it."""
    sealed = seal(key, HERE, TEXT)
    for place in range(len(sealed)):
        for bit in range(8):
            changed = bytearray(sealed)
            changed[place] ^= 1 << bit
            with pytest.raises(SealBroken):
                unseal(key, HERE, bytes(changed))


def test_nothing_can_be_cut_off_or_added(key: DataKey) -> None:
    """At either end, to any length."""
    sealed = seal(key, HERE, TEXT)
    for length in range(len(sealed)):
        for cut in (sealed[:length], sealed[length + 1 :]):
            with pytest.raises(SealBroken):
                unseal(key, HERE, cut)
    for longer in (sealed + b"\0", b"\0" + sealed, sealed + sealed):
        with pytest.raises(SealBroken):
            unseal(key, HERE, longer)


def test_parts_of_two_values_do_not_go_together(key: DataKey) -> None:
    """The nonce of one, the ciphertext of another, the tag of either."""
    one, other = seal(key, HERE, b"0123456789"), seal(key, HERE, b"9876543210")
    for cut in (9, 5 + NONCE_BYTES, len(one) - 16):
        for mixed in (one[:cut] + other[cut:], other[:cut] + one[cut:]):
            with pytest.raises(SealBroken):
                unseal(key, HERE, mixed)


def test_another_key_opens_nothing(key: DataKey) -> None:
    """Neither another person's, nor one of a bit's difference, nor the same bytes as another version."""
    sealed = seal(key, HERE, TEXT)
    near = bytes([SECRET[0] ^ 1]) + SECRET[1:]
    for other in (DataKey(os.urandom(32), 1), DataKey(near, 1), DataKey(SECRET, 2)):
        with pytest.raises(SealBroken):
            unseal(other, HERE, sealed)


def test_a_version_cannot_be_claimed() -> None:
    """The same bytes under two versions: rewriting the number in front does not help."""
    sealed = seal(DataKey(SECRET, 1), HERE, TEXT)
    with pytest.raises(SealBroken):
        unseal(DataKey(SECRET, 2), HERE, sealed[:1] + b"\0\0\0\2" + sealed[5:])


@pytest.mark.parametrize("value", [b"", b"\1", b"plain", b"\2" + bytes(60), b"\0" * 60, b"{" * 40])
def test_what_is_no_sealed_value_does_not_open(key: DataKey, value: bytes) -> None:
    """One error with one code for all of it."""
    with pytest.raises(SealBroken) as caught:
        unseal(key, HERE, value)
    assert caught.value.code == "SEAL_BROKEN"
    with pytest.raises(SealBroken):
        key_version_of(value)
    with pytest.raises(SealBroken):
        DataKeys([key]).open_at(HERE.row, HERE.column, value)


@pytest.mark.parametrize("value", ["somebody@mail.example", None, 7, {"city": "Oslo"}, ["a"]], ids=repr)
def test_a_value_in_the_clear_does_not_open(key: DataKey, value: object) -> None:
    """What was stored before there were keys is not taken for a sealed value."""
    stored: Any = value  # what the types forbid, and a database can hold
    with pytest.raises(SealBroken):
        key_version_of(stored)
    with pytest.raises(SealBroken):
        unseal(key, HERE, stored)
    with pytest.raises(SealBroken):
        DataKeys([key]).open_at(HERE.row, HERE.column, stored)


def test_sealing_twice_gives_two_values(key: DataKey) -> None:
    """Equal values cannot be told by looking."""
    assert seal(key, HERE, TEXT) != seal(key, HERE, TEXT)


def nonces(count: int) -> set[bytes]:
    """Those of `count` sealed values of one key."""
    key, row, path = DataKey(SECRET, 1), HERE.row, HERE.column
    return {key.seal_at(row, path, b"")[5 : 5 + NONCE_BYTES] for _ in range(count)}


def test_no_nonce_comes_twice() -> None:
    """Among ten thousand values of one key."""
    assert len(nonces(10_000)) == 10_000


@pytest.mark.slow
def test_no_nonce_comes_twice_among_a_million() -> None:
    """Among a million values of one key; by chance it would take 2^48."""
    assert len(nonces(1_000_000)) == 1_000_000


def test_the_prepared_way_is_the_same(key: DataKey) -> None:
    """A shelf, its rows and the columns, kept for many values."""
    shelf, path = Shelf("eu", "devices"), Column("name")
    row = shelf.row("dev_eu_1", "usr_eu_1")
    assert unseal(key, HERE, key.seal_at(row, path, TEXT)) == TEXT
    assert DataKeys([key]).open_at(row, path, seal(key, HERE, TEXT)) == TEXT


def test_a_column_is_opened_in_order(key: DataKey) -> None:
    """With each document's own key, by any of its versions; one that does not open is enough to open none."""
    shelf, path, others = Shelf("eu", "devices"), Column("name"), [DataKey(os.urandom(32), 7), key]
    rows = [shelf.row(f"dev_eu_{number}", "usr_eu_1") for number in range(5)]
    page = Page(rows, [DataKeys([key]), DataKeys(others), DataKeys(others), DataKeys([key]), DataKeys([key])])
    sealed = [key.seal_at(row, path, bytes([place])) for place, row in enumerate(rows)]
    newer = [*sealed[:1], others[0].seal_at(rows[1], path, b"newer"), *sealed[2:]]
    for column in (sealed, newer):
        texts = [bytes([0]), b"newer" if column is newer else bytes([1]), *(bytes([place]) for place in (2, 3, 4))]
        assert page.open_at(path, column) == texts
        assert page.open_at(path, [None, *column[1:3], None, column[4]]) == [*texts[1:3], texts[4]]
        assert page.open_at(path, [None] * 5) == []
        for place in range(5):
            moved = [*column]
            moved[place] = column[place - 1]
            with pytest.raises(SealBroken):
                page.open_at(path, moved)


def test_of_two_keys_of_one_version_one_both_seals_and_opens() -> None:
    """However that came about: what is written can be read."""
    keys = DataKeys([DataKey(os.urandom(32), 1), DataKey(os.urandom(32), 1)])
    assert keys.open_at(HERE.row, HERE.column, seal(keys.newest, HERE, TEXT)) == TEXT


def test_a_version_that_one_person_lacks_opens_for_nobody(key: DataKey) -> None:
    """Of a page, where all values name it: whoever is asked says so."""
    shelf, path, other = Shelf("eu", "devices"), Column("name"), DataKey(os.urandom(32), 7)
    rows = [shelf.row(f"dev_eu_{number}", "usr_eu_1") for number in range(2)]
    sealed = [other.seal_at(row, path, TEXT) for row in rows]
    assert Page(rows, [DataKeys([key, other])] * 2).open_at(path, sealed) == [TEXT] * 2
    with pytest.raises(SealBroken):
        Page(rows, [DataKeys([key, other]), DataKeys([key])]).open_at(path, sealed)


@pytest.mark.parametrize("value", ["clear", {"city": "Oslo"}, ["a"], 1, b"short", b""], ids=repr)
def test_what_is_not_sealed_does_not_open(key: DataKey, value: Any) -> None:  # noqa: ANN401 - the point
    """Of any type, alone and beside others; and a version that no person has is not remembered."""
    path = Column("name")
    for each in (value, b"\1\0\0\0\7" + bytes(40)):
        with pytest.raises(SealBroken):
            Page([HERE.row], [DataKeys([key])]).open_at(path, [each])
        assert path == {}
        with pytest.raises(SealBroken):
            Page([HERE.row] * 2, [DataKeys([key])] * 2).open_at(path, [each, seal(key, HERE, TEXT)])
        assert len(path) <= 1
        path.clear()


def test_the_newest_key_seals_and_all_open() -> None:
    """While a person's key is being replaced."""
    keys = [DataKey(os.urandom(32), version) for version in (2, 258, 1)]
    ring = DataKeys(keys)
    assert ring.newest is keys[1]
    for key in keys:
        assert ring.open_at(HERE.row, HERE.column, seal(key, HERE, TEXT)) == TEXT
    with pytest.raises(SealBroken):
        ring.open_at(HERE.row, HERE.column, seal(DataKey(SECRET, 3), HERE, TEXT))
    with pytest.raises(ValueError, match="without a key"):
        DataKeys([])


@pytest.mark.parametrize(("size", "version"), [(16, 1), (31, 1), (33, 1), (0, 1), (32, 0), (32, -1), (32, 2**32)])
def test_a_key_has_32_bytes_and_a_version(size: int, version: int) -> None:
    """AES-128 by mistake would work just as well."""
    with pytest.raises(ValueError, match="32 bytes and a version"):
        DataKey(bytes(size), version)
