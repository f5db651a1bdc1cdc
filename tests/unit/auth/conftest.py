"""Keys and tokens that belong to nobody."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from auth.tokens import Tokens
from models.crypto.signing import SigningKey, SigningRing

NOW = datetime(2026, 3, 1, 12, 0, 0, 250_000, UTC)


@pytest.fixture
def moment() -> datetime:
    """The time it is."""
    return NOW


@pytest.fixture(scope="session")
def ring() -> SigningRing:
    """A ring of two keys, as after a rotation."""
    return SigningRing((SigningKey.generate(), SigningKey.generate()))


@pytest.fixture
def tokens(ring: SigningRing) -> Tokens:
    """What this service issues."""
    return Tokens(ring, issuer="https://id.example", audience="https://id.example/graphql")
