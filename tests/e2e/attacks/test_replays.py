"""What was used once, taken back or copied opens nothing any more."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.conftest import Newcomer, Who
from tests.e2e.people import refused_soon, status_of_me
from tests.e2e.second_factors import COMPLETE, STEP_UP, arrive, asked, codes_of
from tests.e2e.server import Account, Server
from tests.e2e.services import command
from tests.e2e.staff import REVOKE, access, changed, granted, hired, renewed
from tests.integration.identity.service_keys import ServiceKey, asserted

REFRESH: Final = """
mutation ($t: String!) { refreshSession(input: {refreshToken: $t}) { accessToken refreshToken errors { code } } }"""
SIGN_OUT: Final = "mutation { signOut { ended } }"


def refresh(server: Server, token: str) -> dict[str, Any]:
    """What a refresh token is answered."""
    return dict(server.post(REFRESH, {"t": token}).json()["data"]["refreshSession"])


def test_a_copied_refresh_token_ends_the_session(server: Server, newcomer: Newcomer) -> None:
    """Of thief and owner nobody goes on: an old one that comes again says that there are two."""
    account = newcomer()
    copied = account.refresh_token or ""
    second = refresh(server, copied)["refreshToken"]
    third = refresh(server, second)
    assert third["errors"] == []
    account.access_token = third["accessToken"]
    assert status_of_me(account) == 200
    assert refresh(server, copied)["errors"] == [{"code": "SESSION_ENDED"}]
    assert refresh(server, third["refreshToken"])["errors"] == [{"code": "SESSION_ENDED"}]
    assert refused_soon(lambda: status_of_me(account))


def test_knowing_a_sessions_id_ends_nothing(server: Server, newcomer: Newcomer) -> None:
    """A made-up token of an old generation is not proof that there are two."""
    account = newcomer()
    first = account.refresh_token or ""
    session, _, secret = first.split(".")
    second = refresh(server, first)
    made_up = [
        f"{session}.0.{'A' * 43}",
        f"{session}.0.{secret[::-1]}",
        f"{session}.1.{secret}",
        f"{session}.9.{secret}",
    ]
    for token in (*made_up, f"{session}.-1.{secret}", f"{session}.0.", session, f"{session}.{10**30}.{secret}"):
        assert refresh(server, token)["errors"] == [{"code": "SESSION_ENDED"}]
    assert refresh(server, second["refreshToken"])["errors"] == []


def test_a_session_that_was_signed_out_is_over(server: Server, newcomer: Newcomer) -> None:
    """Both its tokens, within a second."""
    account = newcomer()
    assert account.data(SIGN_OUT)["signOut"]["ended"] == 1
    assert refused_soon(lambda: status_of_me(account))
    assert refresh(server, account.refresh_token or "")["errors"] == [{"code": "SESSION_ENDED"}]


def test_a_role_is_not_kept_after_it_was_taken(server: Server, who: Who) -> None:
    """Neither in the token that said so, nor in the next one of the same session."""
    support = hired(server, who("admin"), "SUPPORT").account
    look = '{ user(by: {username: "subject"}) { username } }'
    assert access(support)["roles"] == ["SUPPORT"]
    assert support.ask(look, purpose="SUPPORT").status_code == 200
    assert changed(who("admin"), REVOKE, support.id, "SUPPORT")["errors"] == []
    assert refused_soon(lambda: support.ask(look, purpose="SUPPORT").status_code)
    renewed(support)
    assert access(support)["roles"] == []
    assert support.ask(look, purpose="SUPPORT").status_code == 403


@pytest.mark.slow
def test_a_role_that_was_given_for_a_while_ends(server: Server, who: Who) -> None:
    """No token outlives it."""
    admin, analyst = who("admin"), hired(server, who("admin")).account
    until = time.time() + 4
    ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until + 1))
    granted(admin, analyst.id, "ANALYST", expiresAt=ends)
    renewed(analyst)
    assert access(analyst)["roles"] == ["ANALYST"]
    while status_of_me(analyst) == 200:
        assert time.time() < until + 15
        time.sleep(0.2)
    renewed(analyst)
    assert access(analyst)["roles"] == []


@pytest.mark.slow
def test_an_assertion_counts_once(server: Server, tmp_path: Path) -> None:
    """Nor does it count for somebody else, elsewhere, or later (RFC 7523, section 3)."""
    keys = {}
    for name in ("one", "other"):
        key, file = ServiceKey.make("ES256"), tmp_path / f"{name}.json"
        file.write_text(key.jwks())
        made = command(
            server,
            "add",
            f"Service {name}",
            "--scope",
            "user.contact:read",
            "--purpose",
            "SUPPORT",
            "--jwks",
            str(file),
        )
        keys[name] = (made["client_id"], key)
    endpoint = f"{server.url}/oauth/token"
    one, key = keys["one"]
    other, _ = keys["other"]
    good = asserted(key.assertion(one, endpoint))
    assert server.http.post("/oauth/token", data=good).status_code == 200
    for wrong in (
        good,
        asserted(key.assertion(other, endpoint)),
        asserted(key.assertion(one, "https://elsewhere.example/oauth/token")),
        asserted(key.assertion(one, f"{server.url}/graphql")),
    ):
        answer = server.http.post("/oauth/token", data=wrong)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), answer.text
    assert server.post("{ purposes { key } }", token=good["client_assertion"]).status_code in (200, 401)
    assert server.post("{ me { username } }", token=good["client_assertion"], purpose="SUPPORT").status_code == 401


def test_a_code_counts_once(server: Server) -> None:
    """At sign-in and for a step-up; a recovery code likewise."""
    person = arrive(server)
    app = person.enrol_app()
    code = app.code()
    assert codes_of(asked(server, COMPLETE, challenge=person.challenge(), code=code)) == []
    assert codes_of(asked(server, COMPLETE, challenge=person.challenge(), code=code)) == ["WRONG_CODE"]
    assert codes_of(person.ask(STEP_UP, code=code)) == ["WRONG_CODE"]
    recovery = person.codes[0]
    assert codes_of(person.ask(STEP_UP, recoveryCode=recovery)) == []
    assert codes_of(asked(server, COMPLETE, challenge=person.challenge(), recoveryCode=recovery)) == ["WRONG_CODE"]


def test_the_token_of_a_deleted_account_opens_nothing(server: Server, newcomer: Newcomer) -> None:
    """Within a second."""
    account: Account = newcomer()
    delete = 'mutation { deleteUser(input: {password: "a-quiet-harbour-at-dawn"}) { deleted errors { code } } }'
    assert account.data(delete, purpose="ACCOUNT")["deleteUser"]["deleted"]
    assert refused_soon(lambda: status_of_me(account))
    assert refresh(server, account.refresh_token or "")["errors"] == [{"code": "SESSION_ENDED"}]
