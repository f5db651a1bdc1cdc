"""Signing keys take their turn: published, then signing, then retiring, then gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.crypto.signing import KeyState, SigningKey, SigningRing
from models.errors import BadInput

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AHEAD, OVERLAP = timedelta(hours=1), timedelta(minutes=15)
SECOND = timedelta(seconds=1)


def states(ring: SigningRing, now: datetime) -> list[KeyState]:
    """Where each key is in its life."""
    return [ring.state(key, now) for key in ring.keys]


@pytest.fixture
def ring() -> SigningRing:
    """One key that signs since yesterday."""
    return SigningRing((SigningKey.generate(NOW - timedelta(days=1)),))


def test_a_new_key_is_published_then_signs_then_the_old_one_retires(ring: SigningRing) -> None:
    """There is one that signs at every moment, and the published ones are all that verify."""
    new, old = (rotated := ring.rotated(NOW, ahead=AHEAD, overlap=OVERLAP)).keys
    assert old.kid == ring.keys[0].kid
    turns = NOW + AHEAD
    for at, signs, expected in (
        (NOW, old, [KeyState.NEXT, KeyState.SIGNING]),
        (turns - SECOND, old, [KeyState.NEXT, KeyState.SIGNING]),
        (turns, new, [KeyState.SIGNING, KeyState.RETIRING]),
        (turns + OVERLAP - SECOND, new, [KeyState.SIGNING, KeyState.RETIRING]),
        (turns + OVERLAP, new, [KeyState.SIGNING, KeyState.RETIRED]),
    ):
        assert rotated.signing(at) is signs
        assert states(rotated, at) == expected
        published = [jwk["kid"] for jwk in rotated.jwks(at)["keys"]]
        assert published == [key.kid for key in rotated.verifying(at)]
        assert (old.kid in published) is (at < turns + OVERLAP)


def test_the_next_rotation_leaves_out_what_has_retired(ring: SigningRing) -> None:
    """The file does not grow."""
    later = NOW + AHEAD + OVERLAP
    again = ring.rotated(NOW, ahead=AHEAD, overlap=OVERLAP).rotated(later, ahead=AHEAD, overlap=OVERLAP)
    assert states(again, later) == [KeyState.NEXT, KeyState.SIGNING]
    assert ring.keys[0].kid not in {key.kid for key in again.keys}


def test_a_key_that_waits_is_not_doubled_but_may_be_hurried(ring: SigningRing) -> None:
    """It signs earlier then, and the old one retires earlier."""
    rotated = ring.rotated(NOW, ahead=AHEAD, overlap=OVERLAP)
    with pytest.raises(BadInput, match="published already"):
        rotated.rotated(NOW, ahead=AHEAD, overlap=OVERLAP)
    hurried = rotated.rotated(NOW, ahead=10 * SECOND, overlap=OVERLAP, hurry=True)
    assert [key.kid for key in hurried.keys] == [key.kid for key in rotated.keys]
    assert hurried.signing(NOW + 10 * SECOND).kid == rotated.keys[0].kid
    assert hurried.keys[1].retires_at == NOW + 10 * SECOND + OVERLAP
    late = hurried.rotated(NOW + 5 * SECOND, ahead=10 * SECOND, overlap=OVERLAP, hurry=True)
    assert late.keys[0].signs_from == NOW + 10 * SECOND


def test_a_file_from_before_there_were_times_rotates_too() -> None:
    """Its first key signs until the new one does."""
    old = SigningRing((SigningKey.generate(), SigningKey.generate()))
    assert old.signing(NOW) is old.keys[0]
    rotated = old.rotated(NOW, ahead=AHEAD, overlap=OVERLAP)
    assert rotated.signing(NOW).kid == old.keys[0].kid
    assert rotated.signing(NOW + AHEAD) is rotated.keys[0]


def test_a_clock_that_is_behind_still_signs(ring: SigningRing) -> None:
    """With the key that everybody knows the longest."""
    rotated = ring.rotated(NOW, ahead=AHEAD, overlap=OVERLAP)
    assert rotated.signing(NOW - timedelta(days=9)).kid == ring.keys[0].kid


MOMENTS = st.integers(0, 100_000).map(lambda seconds: NOW + timedelta(seconds=seconds))


@given(st.lists(st.tuples(MOMENTS, st.booleans()), max_size=6), MOMENTS, st.integers(0, 600))
def test_what_is_signed_verifies_for_as_long_as_a_token_holds(
    rotations: list[tuple[datetime, bool]], signed: datetime, life: int
) -> None:
    """Whatever rotations came before and after: a token of 600 seconds outlives none of its keys."""
    ring = SigningRing((SigningKey.generate(NOW - timedelta(days=1)),))
    kid, pending = None, sorted(rotations)
    for at, hurry in pending:
        if kid is None and at > signed:
            kid = ring.signing(signed).kid
        try:
            ring = ring.rotated(at, ahead=10 * SECOND if hurry else AHEAD, overlap=OVERLAP, hurry=hurry)
        except BadInput:
            continue
        if kid is not None and at <= signed + timedelta(seconds=life):
            assert kid in {key.kid for key in ring.verifying(at)}
    kid = kid or ring.signing(signed).kid
    later = signed + timedelta(seconds=life)
    assert kid in {key.kid for key in ring.verifying(later)} or any(at > later for at, _ in pending)
