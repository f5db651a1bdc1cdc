"""Blind indexes: finding an encrypted value by an equal one, without storing it (HMAC-SHA-256, RFC 2104).

Each field has keys of its own, derived by HKDF-SHA-256 (RFC 5869) from a versioned secret, the pepper, so that
equal values of two fields have different codes. While a pepper is being replaced, both are alive: what is
written carries the codes of both, so that a unique index holds at every moment.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from typing import Final, TypedDict

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from models.crypto.envelope import KEY_BYTES, VERSION_BYTES
from models.crypto.framing import framed
from models.crypto.secrecy import KeyHolder

_USE: Final = "fieldward blind index"


class Entry(TypedDict):
    """One code as it is stored: the pepper's version and the 32 bytes."""

    v: int
    mac: bytes


class Pepper(KeyHolder):
    """One version of the secret that blind indexes derive their keys from."""

    __slots__ = ("_secret", "version")

    def __init__(self, secret: bytes, version: int) -> None:
        if len(secret) != KEY_BYTES or not 0 < version < 1 << 8 * VERSION_BYTES:
            raise ValueError("a pepper has 32 bytes and a version from 1")
        self._secret, self.version = secret, version

    def key_for(self, region: str, collection: str, path: str) -> bytes:
        """The 32 bytes that the codes of one field are made with."""
        info = framed(_USE, region, collection, path, self.version.to_bytes(VERSION_BYTES, "big"))
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=info).derive(self._secret)


class BlindIndex(KeyHolder):
    """The index of one field. `normalise` makes one spelling of all that count as equal; writing and looking up
    both go through it, and what it raises is raised."""

    __slots__ = ("_keys", "_normalise")

    def __init__(
        self, region: str, collection: str, path: str, peppers: Iterable[Pepper], normalise: Callable[[str], str]
    ) -> None:
        ordered = sorted(peppers, key=lambda pepper: pepper.version)
        self._keys = {pepper.version: pepper.key_for(region, collection, path) for pepper in ordered}
        if not self._keys or len(self._keys) != len(ordered):
            raise ValueError("a blind index needs peppers, each version once")
        self._normalise = normalise

    @property
    def versions(self) -> tuple[int, ...]:
        """The versions that are alive, oldest first."""
        return tuple(self._keys)

    def entries(self, value: str) -> list[Entry]:
        """What is stored for `value`: one code for each version that is alive, oldest first."""
        message = self._normalise(value).encode()
        return [Entry(v=version, mac=hmac.digest(key, message, "sha256")) for version, key in self._keys.items()]
