"""Passkeys over HTTP: as a second factor, without a password, and to confirm that it is still the person."""

from __future__ import annotations

import json

import pytest

from tests.e2e.authenticator import Authenticator, decoded
from tests.e2e.people import refused_soon, status_of_me
from tests.e2e.second_factors import (
    BEGIN_PASSKEY,
    BEGIN_STEP_UP,
    COMPLETE,
    CONFIRM_PASSKEY,
    ENROL_PASSKEY,
    REMOVE,
    STEP_UP,
    WITH_PASSKEY,
    Person,
    arrive,
    asked,
    claims,
    codes_of,
    told,
)
from tests.e2e.server import Json, Server
from tests.e2e.wrong_passkeys import WRONG, Answer, nonsense


@pytest.fixture
def person(server: Server) -> Person:
    """Somebody new."""
    return arrive(server)


@pytest.fixture
def device(server: Server, person: Person) -> Authenticator:
    """Their authenticator, with a passkey."""
    made = Authenticator(server.url)
    enrol(person, made)
    return made


def enrol(person: Person, device: Authenticator, name: str | None = "Key") -> Json:
    """The payload of a new passkey's confirmation."""
    begun = person.ask(ENROL_PASSKEY)
    payload = person.ask(
        CONFIRM_PASSKEY, challenge=begun["challenge"], passkey=device.create(begun["options"]), name=name
    )
    person.confirmed(payload)
    return payload


def with_passkey(server: Server, answer: Answer, device: Authenticator) -> Json:
    """The payload of a sign-in without a password."""
    begun = asked(server, BEGIN_PASSKEY)
    return asked(server, WITH_PASSKEY, challenge=begun["challenge"], passkey=answer(device, begun["options"]))


def test_a_passkey_is_enrolled(server: Server, person: Person) -> None:
    """Shown, told of, with recovery codes, and the end of all other sessions."""
    other = server.sign_in(person.name, person.password)
    payload = enrol(person, Authenticator(server.url))
    assert len(payload["recoveryCodes"]) == 10
    [shown] = [each for each in person.factors() if each["kind"] == "PASSKEY"]
    assert (shown["id"], shown["name"], shown["lastUsedAt"]) == (payload["factorId"], "Key", None)
    assert refused_soon(lambda: status_of_me(other))
    assert status_of_me(person.account) == 200
    assert told(server, person, "second factor was added")


def test_it_is_a_second_factor(server: Server, person: Person, device: Authenticator) -> None:
    """Beside the password."""
    challenge = person.begin()["secondFactor"]
    assert challenge["kinds"] == ["PASSKEY", "RECOVERY_CODE"]
    answer = device.get(challenge["passkeyOptions"])
    payload = asked(server, COMPLETE, challenge=challenge["challenge"], passkey=answer)
    person.sign_in(payload)
    assert set(claims(payload["accessToken"])["amr"]) == {"pwd", "hwk", "user", "mfa"}
    [shown] = [each for each in person.factors() if each["kind"] == "PASSKEY"]
    assert shown["lastUsedAt"] is not None


def test_it_signs_in_without_a_name_or_password(server: Server, person: Person, device: Authenticator) -> None:
    """What the person holds and is or knows, at once."""
    payload = with_passkey(server, Authenticator.get, device)
    assert payload["user"] == {"id": person.account.id}
    assert set(claims(payload["accessToken"])["amr"]) == {"hwk", "user", "mfa"}
    person.sign_in(payload)
    assert status_of_me(person.account) == 200


def test_it_confirms_that_it_is_still_the_person(server: Server, person: Person, device: Authenticator) -> None:
    """In the session that asked, once."""
    before = claims(person.account.access_token)
    begun = person.ask(BEGIN_STEP_UP)
    answer = device.get(begun["passkeyOptions"])
    elsewhere = arrive(server)
    assert codes_of(elsewhere.ask(STEP_UP, challenge=begun["challenge"], passkey=answer)) == ["CHALLENGE_ENDED"]
    assert codes_of(person.ask(STEP_UP, passkey=answer)) == ["CHALLENGE_ENDED"]
    begun = person.ask(BEGIN_STEP_UP)
    given = {"challenge": begun["challenge"], "passkey": device.get(begun["passkeyOptions"])}
    after = claims(person.ask(STEP_UP, **given)["accessToken"])
    assert after["auth_time"] > before["auth_time"]
    assert after["sid"] == before["sid"]
    assert codes_of(person.ask(STEP_UP, **given)) == ["CHALLENGE_ENDED"]


