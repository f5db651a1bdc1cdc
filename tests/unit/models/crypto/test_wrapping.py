"""A wrapped key unwraps under its name with its wrapping key, and nothing else does."""

from __future__ import annotations

import os
from dataclasses import fields, replace
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.crypto.envelope import SealBroken
from models.crypto.wrapping import (
    WRAPPED_BYTES,
    KeyKind,
    KeyName,
    WrappingKey,
    rewrapped,
    wrapping_version_of,
)
from tests.bindings import Binding, seal, unseal

NAME: Final = KeyName(KeyKind.DATA, "eu", 1, "usr_eu_1")
SECRET: Final = bytes(range(64, 96))
PLACE: Final = Binding("eu", "users", "usr_eu_1", "usr_eu_1", "email")
NAMES: Final = st.builds(
    KeyName, st.sampled_from(KeyKind), st.sampled_from(["eu", "us", "e"]), st.integers(1, 3), st.sampled_from(["", "u"])
)


@pytest.fixture
def key() -> WrappingKey:
    """A key-encryption key."""
    return WrappingKey(bytes(range(32)), 7)


@given(NAMES, NAMES, st.binary(min_size=32, max_size=32))
def test_a_key_unwraps_under_its_own_name_only(one: KeyName, other: KeyName, secret: bytes) -> None:
    """Kind, region, owner and version; always 65 bytes."""
    key = WrappingKey(bytes(range(32)), 7)
    wrapped = key.wrap(one, secret)
    assert (len(wrapped), wrapping_version_of(wrapped)) == (WRAPPED_BYTES, 7) == (65, 7)
    if one == other:
        assert key.unwrap(other, wrapped) == secret
        return
    with pytest.raises(SealBroken):
        key.unwrap(other, wrapped)


@pytest.mark.parametrize("field", [field.name for field in fields(KeyName)])
def test_each_part_of_the_name_counts(key: WrappingKey, field: str) -> None:
    """A key of one person does not become another's by being moved."""
    changed: dict[str, Any] = {"kind": KeyKind.INDEX, "region": "us", "version": 2, "owner": "usr_eu_2"}
    wrapped = key.wrap(NAME, SECRET)
    with pytest.raises(SealBroken):
        key.unwrap(replace(NAME, **{field: changed[field]}), wrapped)


def test_no_byte_can_be_changed(key: WrappingKey) -> None:
    """Each bit of each."""
    wrapped = key.wrap(NAME, SECRET)
    for place in range(len(wrapped)):
        for bit in range(8):
            changed = bytearray(wrapped)
            changed[place] ^= 1 << bit
            with pytest.raises(SealBroken):
                key.unwrap(NAME, bytes(changed))


def test_other_lengths_are_refused(key: WrappingKey) -> None:
    """Cut off or added."""
    wrapped = key.wrap(NAME, SECRET)
    for other in (*(wrapped[:length] for length in range(len(wrapped))), wrapped + b"\0"):
        with pytest.raises(SealBroken):
            key.unwrap(NAME, other)


def test_another_wrapping_key_unwraps_nothing(key: WrappingKey) -> None:
    """Nor the same bytes under another version, whatever the wrapped key claims."""
    wrapped = key.wrap(NAME, SECRET)
    claimed = wrapped[:1] + b"\0\0\0\x08" + wrapped[5:]
    for other, blob in (
        (WrappingKey(os.urandom(32), 7), wrapped),
        (WrappingKey(bytes(range(32)), 8), wrapped),
        (WrappingKey(bytes(range(32)), 8), claimed),
    ):
        with pytest.raises(SealBroken):
            other.unwrap(NAME, blob)


def test_a_sealed_value_is_no_wrapped_key(key: WrappingKey) -> None:
    """Even of the same length, and the other way round."""
    data, wrapped = key.new_data_key(NAME)
    sealed = seal(data, PLACE, bytes(32))
    assert len(sealed) == len(wrapped)
    with pytest.raises(SealBroken):
        key.unwrap(NAME, sealed)
    with pytest.raises(SealBroken):
        unseal(data, PLACE, wrapped)


def test_a_new_data_key_is_there_and_wrapped(key: WrappingKey) -> None:
    """What it seals, the unwrapped one opens; every new one is another."""
    data, wrapped = key.new_data_key(NAME)
    again = key.data_key(NAME, wrapped)
    assert again.version == NAME.version
    assert unseal(again, PLACE, seal(data, PLACE, b"text")) == b"text"
    other, _ = key.new_data_key(NAME)
    with pytest.raises(SealBroken):
        unseal(other, PLACE, seal(data, PLACE, b"text"))


def test_rewrapping_keeps_the_key(key: WrappingKey) -> None:
    """The old wrapping key is not needed afterwards, and does not do any more."""
    new = WrappingKey(os.urandom(32), 8)
    wrapped = rewrapped(key, new, NAME, key.wrap(NAME, SECRET))
    assert new.unwrap(NAME, wrapped) == SECRET
    assert wrapping_version_of(wrapped) == 8
    with pytest.raises(SealBroken):
        key.unwrap(NAME, wrapped)


def test_a_nonce_that_repeats_shows_only_whether_two_are_equal(
    key: WrappingKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With plain GCM the difference of two keys would show: the ciphertexts' difference."""
    monkeypatch.setattr("os.urandom", bytes)
    other = bytes([SECRET[0] ^ 1]) + SECRET[1:]
    one, two = key.wrap(NAME, SECRET)[17:49], key.wrap(NAME, other)[17:49]
    assert sum(a != b for a, b in zip(one, two, strict=True)) > 20
    assert key.wrap(NAME, SECRET) == key.wrap(NAME, SECRET)


@pytest.mark.parametrize("size", [0, 16, 31, 33, 64])
def test_only_keys_of_32_bytes(key: WrappingKey, size: int) -> None:
    """To wrap and to wrap with."""
    with pytest.raises(ValueError, match="32 bytes"):
        key.wrap(NAME, bytes(size))
    with pytest.raises(ValueError, match="32 bytes"):
        WrappingKey(bytes(size), 1)


@pytest.mark.parametrize("version", [0, -1, 2**32])
def test_versions_begin_at_one(version: int) -> None:
    """And fit their four bytes."""
    with pytest.raises(ValueError, match="version"):
        WrappingKey(bytes(32), version)
