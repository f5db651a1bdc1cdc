"""A foreign page cannot use the session of somebody who visits it (CSRF), nor put its own in the place of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

import httpx
import pytest

from tests.e2e.attacks.tables import table
from tests.e2e.conftest import NEW_PASSWORD, Newcomer
from tests.e2e.server import GRAPHQL, PASSWORD, Account, Server

SIGN_OUT: Final = "mutation { signOut(everywhere: true) { ended } }"
SIGN_IN: Final = """mutation ($login: String!, $password: String!) {
  signIn(input: {login: $login, password: $password, cookie: true}) { user { username } errors { code } } }"""
ME: Final = {"query": "{ me { username } }"}
ACCOUNT: Final = {"accept": GRAPHQL, "data-purpose": "ACCOUNT"}


@pytest.fixture
def browser(server: Server, newcomer: Newcomer) -> Iterator[httpx.Client]:
    """A browser in which somebody is signed in."""
    name = _name(newcomer())
    with httpx.Client(base_url=server.url, timeout=20, headers=ACCOUNT) as client:
        _sign_in(client, name, NEW_PASSWORD)
        yield client


def _name(account: Account) -> str:
    return str(account.data("{ me { username } }", purpose="ACCOUNT")["me"]["username"])


def _sign_in(client: httpx.Client, login: str, password: str) -> None:
    variables = {"login": login, "password": password}
    payload = client.post("/graphql", json={"query": SIGN_IN, "variables": variables}).json()["data"]["signIn"]
    assert payload == {"user": {"username": login}, "errors": []}


@pytest.mark.parametrize("attack", table("pages"))
def test_a_foreign_page_changes_nothing(attack: Mapping[str, Any], browser: httpx.Client, server: Server) -> None:
    """The request is refused, and the session goes on."""

    def filled(text: str) -> str:
        words = {"$query": quote(SIGN_OUT), "$json": json.dumps({"query": SIGN_OUT}), "$origin": server.url}
        for word, value in words.items():
            text = text.replace(word, value)
        return text

    answer = browser.request(
        attack.get("method", "POST"),
        "/graphql" + filled(attack.get("address", "")),
        content=filled(attack.get("body", "")),
        headers={name: filled(value) for name, value in attack.get("headers", {}).items()},
    )
    assert answer.status_code == attack["status"], answer.text
    assert "access-control-allow-origin" not in answer.headers
    assert browser.post("/graphql", json=ME).json()["data"]["me"] is not None


def test_the_same_from_ones_own_page_works(browser: httpx.Client, server: Server) -> None:
    """So that the table above is not about requests that could never do anything."""
    answer = browser.post("/graphql", json={"query": SIGN_OUT}, headers={"origin": server.url})
    assert answer.json()["data"]["signOut"]["ended"] == 2
    assert browser.post("/graphql", json=ME).status_code != 200


def test_a_session_that_was_planted_is_not_adopted(server: Server, newcomer: Newcomer) -> None:
    """Whoever signs in gets tokens of their own; those that were put into the browser before stay the attacker's."""
    attacker, victim = newcomer(), _name(newcomer())
    planted = {"fieldward_access": attacker.token, "fieldward_refresh": attacker.refresh_token or ""}
    with httpx.Client(base_url=server.url, timeout=20, headers=ACCOUNT, cookies=planted) as client:
        _sign_in(client, victim, NEW_PASSWORD)
        own = {cookie.name: cookie.value for cookie in client.cookies.jar if cookie.domain == "127.0.0.1"}
    assert own["fieldward_access"] != attacker.token
    assert (own["fieldward_refresh"] or "").split(".")[0] != (attacker.refresh_token or "").split(".")[0]
    assert _name(attacker) != victim


def test_a_session_that_was_made_up_is_not_adopted(server: Server) -> None:
    """No identifier that comes with the sign-in becomes that of the session."""
    made_up = "ses_eu_01hzzzzzzzzzzzzzzzzzzzzzzz.0.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    cookies = {"fieldward_refresh": made_up, "fieldward_device": "known.1.AAAA"}
    with httpx.Client(base_url=server.url, timeout=20, headers=ACCOUNT, cookies=cookies) as client:
        _sign_in(client, "minor", PASSWORD)
    refresh = "mutation ($t: String!) { refreshSession(input: {refreshToken: $t}) { errors { code } } }"
    assert server.post(refresh, {"t": made_up}).json()["data"]["refreshSession"]["errors"] == [
        {"code": "SESSION_ENDED"}
    ]