def test_a_synchronised_passkey_has_no_counter(server: Server, person: Person) -> None:
    """And works again and again."""
    device = Authenticator(server.url, counts=False)
    enrol(person, device)
    for _ in range(2):
        assert codes_of(with_passkey(server, Authenticator.get, device)) == []


@pytest.mark.parametrize("answer", WRONG)
def test_what_does_not_hold_looks_the_same(
    server: Server, person: Person, device: Authenticator, answer: Answer
) -> None:
    """Whether the passkey is known or not, and whatever is wrong: one answer, and nobody is signed in."""
    assert codes_of(with_passkey(server, Authenticator.get, device)) == []
    refused = with_passkey(server, answer, device)
    unlike = with_passkey(server, nonsense, device)
    assert (refused["accessToken"], refused["user"], codes_of(refused)) == (None, None, ["BAD_CREDENTIALS"])
    assert refused == unlike
    challenge = person.begin()["secondFactor"]
    given = answer(device, challenge["passkeyOptions"])
    second = asked(server, COMPLETE, challenge=challenge["challenge"], passkey=given)
    assert (second["accessToken"], codes_of(second)) == (None, ["WRONG_CODE"])


def test_a_challenge_works_once(server: Server, person: Person, device: Authenticator) -> None:
    """A recorded answer opens nothing, not even with its challenge."""
    begun = asked(server, BEGIN_PASSKEY)
    given = {"challenge": begun["challenge"], "passkey": device.get(begun["options"])}
    assert codes_of(asked(server, WITH_PASSKEY, **given)) == []
    assert codes_of(asked(server, WITH_PASSKEY, **given)) == ["BAD_CREDENTIALS"]
    challenge = person.begin()["secondFactor"]
    assert codes_of(asked(server, COMPLETE, challenge=challenge["challenge"], passkey=given["passkey"])) == [
        "WRONG_CODE"
    ]
    assert codes_of(asked(server, WITH_PASSKEY, challenge=challenge["challenge"], passkey=given["passkey"])) == [
        "BAD_CREDENTIALS"
    ]


def test_one_persons_passkey_is_not_anothers_factor(server: Server, person: Person, device: Authenticator) -> None:
    """However right it is."""
    mallory, own = arrive(server), Authenticator(server.url)
    enrol(mallory, own)
    challenge = person.begin()["secondFactor"]
    answer = own.get(challenge["passkeyOptions"], key=own.keys[0])
    assert codes_of(asked(server, COMPLETE, challenge=challenge["challenge"], passkey=answer)) == ["WRONG_CODE"]


def test_what_is_not_made_right_is_not_enrolled(server: Server, person: Person, device: Authenticator) -> None:
    """Unverified, elsewhere, for a challenge that was used, or somebody's already."""
    mallory, own = arrive(server), Authenticator(server.url)

    def attempt(passkey: str, challenge: str) -> list[str]:
        return codes_of(mallory.ask(CONFIRM_PASSKEY, challenge=challenge, passkey=passkey))

    for wrong in ({"verified": False}, {"origin": "https://evil.example"}, {"challenge": bytes(32)}):
        begun = mallory.ask(ENROL_PASSKEY)
        assert attempt(own.create(begun["options"], **wrong), begun["challenge"]) == ["BAD_PASSKEY"]
        assert attempt(own.create(begun["options"]), begun["challenge"]) == ["CHALLENGE_ENDED"]
    begun = mallory.ask(ENROL_PASSKEY)
    taken = device.attested(device.keys[0], decoded(json.loads(begun["options"])["challenge"]))
    assert attempt(taken, begun["challenge"]) == ["BAD_PASSKEY"]
    begun = person.ask(ENROL_PASSKEY)
    assert attempt(own.create(begun["options"]), begun["challenge"]) == ["CHALLENGE_ENDED"]
    assert mallory.factors() == []


def test_a_removed_passkey_is_unknown(server: Server, person: Person, device: Authenticator) -> None:
    """At once; and the password is enough again."""
    [factor] = [each["id"] for each in person.factors() if each["kind"] == "PASSKEY"]
    assert person.ask(REMOVE, id=factor)["removed"]
    assert codes_of(with_passkey(server, Authenticator.get, device)) == ["BAD_CREDENTIALS"]
    assert person.begin()["errors"] == []
