"""A browser's session by cookies: signed in, held to its own pages, renewed and ended."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

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


def refreshed(client: httpx.Client, cookie: str) -> httpx.Response:
    """What a tab is answered that still has this refresh cookie; it keeps none of its own."""
    headers = ACCOUNT | {"cookie": f"fieldward_refresh={cookie}"}
    return httpx.post(client.base_url.join("/graphql"), json={"query": REFRESH}, headers=headers, timeout=20)


def test_tabs_that_renew_at_the_same_moment_stay_signed_in(browser: httpx.Client) -> None:
    """They share one cookie jar: each is given the same next refresh token, and an access token that holds."""
    cookie = browser.cookies["fieldward_refresh"]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: refreshed(browser, cookie), range(6)))
    assert [answer.json()["data"]["refreshSession"]["errors"] for answer in answers] == [[]] * 6
    following = {answer.cookies["fieldward_refresh"] for answer in answers}
    assert len(following) == 1
    assert following != {cookie}
    for answer in answers:
        kept = {"cookie": f"fieldward_access={answer.cookies['fieldward_access']}"}
        assert httpx.post(browser.base_url.join("/graphql"), json=ME, headers=ACCOUNT | kept).status_code == 200


def test_a_cookie_that_was_copied_ends_the_session(browser: httpx.Client) -> None:
    """Used again after two others have followed it; the browser is signed out too."""
    stolen = browser.cookies["fieldward_refresh"]
    for _ in range(2):
        assert browser.post("/graphql", json={"query": REFRESH}).json()["data"]["refreshSession"]["errors"] == []
    thief = refreshed(browser, stolen)
    assert [error["code"] for error in thief.json()["data"]["refreshSession"]["errors"]] == ["SESSION_ENDED"]
    assert "set-cookie" not in thief.headers
    assert browser.post("/graphql", json=ME).status_code == 401
    owner = browser.post("/graphql", json={"query": REFRESH}).json()["data"]["refreshSession"]
    assert [error["code"] for error in owner["errors"]] == ["SESSION_ENDED"]


def test_a_sign_in_begins_a_session_of_its_own(browser: httpx.Client) -> None:
    """Cookies that somebody planted before are replaced, not taken over (session fixation)."""
    planted = dict(browser.cookies)
    assert browser.post("/graphql", json={"query": SIGN_IN % PASSWORD}).json()["data"]["signIn"]["errors"] == []
    for name in ("fieldward_access", "fieldward_refresh"):
        assert browser.cookies[name] != planted[name]
    assert browser.cookies["fieldward_refresh"].split(".")[0] != planted["fieldward_refresh"].split(".")[0]


def test_the_session_is_renewed_and_ended(browser: httpx.Client) -> None:
    """By its cookies, which are gone after the sign-out."""
    renewed = browser.post("/graphql", json={"query": REFRESH}).json()["data"]["refreshSession"]
    assert (renewed["accessToken"], renewed["expiresIn"], renewed["errors"]) == (None, 300, [])
    assert browser.post("/graphql", json=ME).status_code == 200
    ended = browser.post("/graphql", json={"query": "mutation { signOut { errors { code } } }"})
    assert ended.json() == {"data": {"signOut": {"errors": []}}}
    assert set(browser.cookies) == {"fieldward_device"}, "what knows the device opens nothing"
    assert browser.post("/graphql", json=ME).status_code == 401
    again = browser.post("/graphql", json={"query": REFRESH}).json()["data"]["refreshSession"]
    assert [error["code"] for error in again["errors"]] == ["SESSION_ENDED"]
