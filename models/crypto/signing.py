"""Ed25519 signing keys (RFC 8032), kept in a file apart from the database.

The file is a JWK Set (RFC 7517) with private keys, mode 0600 inside a folder of mode 0700. The first
key signs, all of them verify, so that a new key can be put in front while tokens of the old one live on.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models.errors import ConfigurationError

_FOLDER_MODE: Final = 0o700
_FILE_MODE: Final = 0o600
_OTHERS: Final = 0o077
_SEED_BYTES: Final = 32


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class SigningKey:
    """One private key; `kid` is its public half's thumbprint (RFC 7638). Its `repr` shows only that."""

    kid: str
    _seed: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> SigningKey:
        """A new key from the system's random source."""
        return cls.from_seed(secrets.token_bytes(_SEED_BYTES))

    @classmethod
    def from_seed(cls, seed: bytes) -> SigningKey:
        """The key with the private 32 bytes `seed` (RFC 8032, section 5.1.5)."""
        members = {"crv": "Ed25519", "kty": "OKP", "x": _public(seed)}
        digest = sha256(json.dumps(members, separators=(",", ":"), sort_keys=True).encode()).digest()
        return cls(_encode(digest), seed)

    def public_jwk(self) -> dict[str, str]:
        """The public key as a JWK (RFC 8037; `alg` as RFC 9864 names it), to be shown to anybody."""
        return {
            "kty": "OKP",
            "crv": "Ed25519",
            "use": "sig",
            "alg": "Ed25519",
            "kid": self.kid,
            "x": _public(self._seed),
        }

    def private_jwk(self) -> dict[str, str]:
        """The whole key as a JWK. Only for the signing code and the key file."""
        return {**self.public_jwk(), "d": _encode(self._seed)}

    def __repr__(self) -> str:
        return f"SigningKey(kid={self.kid!r})"


@dataclass(frozen=True, slots=True, eq=False)
class SigningRing:
    """The keys in use, never empty: the first signs, all verify."""

    keys: tuple[SigningKey, ...]

    @property
    def current(self) -> SigningKey:
        return self.keys[0]

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public JWK Set (RFC 7517, section 5)."""
        return {"keys": [key.public_jwk() for key in self.keys]}


def load_or_create(path: Path) -> SigningRing:
    """The ring in the file at `path`; on first start the file is made with one new key.

    Safe when several workers start at once: one file wins and all read it. Raises `ConfigurationError`
    when file or folder can be read by others, or the file is no key ring.
    """
    try:
        path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        _refuse_shared(path.parent.stat(), path.parent, _FOLDER_MODE)
        if not path.exists():
            _create(path)
        return _load(path)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else "unknown reason"
        raise ConfigurationError(f"The signing keys at {path} cannot be read or made: {reason}.") from None


def _create(path: Path) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    content = json.dumps({"keys": [SigningKey.generate().private_jwk()]}).encode()
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # NOTE: link, not rename: it fails when another worker was first, so one key wins for all.
        os.link(temporary, path)
    except FileExistsError:
        return
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _load(path: Path) -> SigningRing:
    with path.open("rb") as file:
        _refuse_shared(os.fstat(file.fileno()), path, _FILE_MODE)
        content = file.read()
    try:
        keys = tuple(_key(jwk) for jwk in json.loads(content)["keys"])
    except (ValueError, KeyError, TypeError):
        keys = ()
    if not keys:
        raise ConfigurationError(
            f"The file {path} is not a ring of Ed25519 signing keys. Restore it from a backup, "
            "or remove it: a new key is made at the next start and everybody signs in anew."
        )
    return SigningRing(keys)


def _key(jwk: dict[str, str]) -> SigningKey:
    seed = urlsafe_b64decode(jwk["d"] + "=" * (-len(jwk["d"]) % 4))
    if (jwk["kty"], jwk["crv"], len(seed)) != ("OKP", "Ed25519", _SEED_BYTES):
        raise ValueError("not an Ed25519 key")
    key = SigningKey.from_seed(seed)
    if (jwk["kid"], jwk["x"]) != (key.kid, _public(seed)):
        raise ValueError("the parts of the key do not belong together")
    return key


def _refuse_shared(status: os.stat_result, path: Path, mode: int) -> None:
    if os.name == "posix" and stat.S_IMODE(status.st_mode) & _OTHERS:
        raise ConfigurationError(
            f"{path} holds signing keys and can be reached by other users of this machine. Run: chmod {mode:o} {path}"
        )


def _public(seed: bytes) -> str:
    return _encode(Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw())


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
