"""Web Authentication without a database: what holds, and what does not."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from auth.factors.passkeys import (
    MAX_ANSWER,
    Credential,
    RelyingParty,
    claimed,
    creation_options,
    handle_of,
    made,
    proven,
    relying_party,
    request_options,
)
from tests.e2e.authenticator import Authenticator, Key, decoded

PARTY = RelyingParty("users.example", "users.example", ("https://users.example", "https://app.example"))
ORIGIN = "https://users.example"
FIRST, SECOND = b"first challenge of 32 random bits", b"second challenge"


@pytest.fixture
def device() -> Authenticator:
    """An authenticator at the service's own page."""
    return Authenticator(ORIGIN)


@pytest.fixture
def credential(device: Authenticator) -> Credential:
    """A passkey on it."""
    found = made(PARTY, FIRST, device.create(creation()))
    assert found is not None
    return found


def creation(*known: Credential) -> str:
    """Options for a new passkey."""
    return creation_options(PARTY, FIRST, person="usr_1", username="alice", known=known)


def request(*known: Credential) -> str:
    """Options for using one."""
    return request_options(PARTY, SECOND, known)


def test_a_passkey_is_made_and_used(device: Authenticator, credential: Credential) -> None:
    """The counter goes on."""
    answer = device.get(request(credential))
    assert claimed(answer) is not None
    assert proven(PARTY, SECOND, answer, credential) == 1
    assert credential.transports == ("internal", "hybrid")


def test_an_attestation_may_be_there(device: Authenticator) -> None:
    """Though it is not asked for."""
    assert made(PARTY, FIRST, device.create(creation(), packed=True)) is not None


def test_options_name_nobody_but_by_a_handle(device: Authenticator) -> None:
    """Opaque, the same each time, and not the id."""
    user = json.loads(creation())["user"]
    assert decoded(user["id"]) == handle_of("usr_1") != handle_of("usr_2")
    assert b"usr_1" not in decoded(user["id"])


def test_other_origins_of_the_service_hold(device: Authenticator, credential: Credential) -> None:
    """Those that are allowed."""
    assert proven(PARTY, SECOND, device.get(request(), origin="https://app.example"), credential) == 1


def test_a_passkey_that_is_not_made_right(device: Authenticator) -> None:
    """Not verified, for another page, host or challenge."""
    options = creation()
    assert made(PARTY, FIRST, device.create(options, verified=False)) is None
    assert made(PARTY, FIRST, device.create(options, origin="https://evil.example")) is None
    assert made(PARTY, FIRST, device.create(options, host="evil.example")) is None
    assert made(PARTY, FIRST, device.create(options, challenge=SECOND)) is None
    assert made(PARTY, SECOND, device.create(options)) is None


def test_an_answer_that_does_not_hold(device: Authenticator, credential: Credential) -> None:
    """Not verified, for another page, host or challenge, or signed by another key."""
    options = request()
    stranger = Authenticator(ORIGIN)
    stranger.create(creation())
    for answer in (
        device.get(options, verified=False),
        device.get(options, origin="https://evil.example"),
        device.get(options, origin="https://users.example.evil.example"),
        device.get(options, host="evil.example"),
        device.get(options, challenge=FIRST),
        device.get(options, signed_by=stranger.keys[0]),
    ):
        assert proven(PARTY, SECOND, answer, credential) is None
    assert proven(PARTY, SECOND, device.get(options), credential) is not None


def test_a_counter_that_does_not_go_on(device: Authenticator, credential: Credential) -> None:
    """A copy of the key has been used meanwhile, or this answer came before."""
    options = request()
    first, second = device.get(options), device.get(options)
    used = replace(credential, sign_count=2)
    assert proven(PARTY, SECOND, first, used) is None
    assert proven(PARTY, SECOND, second, used) is None
    assert proven(PARTY, SECOND, device.get(options), used) == 3


def test_a_passkey_without_a_counter_holds() -> None:
    """Those that are synchronised between devices have none."""
    device = Authenticator(ORIGIN, counts=False)
    credential = made(PARTY, FIRST, device.create(creation()))
    assert credential is not None
    assert [proven(PARTY, SECOND, device.get(request()), credential) for _ in range(2)] == [0, 0]


def test_a_creation_is_no_use(device: Authenticator, credential: Credential) -> None:
    """And the reverse: the kinds of answers are told apart."""
    key: Key = device.keys[0]
    assert proven(PARTY, SECOND, device.attested(key, SECOND), credential) is None
    assert made(PARTY, SECOND, device.get(request())) is None


PARTS = ("clientDataJSON", "attestationObject", "authenticatorData", "signature")
HOSTILE = [
    "",
    "null",
    "[]",
    "{}",
    '"text"',
    "{" * 3000,
    "[" * 16_000,
    '{"id": 1}',
    '{"id": "\\ud800", "rawId": "\\ud800", "type": "public-key", "response": {}}',
    '{"id": "é", "rawId": "é", "type": "public-key", "response": {"clientDataJSON": "é"}}',
    json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": dict.fromkeys(PARTS, "_____w")}),
    "x" * (MAX_ANSWER + 1),
    "\ud800",
    "\0",
]


@pytest.mark.parametrize("answer", HOSTILE, ids=lambda text: ascii(text)[:30])
def test_what_is_no_answer_proves_nothing(answer: str, credential: Credential) -> None:
    """And raises nothing."""
    assert made(PARTY, FIRST, answer) is None
    assert proven(PARTY, SECOND, answer, credential) is None
    named = claimed(answer)
    assert named is None or named.credential != credential.id


def test_an_answer_that_was_tampered_with(device: Authenticator, credential: Credential) -> None:
    """Any byte of any part."""
    answer = json.loads(device.get(request()))
    for part, text in answer["response"].items():
        for place in range(0, len(text), 7):
            other = "A" if text[place] != "A" else "B"
            response = {**answer["response"], part: text[:place] + other + text[place + 1 :]}
            tampered = json.dumps({**answer, "response": response})
            if part == "userHandle":
                named = claimed(tampered)
                assert named is None or named.handle != handle_of("usr_1")
            elif decoded(response[part]) != decoded(text):
                assert proven(PARTY, SECOND, tampered, credential) is None, (part, place)


@pytest.mark.parametrize(
    ("issuer", "host", "origins"),
    [
        ("https://users.example", "users.example", ("https://users.example",)),
        ("https://users.example:8443", "users.example", ("https://users.example:8443",)),
        ("http://127.0.0.1:8000", "localhost", ("http://127.0.0.1:8000", "http://localhost:8000")),
        ("http://[::1]:8000", "localhost", ("http://[::1]:8000", "http://localhost:8000")),
        ("http://localhost:8000", "localhost", ("http://localhost:8000",)),
    ],
)
def test_for_whom_keys_are_made(issuer: str, host: str, origins: tuple[str, ...]) -> None:
    """The issuer's host; an address in numbers is none for browsers."""
    assert relying_party(issuer) == RelyingParty(host, host, origins)


def test_allowed_origins_are_pages_of_the_service() -> None:
    """Each once."""
    party = relying_party("https://users.example", {"https://app.example", "https://users.example"})
    assert party.origins == ("https://users.example", "https://app.example")


def test_nothing_of_a_key_shows(credential: Credential) -> None:
    """In no representation."""
    assert repr(credential) == "Credential(sign_count=0, transports=('internal', 'hybrid'))"
