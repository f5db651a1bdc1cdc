"""Sealing values with a person's data key: AES-256-GCM (NIST SP 800-38D), bound to the place they are stored at.

A sealed value is, in bytes (docs/encryption.md has an example):

    1   format, 1
    4   version of the data key, big-endian, from 1
    12  nonce, random for each value
    n   ciphertext, as long as the value
    16  tag

The additional data are the format, the region, the collection, the document's id, the person's id, the path of
the field and the key's version, each with its length before it. A value that was moved to another of these
does not open.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NewType

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from models.crypto.framing import framed
from models.crypto.secrecy import KeyHolder
from models.errors import FieldwardError

FORMAT: Final = 1
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
VERSION_BYTES: Final = 4
OVERHEAD: Final = 1 + VERSION_BYTES + NONCE_BYTES + TAG_BYTES
_HEADER: Final = 1 + VERSION_BYTES
_BODY: Final = _HEADER + NONCE_BYTES
_FORMAT: Final = bytes([FORMAT])

Row = NewType("Row", bytes)  # the additional data of one document, up to the path
Column = NewType("Column", bytes)  # those of one path


class SealBroken(FieldwardError):
    """What was to be opened is not what was sealed for this place with this key. Says no more than that."""

    code = "SEAL_BROKEN"

    def __init__(
        self, message: str = "A stored value cannot be opened: it was changed or moved, or its key is another."
    ) -> None:
        super().__init__(message)


class Shelf:
    """One collection of one region: what all bindings in it begin with, made once."""

    __slots__ = ("_start",)

    def __init__(self, region: str, collection: str) -> None:
        self._start = framed(_FORMAT, region, collection)

    def row(self, document: str, person: str) -> Row:
        """The part that all values of one document share."""
        return Row(self._start + framed(document, person))


def column(path: str) -> Column:
    """The part that all values of one path (`contact.email`) share."""
    return Column(framed(path))


@dataclass(frozen=True, slots=True)
class Binding:
    """Where one value is stored. For many values at once, `row` and `column` are kept instead."""

    region: str
    collection: str
    document: str
    person: str
    path: str

    @property
    def row(self) -> Row:
        return Shelf(self.region, self.collection).row(self.document, self.person)

    @property
    def column(self) -> Column:
        return column(self.path)


class DataKey(KeyHolder):
    """One version of a person's key. Keeps the cipher only, not the bytes it was made of."""

    __slots__ = ("_cipher", "_header", "_tail")

    def __init__(self, secret: bytes, version: int) -> None:
        if len(secret) != KEY_BYTES or not 0 < version < 1 << 8 * VERSION_BYTES:
            raise ValueError("a data key has 32 bytes and a version from 1")
        number = version.to_bytes(VERSION_BYTES, "big")
        self._cipher, self._header, self._tail = AESGCM(secret), _FORMAT + number, framed(number)

    @property
    def version(self) -> int:
        return int.from_bytes(self._header[1:], "big")

    def seal(self, binding: Binding, plaintext: bytes) -> bytes:
        """`plaintext` sealed for the place that `binding` names, under a new nonce."""
        return self.seal_at(binding.row, binding.column, plaintext)

    def open(self, binding: Binding, sealed: bytes) -> bytes:
        """What was sealed for this place with this key. Raises `SealBroken` for anything else."""
        return self.open_at(binding.row, binding.column, sealed)

    def seal_at(self, row: Row, column: Column, plaintext: bytes) -> bytes:
        """As `seal`, with the two halves of the binding prepared."""
        # NOTE: random nonces are safe for 2^32 values of one key (SP 800-38D, section 8.3); a person has thousands.
        nonce = os.urandom(NONCE_BYTES)
        return self._header + nonce + self._cipher.encrypt(nonce, plaintext, row + column + self._tail)

    def open_at(self, row: Row, column: Column, sealed: bytes) -> bytes:
        """As `open`, with the two halves of the binding prepared."""
        # NOTE: fewer bytes than a nonce and a tag are refused by the cipher, a wrong type by the slices.
        try:
            if sealed[:_HEADER] == self._header:
                return self._cipher.decrypt(sealed[_HEADER:_BODY], sealed[_BODY:], row + column + self._tail)
        except (InvalidTag, ValueError, TypeError):
            pass
        raise SealBroken


class DataKeys(KeyHolder):
    """All versions of one person's key that are alive: the newest seals, each opens what it has sealed."""

    __slots__ = ("_openers", "newest")

    def __init__(self, keys: Iterable[DataKey]) -> None:
        by_header = {key._header: key for key in keys}
        if not by_header:
            raise ValueError("a person without a key")
        self.newest = by_header[max(by_header)]
        self._openers = {header: (key._cipher.decrypt, key._tail) for header, key in by_header.items()}

    def open_at(self, row: Row, column: Column, sealed: bytes) -> bytes:
        """As `DataKey.open_at`, by the version that the value names."""
        # NOTE: called for each value of a page, so it does not go through `DataKey`.
        try:
            decrypt, tail = self._openers[sealed[:_HEADER]]
            return decrypt(sealed[_HEADER:_BODY], sealed[_BODY:], row + column + tail)
        except (InvalidTag, KeyError, ValueError, TypeError):
            pass
        raise SealBroken


def key_version_of(sealed: bytes) -> int:
    """The version of the data key that `sealed` names, not yet proven. Raises `SealBroken` for another format."""
    if not is_sealed(sealed):
        raise SealBroken
    return int.from_bytes(sealed[1:_HEADER], "big")


def is_sealed(value: object) -> bool:
    """Whether `value` has the form of a sealed one; not whether it opens."""
    return isinstance(value, bytes) and len(value) >= OVERHEAD and value[0] == FORMAT
