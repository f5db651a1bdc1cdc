"""Refresh tokens: what they are made of, and what each is to its session."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import new as hmac
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth import refresh
from auth.refresh import GRACE, RefreshToken, Standing, new_seed, standing

SESSION = "ses_eu_01jd3m2c0000000000000000ab"
NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
SEED = new_seed()


def chain(length: int) -> list[RefreshToken]:
    """A token and its successors."""
    made = [RefreshToken.first(SESSION)]
    while len(made) < length:
        made.append(made[-1].successor(SEED))
    return made


def row(token: RefreshToken, **changes: object) -> dict[str, Any]:
    """The session as stored, with this newest token."""
    stored = {"refresh_seed": SEED, "refresh_hash": token.hash(), "generation": token.generation, "rotated_at": NOW}
    return stored | changes


def test_a_token_is_read_as_it_was_written() -> None:
    """With its session, generation and secret."""
    for token in chain(3):
        assert RefreshToken.parse(token.text()) == token


@given(st.text() | st.builds("{}.{}.{}".format, st.text(), st.integers(), st.text()))
def test_what_is_no_token_is_none(text: str) -> None:
    """Whatever it is."""
    assert RefreshToken.parse(text) is None


def changed() -> Iterator[str]:
    """Tokens that were damaged."""
    session, generation, secret = RefreshToken.first(SESSION).text().split(".")
    yield f"{session}.{generation}.{secret[:-1]}"
    yield f"{session}.{generation}.{secret}A"
    yield f"{session}.{generation}.{secret}\n"
    yield f"{session}.-1.{secret}"
    yield f"{session}.\u0661.{secret}"
    yield f"{session}.1000000000.{secret}"
    yield f"usr{session[3:]}.{generation}.{secret}"
    yield f"{session}.{secret}"
    yield f"{session}..{secret}"
    yield f"{session}.{generation}.{secret[:-1]}="


@pytest.mark.parametrize("text", list(changed()), ids=range(10))
def test_a_damaged_token_is_none(text: str) -> None:
    """Form and length are fixed."""
    assert RefreshToken.parse(text) is None


def test_a_successor_is_the_hmac_of_the_one_before() -> None:
    """By the standard library's slow way."""
    for before, after in pairwise(chain(4)):
        assert after.secret == hmac(SEED, before.secret, sha256).digest()
        assert after.generation == before.generation + 1
        assert after.session == before.session


def test_the_newest_the_one_before_and_older_ones() -> None:
    """Each is told apart."""
    *old, before, newest = chain(6)
    assert standing(newest, row(newest), NOW) is Standing.NEWEST
    assert standing(newest, row(newest), NOW + timedelta(days=3)) is Standing.NEWEST
    assert standing(before, row(newest), NOW + GRACE) is Standing.BEFORE
    assert standing(before, row(newest), NOW + GRACE + timedelta(milliseconds=1)) is Standing.REUSED
    assert {standing(each, row(newest), NOW) for each in old} == {Standing.REUSED}
    assert timedelta(seconds=20) == GRACE


def test_what_cannot_be_proven_is_unknown() -> None:
    """Another secret, another generation, one that is yet to come, another session's seed, a row of old."""
    before, newest, coming = chain(3)
    stored = row(newest)
    for token in (
        replace(newest, secret=bytes(32)),
        replace(before, secret=bytes(32)),
        replace(newest, generation=before.generation),
        replace(before, generation=newest.generation),
        coming,
    ):
        assert standing(token, stored, NOW) is Standing.UNKNOWN
    assert standing(before, stored | {"refresh_seed": new_seed()}, NOW) is Standing.UNKNOWN
    assert standing(newest, {"refresh_hash": newest.hash()}, NOW) is Standing.UNKNOWN


def test_proof_has_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token from further back costs nothing and gives nothing."""
    tokens = chain(6)
    monkeypatch.setattr(refresh, "FURTHEST", 4)
    assert standing(tokens[1], row(tokens[-1]), NOW) is Standing.REUSED
    assert standing(tokens[0], row(tokens[-1]), NOW) is Standing.UNKNOWN


def test_secrets_do_not_show() -> None:
    """Not in a repr."""
    token = RefreshToken.first(SESSION)
    assert repr(token) == f"RefreshToken(session={SESSION!r}, generation=0)"
