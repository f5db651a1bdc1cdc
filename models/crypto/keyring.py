"""The local provider of root keys: a file of versioned 256-bit keys.

The file is a JWK Set (RFC 7517) of symmetric keys (RFC 7518, section 6.4), mode 0600 inside a folder of mode
0700, outside the data folder: who copies the data must not get the key along with it. It is read anew for each
use, so a root key is in memory only while it wraps, and a change is seen by all workers at once.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, ParamSpec

from models.crypto.envelope import KEY_BYTES, VERSION_BYTES
from models.crypto.framing import framed
from models.crypto.private_file import PrivateFile
from models.crypto.roots import RootKeyMissing, RootKeysUnavailable, RootVersions, Wrapped
from models.crypto.secrecy import KeyHolder
from models.crypto.wrapping import KeyName, WrappingKey
from models.errors import BadInput, ConfigurationError

Asked = ParamSpec("Asked")

_CHECK: Final = "fieldward root key"
_CHECK_CHARACTERS: Final = 8


class RootKey(KeyHolder):
    """One root key. Its name is the version and a check value of both, so that the first key of another
    installation is not taken for the first of this one."""

    __slots__ = ("_secret", "version")

    def __init__(self, version: int, secret: bytes) -> None:
        self.version, self._secret = version, secret

    @property
    def name(self) -> str:
        check = hmac.digest(self._secret, framed(_CHECK, str(self.version)), "sha256").hex()[:_CHECK_CHARACTERS]
        return f"{self.version}-{check}"

    @classmethod
    def generate(cls, version: int) -> RootKey:
        """A new key from the system's random source."""
        return cls(version, secrets.token_bytes(KEY_BYTES))

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> RootKey:
        """The key that `record` wrote. Raises `ValueError`, `KeyError` or `TypeError` for anything else."""
        key = cls(int(record["kid"].partition("-")[0]), urlsafe_b64decode(record["k"] + "="))
        if (record["kty"], len(key._secret), record["kid"]) != ("oct", KEY_BYTES, key.name):
            raise ValueError("not a root key")
        if not 0 < key.version < 1 << 8 * VERSION_BYTES:
            raise ValueError("not a version")
        return key

    def record(self) -> dict[str, str]:
        """The whole key, as the file holds it."""
        return {"kty": "oct", "kid": self.name, "k": urlsafe_b64encode(self._secret).rstrip(b"=").decode()}

    def wrapping(self) -> WrappingKey:
        """Ready to wrap."""
        return WrappingKey(self._secret, self.version)


class Keyring(KeyHolder):
    """The root keys of a file, oldest first, never empty. The newest wraps."""

    __slots__ = ("keys",)

    def __init__(self, keys: tuple[RootKey, ...]) -> None:
        self.keys = keys

    def get(self, name: str) -> RootKey | None:
        """The key of that name, if it is here."""
        return next((key for key in self.keys if key.name == name), None)

    def rotated(self) -> Keyring:
        """With a new key that wraps from now on; the others still unwrap."""
        return Keyring((*self.keys, RootKey.generate(self.keys[-1].version + 1)))

    def without(self, name: str) -> Keyring:
        """Without the key of that name: what is still wrapped by it is lost. Raises `BadInput`."""
        if self.get(name) is None:
            raise BadInput("There is no such root key.")
        if name == self.keys[-1].name:
            raise BadInput("This is the root key in use. Rotate first, then retire the old one.")
        return Keyring(tuple(key for key in self.keys if key.name != name))

    def versions(self) -> RootVersions:
        """The names of the keys."""
        names = tuple(key.name for key in self.keys)
        return RootVersions(names[-1], names)

    @classmethod
    def from_bytes(cls, content: bytes) -> Keyring:
        """What `to_bytes` wrote. Raises `ValueError`, `KeyError` or `TypeError` for anything else."""
        keys = sorted(map(RootKey.from_record, json.loads(content)["keys"]), key=lambda key: key.version)
        if not keys or len({key.version for key in keys}) != len(keys):
            raise ValueError("not a keyring")
        return cls(tuple(keys))

    def to_bytes(self) -> bytes:
        """The file's content."""
        return json.dumps({"keys": [key.record() for key in self.keys]}).encode()


