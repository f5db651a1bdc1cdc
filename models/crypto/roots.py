"""Root keys: what a provider of them can do, wherever it keeps them (a file, a key management service)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from models.crypto.wrapping import KeyName
from models.errors import FieldwardError


class RootKeysUnavailable(FieldwardError):
    """The provider cannot be used now. The message says which it is and why, for operators."""

    code = "KEYS_UNAVAILABLE"


class RootKeyMissing(FieldwardError):
    """The provider works, and has no longer, or never had, the root key that a key was wrapped with."""

    code = "ROOT_KEY_MISSING"


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A key-encryption key as it is stored: wrapped, and the provider's name for the root key that did it."""

    root: str
    blob: bytes


@dataclass(frozen=True, slots=True)
class RootVersions:
    """The provider's names of its root keys: the one that wraps now, and all that unwrap."""

    current: str
    alive: tuple[str, ...]


class RootKeys(Protocol):
    """A provider of root keys. It wraps key-encryption keys only, so it is asked seldom.

    What is wrapped is bound to its `KeyName`: as additional data, or as an encryption context. All raise
    `RootKeysUnavailable`.
    """

    async def wrap(self, name: KeyName, secret: bytes) -> Wrapped:
        """The 32 bytes of the key `name`, wrapped by the current root key."""
        ...

    async def unwrap(self, name: KeyName, wrapped: Wrapped) -> bytes:
        """The bytes of the key that was wrapped as `name`. Raises `RootKeyMissing`, or `SealBroken` when this
        is not what was wrapped."""
        ...

    async def versions(self) -> RootVersions:
        """Which root keys there are now; also tells whether the provider can be used."""
        ...

    async def rotate(self) -> RootVersions:
        """Let a new root key wrap from now on; the others still unwrap.

        Each call makes one, so an interrupted rotation goes on with wrapping anew what `versions().current` has
        not wrapped, and calls this only when there is nothing such. Raises `BadInput`, which says how it is done,
        where the key is chosen by configuration (AWS KMS).
        """
        ...

    async def retire(self, name: str) -> None:
        """Let the root key `name`, which wraps no longer, stop unwrapping: what is still wrapped by it is lost.

        Raises `BadInput` for the one in use, for one that is not there, and where the provider leaves this to
        its own administration (AWS KMS).
        """
        ...
