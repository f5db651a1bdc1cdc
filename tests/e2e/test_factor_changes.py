"""Changing one's factors over HTTP: what ends, who is told, and what is refused."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import NEW_PASSWORD
from tests.e2e.people import refused_soon, status_of_me
from tests.e2e.second_factors import (
    CHANGE_PASSWORD,
    COMPLETE,
    CONFIRM_TOTP,
    ENROL_TOTP,
    REMOVE,
    SIGN_IN,
    App,
    Person,
    arrive,
    asked,
    codes_of,
    told,
)
from tests.e2e.server import Server
from tests.e2e.services import fieldward

SHORT = "tiny-boats"
LONG = "boats on a quiet river"


@pytest.fixture
def person(server: Server) -> Person:
    """Somebody new."""
    return arrive(server)


@pytest.fixture
def app(person: Person) -> App:
    """Their authenticator app."""
    return person.enrol_app("Phone")


def test_a_code_cannot_be_guessed_while_it_is_confirmed(person: Person) -> None:
    """It would make the guesser's session a strong one."""
    made = person.ask(ENROL_TOTP)
    app = App(made["secret"])
    for _ in range(5):
        assert codes_of(person.ask(CONFIRM_TOTP, factorId=made["factorId"], code=app.wrong())) == ["WRONG_CODE"]
    given = {"factorId": made["factorId"], "code": app.code()}
    assert person.account.ask(CONFIRM_TOTP, {"input": given}, purpose="ACCOUNT").status_code == 429


def test_other_sessions_end_and_the_person_is_told(server: Server, person: Person) -> None:
    """When a factor comes and when it goes; the session that asked goes on."""
    other = server.sign_in(person.name, NEW_PASSWORD)
    begun = asked(server, SIGN_IN, login=person.name, password=NEW_PASSWORD)
    assert begun["errors"] == []
    app = person.enrol_app()
    assert refused_soon(lambda: status_of_me(other))
    assert status_of_me(person.account) == 200
    half = person.challenge()
    [factor] = [each["id"] for each in person.factors() if each["kind"] == "TOTP"]
    assert person.ask(REMOVE, id=factor) == {"removed": True, "errors": []}
    assert codes_of(asked(server, COMPLETE, challenge=half, code=app.code())) == ["CHALLENGE_ENDED"]
    assert status_of_me(person.account) == 200
    assert person.factors() == []
    assert person.begin()["errors"] == []
    assert told(server, person, "second factor was added", "second factor was removed")


@pytest.mark.slow
def test_an_operator_takes_a_lost_factor_away(server: Server, person: Person) -> None:
    """Beside the running service, from a script: all sessions end, and the password alone signs in again."""
    app = person.enrol_app("Phone")
    half = person.challenge()
    assert "TOTP, Phone" in fieldward(server, "factors", "list", person.name)
    reason = ("--reason", "Has lost the phone and the codes")
    assert "TOTP" in fieldward(server, "factors", "remove", person.name, "--all", *reason)
    assert refused_soon(lambda: status_of_me(person.account))
    assert codes_of(asked(server, COMPLETE, challenge=half, code=app.code())) == ["CHALLENGE_ENDED"]
    person.sign_in(person.begin())
    assert person.factors() == []
    assert told(server, person, "second factor was added", "second factor was removed")


def test_others_factors_are_as_if_they_were_not(server: Server, person: Person, app: App) -> None:
    """To be removed, or to be confirmed."""
    mallory = arrive(server)
    [factor] = [each["id"] for each in person.factors() if each["kind"] == "TOTP"]
    unknown = mallory.ask(REMOVE, id="fac_eu_nothing")
    assert mallory.ask(REMOVE, id=factor) == unknown
    assert codes_of(unknown) == ["NOT_FOUND"]
    made = person.ask(ENROL_TOTP)
    stolen = mallory.ask(CONFIRM_TOTP, factorId=made["factorId"], code=App(made["secret"]).code())
    assert codes_of(stolen) == ["NOT_FOUND"]


def test_a_short_password_needs_a_factor(server: Server, person: Person) -> None:
    """Eight characters with one; then the last one stays until the password is longer."""

    def change(new: str) -> list[str]:
        codes = codes_of(person.ask(CHANGE_PASSWORD, currentPassword=person.password, newPassword=new))
        if not codes:
            person.password = new
            person.sign_in(asked(server, COMPLETE, challenge=person.challenge(), recoveryCode=person.codes.pop()))
        return codes

    assert change(SHORT) == ["TOO_SHORT"]
    person.enrol_app()
    assert change("tiny-bo") == ["TOO_SHORT"]
    assert change(SHORT) == []
    [factor] = [each["id"] for each in person.factors() if each["kind"] == "TOTP"]
    assert person.ask(REMOVE, id=factor)["errors"] == [{"code": "PASSWORD_TOO_SHORT"}]
    assert {each["kind"] for each in person.factors()} == {"TOTP", "RECOVERY_CODE"}
    assert change(LONG) == []
    assert person.ask(REMOVE, id=factor)["removed"]
