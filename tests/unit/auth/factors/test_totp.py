"""One-time passwords by time: the RFC's vectors, the drift, and codes that were used."""

from __future__ import annotations

from base64 import b32encode
from datetime import UTC, datetime
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from auth.factors.totp import PERIOD, new_secret, provisioning_uri, readable, step_of

SECRET = b"12345678901234567890"  # RFC 6238, appendix B
VECTORS = {
    59: "94287082",
    1111111109: "07081804",
    1111111111: "14050471",
    1234567890: "89005924",
    2000000000: "69279037",
    20000000000: "65353130",
}
MOMENT, STEP, CODE = 1111111111, 37037037, "050471"


def at(seconds: int) -> datetime:
    """A Unix time."""
    return datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize(("seconds", "eight"), VECTORS.items())
def test_the_vectors_of_the_rfc(seconds: int, eight: str) -> None:
    """The last six of eight digits, SHA-1 (RFC 6238, appendix B)."""
    assert step_of(SECRET, eight[-6:], at(seconds), after=None) == seconds // PERIOD


@pytest.mark.parametrize("drift", [-1, 0, 1])
def test_a_clock_may_be_one_step_off(drift: int) -> None:
    """Either way, and the step is the code's own."""
    assert step_of(SECRET, CODE, at(MOMENT + drift * PERIOD), after=None) == STEP


@pytest.mark.parametrize("drift", [-100, -2, 2, 100])
def test_and_no_more_than_one(drift: int) -> None:
    """An older code, or one of a clock that is ahead."""
    assert step_of(SECRET, CODE, at(MOMENT + drift * PERIOD), after=None) is None


def test_a_used_step_is_over() -> None:
    """With all before it; the next one counts."""
    assert step_of(SECRET, "287082", at(59), after=1) is None
    assert step_of(SECRET, "287082", at(59), after=2) is None
    assert step_of(SECRET, "287082", at(59), after=0) == 1


@pytest.mark.parametrize("typed", ["287 082", " 287082 ", "28\t7082"])
def test_spaces_do_not_matter(typed: str) -> None:
    """Apps show two groups."""
    assert step_of(SECRET, typed, at(59), after=None) == 1


@pytest.mark.parametrize(
    "typed",
    ["", "28708", "2870822", "287082a", "２８７０８２", "+87082", "-87082", "0x7082", "287082" * 10_000, "\ud800" * 6],
)
def test_what_is_no_code_fits_nothing(typed: str) -> None:
    """Six ASCII digits, or nothing is compared."""
    assert step_of(SECRET, typed, at(59), after=None) is None


def test_secrets_are_random_and_of_160_bits() -> None:
    """RFC 4226, section 4, R6."""
    secrets = {new_secret() for _ in range(50)}
    assert len(secrets) == 50
    assert {len(each) for each in secrets} == {20}


def test_an_app_reads_the_uri() -> None:
    """Secret, account and issuer; what an app assumes need not be said."""
    uri = urlsplit(provisioning_uri(SECRET, account="alice & bob?", issuer="users.example"))
    said = {name: values[0] for name, values in parse_qs(uri.query).items()}
    assert (uri.scheme, uri.netloc, unquote(uri.path)) == ("otpauth", "totp", "/users.example:alice & bob?")
    assert (said["secret"], said["issuer"]) == (b32encode(SECRET).decode(), "users.example")
    assert (said.get("algorithm", "SHA1"), said.get("digits", "6"), said.get("period", "30")) == ("SHA1", "6", "30")
    assert readable(SECRET) == said["secret"]
