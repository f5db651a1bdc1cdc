"""Refresh tokens: `<session id>.<generation>.<secret>`, each the forebear of the next (docs/decisions/0013).

The secret of a generation is HMAC-SHA256 (RFC 2104) of the one before it, under a seed that only the session's
row holds. The row keeps the hash of the newest secret. Whoever holds a secret lacks the seed, whoever reads the
row lacks the secret: neither can make a token. With both, the same successor can be made again, and an old
token can be told from an invented one.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from hmac import compare_digest, digest
from secrets import token_bytes
from typing import Any, Final, Self

GRACE: Final = timedelta(seconds=20)
# What an invented token costs at most, some 20 ms. A token that is older gives nothing, as any other that is over.
FURTHEST: Final = 10_000  # generations
_BYTES: Final = 32
_PATTERN: Final = re.compile(r"(ses_[a-z0-9-]{2,16}_[0-9a-z]{26})\.([0-9]{1,9})\.([A-Za-z0-9_-]{43})")


class Standing(StrEnum):
    """What a token is to its session."""

    NEWEST = "NEWEST"
    BEFORE = "BEFORE"  # the one before the newest, within the grace: parallel tabs
    REUSED = "REUSED"  # one that was genuine: it has been copied
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """One token, taken apart."""

    session: str
    generation: int
    secret: bytes = field(repr=False)

    @classmethod
    def first(cls, session: str) -> Self:
        """The token that a session begins with."""
        return cls(session, 0, token_bytes(_BYTES))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read a token; None for what has not its form."""
        match = _PATTERN.fullmatch(text)
        return match and cls(match[1], int(match[2]), urlsafe_b64decode(f"{match[3]}="))

    def text(self) -> str:
        """The token as its holder keeps it."""
        return f"{self.session}.{self.generation}.{urlsafe_b64encode(self.secret).decode().rstrip('=')}"

    def hash(self) -> bytes:
        """What is stored of it; SHA-256 is enough for 256 random bits."""
        return sha256(self.secret).digest()

    def successor(self, seed: bytes) -> Self:
        """The token after this one."""
        return type(self)(self.session, self.generation + 1, _next(seed, self.secret))


def new_seed() -> bytes:
    """What a session's secrets are derived with."""
    return token_bytes(_BYTES)


def standing(token: RefreshToken, row: Mapping[str, Any], now: datetime) -> Standing:
    """What `token` is to the session stored as `row`."""
    age = row.get("generation", 0) - token.generation
    seed = row.get("refresh_seed")
    if seed is None or not 0 <= age <= FURTHEST:
        return Standing.UNKNOWN
    secret = token.secret
    for _ in range(age):
        secret = _next(seed, secret)
    if not compare_digest(sha256(secret).digest(), row["refresh_hash"]):
        return Standing.UNKNOWN
    if age == 0:
        return Standing.NEWEST
    return Standing.BEFORE if age == 1 and now - row["rotated_at"] <= GRACE else Standing.REUSED


def _next(seed: bytes, secret: bytes) -> bytes:
    return digest(seed, secret, "sha256")
