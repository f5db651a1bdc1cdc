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
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Final, NewType, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from models.crypto.framing import framed, framed_pairs
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
# Where the parts of a sealed value lie, made once: Python before 3.12 makes a slice anew for each use of `[a:b]`.
_NONCE: Final = slice(_HEADER, _BODY)
_CIPHERTEXT: Final = slice(_BODY, None)

Row = NewType("Row", bytes)  # the additional data of one document, up to the path
Opener = Callable[[bytes, bytes, bytes], bytes]

# What a cipher, or what leads to it, says of a value that is none: shorter than a nonce and a tag, no bytes at all, of
# a version that the person does not have (before `Column` makes anything of it), or not what was sealed.
_REFUSED: Final = (InvalidTag, KeyError, ValueError, TypeError)


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
        return self.rows([document], [person])[0]

    def rows(self, documents: Iterable[str], people: Iterable[str]) -> list[Row]:
        """The same of many documents, each with its person."""
        return cast("list[Row]", framed_pairs(self._start, documents, people))


class Column(dict[bytes, bytes]):
    """What the additional data of all values at `path` (`contact.email`) end with, by how the sealed value begins:
    format and version of the key. Made when first asked for; ask for versions that there are."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def __missing__(self, header: bytes) -> bytes:
        return self.setdefault(header, framed(self.path, header[len(_FORMAT) :]))


@lru_cache(maxsize=256)
def _header(version: int) -> bytes:
    """How what is sealed with that version begins: one object for the keys of all people."""
    return _FORMAT + version.to_bytes(VERSION_BYTES, "big")


class DataKey(KeyHolder):
    """One version of a person's key. Keeps the cipher only, not the bytes it was made of."""

    __slots__ = ("_cipher", "_header")

    def __init__(self, secret: bytes, version: int) -> None:
        if len(secret) != KEY_BYTES or not 0 < version < 1 << 8 * VERSION_BYTES:
            raise ValueError("a data key has 32 bytes and a version from 1")
        self._cipher, self._header = AESGCM(secret), _header(version)

    @property
    def version(self) -> int:
        return int.from_bytes(self._header[1:], "big")

    def seal_at(self, row: Row, column: Column, plaintext: bytes) -> bytes:
        """`plaintext` sealed for a place, under a new nonce."""
        # NOTE: random nonces are safe for 2^32 values of one key (SP 800-38D, section 8.3); a person has thousands.
        nonce = os.urandom(NONCE_BYTES)
        return self._header + nonce + self._cipher.encrypt(nonce, plaintext, row + column[self._header])


class DataKeys(KeyHolder):
    """All versions of one person's key that are alive: the newest seals, each opens what it has sealed.

    `used` is a note of whoever keeps it: whether it was asked for since.
    """

    __slots__ = ("newest", "openers", "used")

    def __init__(self, keys: Iterable[DataKey]) -> None:
        by_header = {key._header: key for key in keys}
        if not by_header:
            raise ValueError("a person without a key")
        self.used = False
        self.newest = by_header[max(by_header)]
        self.openers = {header: key._cipher.decrypt for header, key in by_header.items()}

    def open_at(self, row: Row, column: Column, sealed: bytes) -> bytes:
        """What was sealed for this place, by the version that the value names. Raises `SealBroken`."""
        try:
            header = sealed[:_HEADER]
            return self.openers[header](sealed[_NONCE], sealed[_CIPHERTEXT], row + column[header])
        except _REFUSED:
            pass
        raise SealBroken


class Page(KeyHolder):
    """Documents whose values are opened together, column by column: their rows, and the keys of their people."""

    __slots__ = ("_keys", "_openers", "_rows")

    def __init__(self, rows: Sequence[Row], keys: Sequence[DataKeys]) -> None:
        self._rows, self._keys = rows, keys
        self._openers: dict[bytes, list[Opener]] = {}

    def open_at(self, column: Column, sealed: Sequence[bytes | None]) -> list[bytes]:
        """What was sealed at one path of each document, None for those that have nothing there; their values alone.

        Raises `SealBroken` when one of them does not open.
        """
        # NOTE: one turn for each value of a page, so all that can be is done before.
        try:
            there = cast("Sequence[bytes]", sealed) if all(sealed) else [it for it in sealed if it is not None]
            if not there:
                return []
            # Those that lie, in order, between two that begin alike begin so too.
            header = min(there)[:_HEADER]
            if max(there)[:_HEADER] != header:
                return [
                    key.open_at(row, column, value)
                    for key, row, value in zip(self._keys, self._rows, sealed, strict=True)
                    if value is not None
                ]
            openers, end = self._by(header), column[header]
            return [
                decrypt(value[_NONCE], value[_CIPHERTEXT], row + end)
                for decrypt, row, value in zip(openers, self._rows, sealed, strict=True)
                if value is not None
            ]
        except _REFUSED:
            pass
        raise SealBroken

    def _by(self, header: bytes) -> list[Opener]:
        """What opens with the version that `header` names, of all people. Raises `KeyError`."""
        if header not in self._openers:
            self._openers[header] = [key.openers[header] for key in self._keys]
        return self._openers[header]


def key_version_of(sealed: bytes) -> int:
    """The version of the data key that `sealed` names, not yet proven. Raises `SealBroken` for another format."""
    if not is_sealed(sealed):
        raise SealBroken
    return int.from_bytes(sealed[1:_HEADER], "big")


def is_sealed(value: object) -> bool:
    """Whether `value` has the form of a sealed one; not whether it opens."""
    return isinstance(value, bytes) and len(value) >= OVERHEAD and value[0] == FORMAT
