"""A browser's session by cookies: signed in, held to its own pages, renewed and ended."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.server import GRAPHQL, PASSWORD, Server

SIGN_IN = """mutation { signIn(input: {login: "minor", password: "%s", cookie: true}) {
  accessToken refreshToken user { username } errors { code } } }"""
REFRESH = "mutation { refreshSession { accessToken refreshToken expiresIn errors { code } } }"
ME = {"query": "{ me { username } }"}
ACCOUNT = {"accept": GRAPHQL, "data-purpose": "ACCOUNT"}


@pytest.fixture
def browser(server: Server) -> Iterator[httpx.Client]:
    """A client that keeps cookies, signed in."""
    with httpx.Client(base_url=server.url, timeout=20, headers=ACCOUNT) as client:
        payload = client.post("/graphql", json={"query": SIGN_IN % PASSWORD}).json()["data"]["signIn"]
        assert payload == {"accessToken": None, "refreshToken": None, "user": {"username": "minor"}, "errors": []}
        yield client


def test_a_page_of_this_origin_reads(browser: httpx.Client, server: Server) -> None:
    """The cookie alone is enough, and no script can read it."""
    assert browser.post("/graphql", json=ME, headers={"origin": server.url}).json()["data"]["me"]["username"] == "minor"
    assert browser.post("/graphql", json=ME).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_a_page_of_another_origin_does_not(origin: str, browser: httpx.Client) -> None:
    """403 with a code of its own, and no permission to read the answer."""
    response = browser.post("/graphql", json=ME, headers={"origin": origin})
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (403, "CSRF")
    assert "access-control-allow-origin" not in response.headers


def test_a_link_or_a_form_does_nothing(browser: httpx.Client) -> None:
    """What a foreign page can make a browser send by itself needs a header that it cannot send."""
    assert browser.get("/graphql", params=ME).status_code == 403
    assert browser.get("/graphql", params=ME, headers={"graphql-require-preflight": "1"}).status_code == 200
    form = browser.post("/graphql", data=ME)
    text = browser.post("/graphql", content='{"query": "{ me { username } }"}', headers={"content-type": "text/plain"})
    assert (form.status_code, text.status_code) == (415, 415)


def test_the_session_is_renewed_and_ended(browser: httpx.Client) -> None:
    """By its cookies, which are gone after the sign-out."""
    renewed = browser.post("/graphql", json={"query": REFRESH}).json()["data"]["refreshSession"]
    assert (renewed["accessToken"], renewed["expiresIn"], renewed["errors"]) == (None, 300, [])
    assert browser.post("/graphql", json=ME).status_code == 200
    ended = browser.post("/graphql", json={"query": "mutation { signOut { errors { code } } }"})
    assert ended.json() == {"data": {"signOut": {"errors": []}}}
    assert dict(browser.cookies) == {}
    assert browser.post("/graphql", json=ME).status_code == 401
    again = browser.post("/graphql", json={"query": REFRESH}).json()["data"]["refreshSession"]
    assert [error["code"] for error in again["errors"]] == ["SESSION_ENDED"]
