"""Tokens while their keys change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from auth.principal import Kind
from auth.tokens import LEEWAY, MAX_LIFETIME, Claims, InvalidToken, Tokens
from graph.commands.keys import HURRY, OVERLAP, PUBLISHED_AHEAD
from models.crypto.key_file import CHECK_SECONDS
from models.crypto.signing import SigningKey, SigningRing

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLAIMS = Claims(subject="cli_eu_x", kind=Kind.SERVICE, issued_at=NOW, expires_at=NOW + MAX_LIFETIME)


def tokens(ring: SigningRing) -> Tokens:
    """One worker's."""
    return Tokens(ring, issuer="https://id.example", audience="https://id.example/graphql")


@pytest.mark.parametrize(("ahead", "hurry"), [(PUBLISHED_AHEAD, False), (HURRY, True)])
def test_no_token_is_lost_by_a_rotation(ahead: timedelta, hurry: bool) -> None:
    """One that was issued at the last moment before it holds to its end, one after it on all who have read the file."""
    old = SigningRing((SigningKey.generate(NOW - timedelta(days=1)),))
    new = old.rotated(NOW, ahead=ahead, overlap=OVERLAP, hurry=hurry)
    late, one, two = tokens(old), tokens(old), tokens(old)
    one.use(new)
    before = late.issue(replace(CLAIMS, issued_at=NOW + ahead, expires_at=NOW + ahead + MAX_LIFETIME))
    two.use(new)
    assert two.verify(before, NOW + ahead + MAX_LIFETIME).subject == CLAIMS.subject
    turned = NOW + ahead
    after = one.issue(replace(CLAIMS, issued_at=turned, expires_at=turned + MAX_LIFETIME))
    assert two.verify(after, turned).subject == CLAIMS.subject
    with pytest.raises(InvalidToken):
        late.verify(after, turned)


def test_a_new_key_signs_only_after_all_can_know_it() -> None:
    """Even in a hurry; and the old one verifies until the last token of it is over."""
    assert timedelta(seconds=2 * CHECK_SECONDS) < HURRY < PUBLISHED_AHEAD
    assert OVERLAP > MAX_LIFETIME + LEEWAY


def test_a_retired_key_verifies_nothing() -> None:
    """Although it is still in the file."""
    ring = SigningRing((SigningKey.generate(NOW), replace(SigningKey.generate(), retires_at=NOW)))
    old = tokens(SigningRing((ring.keys[1],)))
    token = old.issue(replace(CLAIMS, issued_at=NOW - timedelta(seconds=9), expires_at=NOW + timedelta(seconds=9)))
    with pytest.raises(InvalidToken):
        tokens(ring).verify(token, NOW)


def test_each_token_has_a_name_of_its_own() -> None:
    """By which it is revoked."""
    worker = tokens(SigningRing((SigningKey.generate(),)))
    names = [worker.verify(worker.issue(CLAIMS), NOW).jti for _ in range(2)]
    assert len(set(names)) == 2
    assert worker.verify(worker.issue(CLAIMS), NOW).ids[0] == CLAIMS.subject
