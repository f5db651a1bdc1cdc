"""Ed25519 signing keys (RFC 8032), and the ring of those in use with the times at which each takes its turn.

A key is published first, signs later, and is kept for a while after another one signs, so that whoever
verifies knows a key before the first token of it and until after the last one.
"""

from __future__ import annotations

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models.errors import BadInput

_SEED_BYTES: Final = 32
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)


class KeyState(StrEnum):
    """Where a key is in its life."""

    NEXT = "NEXT"
    SIGNING = "SIGNING"
    RETIRING = "RETIRING"
    RETIRED = "RETIRED"


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class SigningKey:
    """One private key; `kid` is its public half's thumbprint (RFC 7638). Its `repr` shows only that.

    It signs from `signs_from` on (None: always) until a later one does, and verifies until `retires_at`
    (None: as long as it is there).
    """

    kid: str
    _seed: bytes = field(repr=False)
    signs_from: datetime | None = None
    retires_at: datetime | None = None

    @classmethod
    def generate(cls, signs_from: datetime | None = None) -> SigningKey:
        """A new key from the system's random source."""
        return replace(cls.from_seed(secrets.token_bytes(_SEED_BYTES)), signs_from=signs_from)

    @classmethod
    def from_seed(cls, seed: bytes) -> SigningKey:
        """The key with the private 32 bytes `seed` (RFC 8032, section 5.1.5)."""
        members = {"crv": "Ed25519", "kty": "OKP", "x": _public(seed)}
        digest = sha256(json.dumps(members, separators=(",", ":"), sort_keys=True).encode()).digest()
        return cls(_encode(digest), seed)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> SigningKey:
        """The key that `record` wrote. Raises `ValueError`, `KeyError` or `TypeError` for anything else."""
        seed = urlsafe_b64decode(record["d"] + "=" * (-len(record["d"]) % 4))
        if (record["kty"], record["crv"], len(seed)) != ("OKP", "Ed25519", _SEED_BYTES):
            raise ValueError("not an Ed25519 key")
        key = cls.from_seed(seed)
        if (record["kid"], record["x"]) != (key.kid, _public(seed)):
            raise ValueError("the parts of the key do not belong together")
        times = (_moment(record[name]) if name in record else None for name in ("signs_from", "retires_at"))
        return cls(key.kid, seed, *times)

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

    def record(self) -> dict[str, str]:
        """The whole key with its times, as the key file holds it."""
        times = {"signs_from": self.signs_from, "retires_at": self.retires_at}
        return {**self.private_jwk(), **{name: at.isoformat() for name, at in times.items() if at is not None}}

    def verifies(self, now: datetime) -> bool:
        """Whether tokens of this key are good at `now`; a key that does not sign yet has none."""
        return self.retires_at is None or now < self.retires_at

    def __repr__(self) -> str:
        return f"SigningKey(kid={self.kid!r})"


@dataclass(frozen=True, slots=True, eq=False)
class SigningRing:
    """The keys in use, never empty. Of those whose time has come the latest signs."""

    keys: tuple[SigningKey, ...]

    def signing(self, now: datetime) -> SigningKey:
        """The key that signs at `now`. With a clock that is behind all of them, the one that is to begin first."""
        good = [key for key in self.keys if key.verifies(now)] or list(self.keys)
        begun = [key for key in good if _start(key) <= now]
        return max(begun, key=_start) if begun else min(good, key=_start)

    def verifying(self, now: datetime) -> tuple[SigningKey, ...]:
        """The keys whose tokens are good at `now`, those to come among them."""
        return tuple(key for key in self.keys if key.verifies(now))

    def jwks(self, now: datetime | None = None) -> dict[str, list[dict[str, str]]]:
        """The public JWK Set (RFC 7517, section 5): next, signing and retiring keys. Without `now`: all."""
        return {"keys": [key.public_jwk() for key in (self.keys if now is None else self.verifying(now))]}

    def state(self, key: SigningKey, now: datetime) -> KeyState:
        """Where one of these keys is in its life."""
        if not key.verifies(now):
            return KeyState.RETIRED
        if key is self.signing(now):
            return KeyState.SIGNING
        return KeyState.NEXT if _start(key) > now else KeyState.RETIRING

    def rotated(self, now: datetime, *, ahead: timedelta, overlap: timedelta, hurry: bool = False) -> SigningRing:
        """This ring with a key that signs in `ahead` from now, after which the others verify for `overlap`.

        A key that waits already is the one: with `hurry` its time is brought forward, without it that is
        refused by `BadInput`. What has retired is left out.
        """
        waiting = [key for key in self.keys if self.state(key, now) is KeyState.NEXT]
        if waiting and not hurry:
            raise BadInput(
                f"A next key is published already: it signs from {waiting[0].signs_from:%Y-%m-%d %H:%M} UTC."
            )
        begins = now + ahead
        new = (
            replace(waiting[0], signs_from=min(begins, _start(waiting[0]))) if waiting else SigningKey.generate(begins)
        )
        ends = _start(new) + overlap
        kept = [
            replace(key, retires_at=min(ends, key.retires_at or ends))
            for key in self.verifying(now)
            if key.kid != new.kid
        ]
        return SigningRing((new, *kept))


def _start(key: SigningKey) -> datetime:
    return key.signs_from or _BEGINNING


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment.astimezone(UTC)


def _public(seed: bytes) -> str:
    return _encode(Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw())


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
