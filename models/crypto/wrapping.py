"""Wrapping keys with keys: AES-256-GCM-SIV (RFC 8452), bound to what the wrapped key is for.

A wrapped key is, in bytes: format (1), version of the wrapping key (4, big-endian, from 1), nonce (12, random),
ciphertext (32) and tag (16); 65 in all. The additional data are the format, the kind, the region, the owner and
the version of the wrapped key and the version of the wrapping key, each with its length before it. GCM-SIV, so
that a nonce which repeats (a copied machine, a broken source of randomness) gives no key away.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from models.crypto.envelope import KEY_BYTES, NONCE_BYTES, TAG_BYTES, VERSION_BYTES, DataKey, SealBroken
from models.crypto.framing import frame, framed
from models.crypto.secrecy import KeyHolder

FORMAT: Final = 2  # not that of a sealed value, so that neither is ever taken for the other
_FORMAT: Final = bytes([FORMAT])
_FRAMED_FORMAT: Final = framed(_FORMAT)
_HEADER: Final = 1 + VERSION_BYTES
_BODY: Final = _HEADER + NONCE_BYTES
WRAPPED_BYTES: Final = _BODY + KEY_BYTES + TAG_BYTES


class KeyKind(StrEnum):
    """What a wrapped key is for."""

    ENCRYPTION = "encryption"  # a key-encryption key: wraps the two below
    DATA = "data"  # seals the values of one person
    INDEX = "index"  # the pepper of blind indexes


@dataclass(frozen=True, slots=True)
class KeyName:
    """Which key it is. The owner is the person's id for a data key, and empty for the others."""

    kind: KeyKind
    region: str
    version: int
    owner: str = ""

    def framed(self) -> bytes:
        """The name in bytes, for additional data: `framed` kind, region, owner and version."""
        owner = self.owner.encode()
        return b"%b%b%b%b" % (_start(self.kind, self.region), frame(owner), owner, _end(self.version))


@lru_cache(maxsize=256)
def _start(kind: KeyKind, region: str) -> bytes:
    return framed(kind, region)


@lru_cache(maxsize=256)
def _end(version: int) -> bytes:
    return framed(version.to_bytes(VERSION_BYTES, "big"))


class WrappingKey(KeyHolder):
    """One version of a key that wraps keys. Keeps the cipher only, not the bytes it was made of."""

    __slots__ = ("_cipher", "_number", "version")

    def __init__(self, secret: bytes, version: int) -> None:
        if len(secret) != KEY_BYTES or not 0 < version < 1 << 8 * VERSION_BYTES:
            raise ValueError("a wrapping key has 32 bytes and a version from 1")
        self._cipher, self.version = AESGCMSIV(secret), version
        self._number = version.to_bytes(VERSION_BYTES, "big")

    def wrap(self, name: KeyName, secret: bytes) -> bytes:
        """The 32 bytes of the key `name`, wrapped."""
        if len(secret) != KEY_BYTES:
            raise ValueError("only keys of 32 bytes are wrapped")
        nonce = os.urandom(NONCE_BYTES)
        return _FORMAT + self._number + nonce + self._cipher.encrypt(nonce, secret, self._data(name))

    def unwrap(self, name: KeyName, wrapped: bytes) -> bytes:
        """The bytes of the key that was wrapped as `name` by this key. Raises `SealBroken` for anything else."""
        if wrapping_version_of(wrapped) == self.version:
            try:
                return self._cipher.decrypt(wrapped[_HEADER:_BODY], wrapped[_BODY:], self._data(name))
            except InvalidTag:
                pass
        raise SealBroken

    def new_data_key(self, name: KeyName) -> tuple[DataKey, bytes]:
        """A new data key from the system's random source, ready and wrapped."""
        secret = secrets.token_bytes(KEY_BYTES)
        return DataKey(secret, name.version), self.wrap(name, secret)

    def data_key(self, name: KeyName, wrapped: bytes) -> DataKey:
        """The data key that was wrapped as `name`. Raises `SealBroken`."""
        return DataKey(self.unwrap(name, wrapped), name.version)

    def _data(self, name: KeyName) -> bytes:
        return _FRAMED_FORMAT + name.framed() + _end(self.version)


def wrapping_version_of(wrapped: bytes) -> int:
    """The version of the key that wrapped, not yet proven. Raises `SealBroken` for what is no wrapped key."""
    if not isinstance(wrapped, bytes) or len(wrapped) != WRAPPED_BYTES or wrapped[0] != FORMAT:
        raise SealBroken
    return int.from_bytes(wrapped[1:_HEADER], "big")


def rewrapped(old: WrappingKey, new: WrappingKey, name: KeyName, wrapped: bytes) -> bytes:
    """The same key, from under `old` to under `new`. Raises `SealBroken`."""
    return new.wrap(name, old.unwrap(name, wrapped))
