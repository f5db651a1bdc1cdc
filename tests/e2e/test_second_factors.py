"""Authenticator apps and recovery codes over HTTP: enrolled, asked for, used, removed."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.e2e.conftest import NEW_PASSWORD, Who
from tests.e2e.people import status_of_me
from tests.e2e.second_factors import (
    BEGIN_STEP_UP,
    COMPLETE,
    CONFIRM_TOTP,
    ENROL_TOTP,
    NEW_CODES,
    SIGN_IN,
    STEP_UP,
    App,
    Person,
    arrive,
    asked,
    claims,
    codes_of,
    told,
)
from tests.e2e.server import GRAPHQL, Account, Server


@pytest.fixture
def person(server: Server) -> Person:
    """Somebody new."""
    return arrive(server)


@pytest.fixture
def app(person: Person) -> App:
    """Their authenticator app."""
    return person.enrol_app("Phone")


def test_a_factor_counts_once_it_is_confirmed(server: Server, person: Person) -> None:
    """Until then it is not shown, and not asked for."""
    made = person.ask(ENROL_TOTP)
    assert made["uri"].startswith("otpauth://totp/")
    assert made["secret"] in made["uri"]
    assert person.factors() == []
    assert person.begin()["secondFactor"] is None
    app = App(made["secret"])
    wrong = person.ask(CONFIRM_TOTP, factorId=made["factorId"], code=app.wrong())
    assert (codes_of(wrong), wrong["accessToken"]) == (["WRONG_CODE"], None)
    confirmed = person.ask(CONFIRM_TOTP, factorId=made["factorId"], code=app.code(), name="  My   phone ")
    person.confirmed(confirmed)
    assert len(set(person.codes)) == 10
    [shown] = [each for each in person.factors() if each["kind"] == "TOTP"]
    assert (shown["id"], shown["name"]) == (made["factorId"], "My phone")
    assert {each["kind"] for each in person.factors()} == {"TOTP", "RECOVERY_CODE"}
    assert person.begin()["secondFactor"] is not None


def test_who_has_a_factor_signs_in_in_two_steps(server: Server, person: Person, app: App) -> None:
    """The password alone opens nothing; the token then says how it was got."""
    begun = person.begin()
    challenge = begun.pop("secondFactor")
    assert codes_of(begun) == ["SECOND_FACTOR_REQUIRED"]
    assert {begun[key] for key in ("accessToken", "refreshToken", "expiresIn", "user")} == {None}
    assert (challenge["kinds"], challenge["passkeyOptions"]) == (["TOTP", "RECOVERY_CODE"], None)
    payload = asked(server, COMPLETE, challenge=challenge["challenge"], code=app.code())
    person.sign_in(payload)
    assert set(claims(payload["accessToken"])["amr"]) == {"pwd", "otp", "mfa"}
    assert status_of_me(person.account) == 200


def test_a_wrong_password_says_nothing_of_factors(server: Server, person: Person, app: App) -> None:
    """It is answered as for everybody."""
    answer = asked(server, SIGN_IN, login=person.name, password="not-the-right-one")
    nobody = asked(server, SIGN_IN, login="nobody.of.that.name", password="not-the-right-one")
    assert answer == nobody


def test_a_code_and_a_challenge_work_once(server: Server, person: Person, app: App) -> None:
    """The same code not for another challenge, the same challenge not for another code."""
    challenge, code = person.challenge(), app.code()
    person.sign_in(asked(server, COMPLETE, challenge=challenge, code=code))
    assert codes_of(asked(server, COMPLETE, challenge=person.challenge(), code=code)) == ["WRONG_CODE"]
    again = asked(server, COMPLETE, challenge=challenge, recoveryCode=person.codes[0])
    assert codes_of(again) == ["CHALLENGE_ENDED"]


def test_of_many_with_one_code_one_gets_in(server: Server, person: Person, app: App) -> None:
    """Each with a challenge of their own, at the same moment."""
    challenges, code = [person.challenge() for _ in range(4)], app.code()
    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(lambda each: server.post(COMPLETE, {"input": {"challenge": each, "code": code}}), challenges)
        payloads = [(answer.json()["data"] or {}).get("completeSignIn") or {} for answer in answers]
    assert sum(bool(payload.get("accessToken")) for payload in payloads) == 1


def test_five_wrong_codes_end_the_challenge(server: Server, person: Person, app: App) -> None:
    """And not the account: after a moment it goes on with a new one."""
    challenge = person.challenge()
    for _ in range(5):
        assert codes_of(asked(server, COMPLETE, challenge=challenge, code=app.wrong())) == ["WRONG_CODE"]
    sixth = server.post(COMPLETE, {"input": {"challenge": challenge, "code": app.code()}})
    assert (sixth.status_code, sixth.json()["errors"][0]["extensions"]["code"]) == (429, "RATE_LIMITED")
    time.sleep(int(sixth.headers["retry-after"]))
    assert codes_of(asked(server, COMPLETE, challenge=challenge, code=app.code())) == ["CHALLENGE_ENDED"]
    while (
        answer := server.post(COMPLETE, {"input": {"challenge": person.challenge(), "recoveryCode": person.codes[0]}})
    ).status_code == 429:
        time.sleep(0.2)
    person.sign_in(answer.json()["data"]["completeSignIn"])


@pytest.mark.parametrize("challenge", ["", "nonsense", "a" * 4000])
def test_a_challenge_that_was_not_given_is_none(server: Server, challenge: str) -> None:
    """Whatever comes with it."""
    assert codes_of(asked(server, COMPLETE, challenge=challenge, code="123456")) == ["CHALLENGE_ENDED"]


@pytest.mark.parametrize("proofs", [{}, {"code": "123456", "recoveryCode": "abcd"}, {"passkey": "{}", "code": "1"}])
def test_one_proof_at_a_time(server: Server, person: Person, app: App, proofs: dict[str, str]) -> None:
    """Neither none nor two; nothing is used up by it."""
    challenge = person.challenge()
    assert codes_of(asked(server, COMPLETE, challenge=challenge, **proofs)) == ["ONE_PROOF"]
    assert codes_of(person.ask(STEP_UP, **proofs)) == ["ONE_PROOF"]
    person.sign_in(asked(server, COMPLETE, challenge=challenge, code=app.code()))


def test_a_recovery_code_takes_the_place_of_a_factor_once(server: Server, person: Person, app: App) -> None:
    """However it is typed; the person is told."""
    first, second = person.codes[:2]
    payload = asked(server, COMPLETE, challenge=person.challenge(), recoveryCode=first.replace("-", " ").upper())
    person.sign_in(payload)
    assert set(claims(payload["accessToken"])["amr"]) == {"pwd", "otp", "mfa"}
    again = asked(server, COMPLETE, challenge=person.challenge(), recoveryCode=first)
    assert codes_of(again) == ["WRONG_CODE"]
    renewed = person.ask(NEW_CODES)["recoveryCodes"]
    assert codes_of(asked(server, COMPLETE, challenge=person.challenge(), recoveryCode=second)) == ["WRONG_CODE"]
    assert codes_of(asked(server, COMPLETE, challenge=person.challenge(), recoveryCode=renewed[0])) == []
    assert told(server, person, "recovery code of your account was used", "Your recovery codes are new")


def test_a_step_up_is_by_what_the_person_has(server: Server, person: Person) -> None:
    """The password for those without a factor; with one it is not enough."""
    assert person.ask(BEGIN_STEP_UP)["kinds"] == []
    before = claims(person.account.access_token)
    assert codes_of(person.ask(STEP_UP, password="not-the-right-one")) == ["WRONG_PASSWORD"]
    assert codes_of(person.ask(STEP_UP, code="123456")) == ["WRONG_CODE"]
    stepped = person.ask(STEP_UP, password=NEW_PASSWORD)
    after = claims(stepped["accessToken"])
    assert (after["sid"], after["amr"], stepped["refreshToken"]) == (before["sid"], ["pwd"], None)
    assert after["auth_time"] > before["auth_time"]
    app = person.enrol_app()
    assert person.ask(BEGIN_STEP_UP)["kinds"] == ["TOTP", "RECOVERY_CODE"]
    assert codes_of(person.ask(STEP_UP, password=NEW_PASSWORD)) == ["SECOND_FACTOR_REQUIRED"]
    assert codes_of(person.ask(STEP_UP, code=app.wrong())) == ["WRONG_CODE"]
    assert "mfa" in claims(person.ask(STEP_UP, code=app.code())["accessToken"])["amr"]
    assert person.ask(STEP_UP, recoveryCode=person.codes[0])["user"] == {"id": person.account.id}


def test_a_step_up_is_for_those_who_are_signed_in(server: Server, who: Who) -> None:
    """Neither for nobody nor for a service."""
    nobody = server.post(STEP_UP, {"input": {"password": NEW_PASSWORD}}).json()
    assert [error["extensions"]["code"] for error in nobody["errors"]] == ["UNAUTHENTICATED"]
    service: Account = who("service")
    assert codes_of(service.data(BEGIN_STEP_UP)["beginStepUp"]) == ["NOT_A_PERSON"]
    assert service.ask(ENROL_TOTP, purpose="SUPPORT").status_code == 403


def test_a_browser_signs_in_in_two_steps(server: Server, person: Person, app: App) -> None:
    """By cookies, which are set when the second one is done; a step-up renews the first of them."""
    given = {"login": person.name, "password": person.password, "cookie": True}
    with httpx.Client(base_url=server.url, timeout=20, headers={"accept": GRAPHQL, "data-purpose": "ACCOUNT"}) as page:

        def ask(document: str, **more: object) -> dict[str, object]:
            answer = page.post("/graphql", json={"query": document, "variables": {"input": more}}).json()
            [payload] = answer["data"].values()
            return dict(payload)

        challenge = ask(SIGN_IN, **given)["secondFactor"]
        assert isinstance(challenge, dict)
        assert dict(page.cookies) == {}
        done = ask(COMPLETE, challenge=challenge["challenge"], code=app.code(), cookie=True)
        assert (done["accessToken"], done["refreshToken"], done["errors"]) == (None, None, [])
        first = dict(page.cookies)
        assert {"fieldward_access", "fieldward_refresh"} <= first.keys()
        assert ask(STEP_UP, recoveryCode=person.codes[0])["accessToken"] is None
        second = dict(page.cookies)
        assert second["fieldward_access"] != first["fieldward_access"]
        assert second["fieldward_refresh"] == first["fieldward_refresh"]