class KeyringFile:
    """`RootKeys` by the file at `path`, which may not lie in the folder `apart_from`."""

    def __init__(self, path: Path, *, apart_from: Path) -> None:
        self._path, self._apart_from = path, apart_from
        self._file = PrivateFile(path, "root keys")

    def load(self) -> Keyring:
        """The keys in the file. Raises `ConfigurationError` when it cannot be used or lies in the wrong place."""
        self._refuse_place()
        return self._usable(_keyring(self._file.read()))

    def load_or_create(self) -> Keyring:
        """As `load`; the file is made with one key when there is none.

        NOTE: only for the first start. Where keys were wrapped before, a new root key opens none of them.
        """
        self._refuse_place()
        return self._usable(_keyring(self._file.read_or_create(Keyring((RootKey.generate(1),)).to_bytes)))

    def change(self, changed: Callable[[Keyring], Keyring]) -> Keyring:
        """Replace the keys by what `changed` makes of them; of two changes at once one waits."""
        self._refuse_place()

        def rewritten(content: bytes) -> bytes:
            ring = _keyring(content)
            del content  # a traceback may show a frame's variables
            return changed(self._usable(ring)).to_bytes()

        return self._usable(_keyring(self._file.change(rewritten)))

    async def wrap(self, name: KeyName, secret: bytes) -> Wrapped:
        """See `RootKeys`."""
        key = (await self._read()).keys[-1]
        return Wrapped(key.name, key.wrapping().wrap(name, secret))

    async def unwrap(self, name: KeyName, wrapped: Wrapped) -> bytes:
        """See `RootKeys`."""
        key = (await self._read()).get(wrapped.root)
        if key is None:
            raise RootKeyMissing(
                f"The root key {wrapped.root} is not in {self._path}. Restore that file from its backup."
            )
        return key.wrapping().unwrap(name, wrapped.blob)

    async def versions(self) -> RootVersions:
        """See `RootKeys`."""
        return (await self._read()).versions()

    async def rotate(self) -> RootVersions:
        """See `RootKeys`."""
        return (await _usable_now(self.change, Keyring.rotated)).versions()

    async def retire(self, name: str) -> None:
        """See `RootKeys`. The key is gone from the file, so only a backup of it brings it back."""
        await _usable_now(self.change, lambda ring: ring.without(name))

    async def _read(self) -> Keyring:
        return await _usable_now(self.load)

    def _usable(self, keyring: Keyring | None) -> Keyring:
        if keyring is None:
            raise ConfigurationError(
                f"The file {self._path} is not a ring of root keys. Restore it from its backup: without it nothing "
                "that is encrypted can be read."
            )
        return keyring

    def _refuse_place(self) -> None:
        if self._path.resolve().is_relative_to(self._apart_from.resolve()):
            raise ConfigurationError(
                f"The root keys at {self._path} would lie inside the data folder {self._apart_from}: whoever copies "
                "the data would have the keys to it. Choose another place for them."
            )


async def _usable_now(work: Callable[Asked, Keyring], *arguments: Asked.args, **named: Asked.kwargs) -> Keyring:
    """What `work` gives in a thread. Once the service runs, a file that cannot be used is a provider that is down."""
    try:
        return await asyncio.to_thread(work, *arguments, **named)
    except ConfigurationError as error:
        raise RootKeysUnavailable(error.message) from None


def _keyring(content: bytes) -> Keyring | None:
    # NOTE: an error of the parser would carry the content along; none leaves this function.
    try:
        return Keyring.from_bytes(content)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
