"""Guessing and flooding over HTTP: who tries too often waits, and nobody else does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from auth.allowances import ALLOWANCES, FREE, Action
from models.activity import IpLogDocument
from models.database import Database
from tests.e2e.conftest import REGISTER, Serve
from tests.e2e.databases import on_database
from tests.e2e.server import GRAPHQL, PASSWORD, SERVICE, SIGN_IN, Server
from tests.stores import clear

pytestmark = pytest.mark.slow  # waiting is what they are about

FLOOD: Final = 200
TRY: Final = """
mutation ($login: String!, $password: String!, $device: String) {
  signIn(input: {login: $login, password: $password, deviceToken: $device}) { deviceToken errors { code } }
}"""
TRY_WITH_COOKIES: Final = """
mutation ($login: String!, $password: String!) {
  signIn(input: {login: $login, password: $password, cookie: true}) { deviceToken errors { code } }
}"""
CHANGE_PASSWORD: Final = """
mutation { changePassword(input: {currentPassword: "not it at all", newPassword: "the-lamp-by-the-river"}) {
  errors { code }
} }"""


@pytest.fixture(scope="module")
def proxied(real_mongodb: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two workers behind a proxy on this machine, which tests play: `frm` says where a request comes from."""
    running = Server(tmp_path_factory.mktemp("throttling") / "data", TRUSTED_PROXIES="127.0.0.1", WORKERS="2")
    yield running.ready()
    running.stop()


def frm(address: str) -> Mapping[str, str]:
    """The header that a proxy adds."""
    return {"x-forwarded-for": address}


def attempt(
    server: Server, login: str, password: str = "wrong", *, device: str | None = None, at: str = ""
) -> httpx.Response:
    """One sign-in."""
    return server.post(TRY, {"login": login, "password": password, "device": device}, headers=frm(at) if at else {})


def outcome(response: httpx.Response) -> str:
    """The code of a failure; empty for a success."""
    body = response.json()
    if "errors" in body:
        return str(body["errors"][0]["extensions"]["code"])
    return "".join(error["code"] for error in body["data"]["signIn"]["errors"])


def exhaust(server: Server, login: str) -> None:
    """Fail until the account waits, and have it wait for longer than a test takes on a slow machine."""
    assert {outcome(attempt(server, login)) for _ in range(FREE)} == {"BAD_CREDENTIALS"}
    with server.database() as client:
        later = {"$set": {"until": datetime.now(UTC) + timedelta(minutes=15)}}
        changed = client.get_default_database().throttle.update_many({"number": {"$gte": FREE}}, later)
    assert changed.modified_count


def test_a_guesser_has_to_wait_and_is_told_how_long(proxied: Server) -> None:
    """In a header and in the error; the right password is refused alike."""
    exhaust(proxied, "analyst")
    for password in ("wrong", PASSWORD):
        limited = attempt(proxied, "analyst", password)
        assert limited.status_code == 429
        error = limited.json()["errors"][0]
        assert error["extensions"]["code"] == "RATE_LIMITED"
        assert int(limited.headers["retry-after"]) == error["extensions"]["retryAfter"] >= 1
        assert limited.json()["data"] is None


def test_many_guesses_in_one_request_are_no_more(proxied: Server) -> None:
    """Under other names in one document; what went before the refusal is not told either."""
    login = f"one.{uuid4().hex[:10]}"
    guesses = " ".join(
        f'g{number}: signIn(input: {{login: "{login}", password: "guess {number}"}}) {{ errors {{ code }} }}'
        for number in range(3)
    )
    first, answer = (proxied.post(f"mutation {{ {guesses} }}") for _ in range(2))
    assert [len(payload["errors"]) for payload in first.json()["data"].values()] == [1, 1, 1]
    assert (answer.status_code, answer.json()["data"]) == (429, None)
    assert "retry-after" in answer.headers


def test_waiting_does_not_tell_which_names_are_of_one_account(proxied: Server) -> None:
    """A user name that is tried while an address waits is answered like one that somebody else has, or nobody."""
    exhaust(proxied, "privacy@demo.example")
    assert outcome(attempt(proxied, "Privacy@Demo.example", PASSWORD)) == "RATE_LIMITED"
    for login in ("privacy", "subject", "nobody.at.all"):
        assert outcome(attempt(proxied, login)) == "BAD_CREDENTIALS"


def test_an_unknown_account_waits_just_as_a_known_one(proxied: Server) -> None:
    """Answers are the same, one by one, but for the seconds."""
    unknown: list[httpx.Response] = []
    known: list[httpx.Response] = []
    for login, answers in (("nobody.here", unknown), ("minor", known)):
        exhaust(proxied, login)
        answers += [attempt(proxied, login, password) for password in ("wrong", PASSWORD)]
    for one, other in zip(unknown, known, strict=True):
        assert one.status_code == other.status_code
        assert _without_seconds(one.json()) == _without_seconds(other.json())
        assert set(one.headers) == set(other.headers)
    assert outcome(unknown[-1]) == "RATE_LIMITED"


def _without_seconds(body: dict[str, Any]) -> dict[str, Any]:
    for error in body.get("errors", ()):
        error["extensions"].pop("retryAfter")
    return body


def test_the_owner_gets_in_while_others_guess(proxied: Server) -> None:
    """By the token of the device that has signed in before; another's token does not help."""
    own = attempt(proxied, "support", PASSWORD).json()["data"]["signIn"]["deviceToken"]
    others = attempt(proxied, "security", PASSWORD).json()["data"]["signIn"]["deviceToken"]
    for login in ("support", "support@demo.example"):
        exhaust(proxied, login)
        assert outcome(attempt(proxied, login, PASSWORD)) == "RATE_LIMITED"
        assert outcome(attempt(proxied, login, PASSWORD, device=others)) == "RATE_LIMITED"
        assert outcome(attempt(proxied, login, PASSWORD, device=own)) == ""


def test_a_browser_is_known_by_its_cookie(proxied: Server) -> None:
    """Which scripts cannot read, and which stays when the session goes."""
    variables = {"login": "admin", "password": PASSWORD}
    with httpx.Client(base_url=proxied.url, timeout=20) as browser:
        first = browser.post("/graphql", json={"query": TRY_WITH_COOKIES, "variables": variables})
        assert first.json()["data"]["signIn"]["deviceToken"] is None
        cookie = next(each for each in first.headers.get_list("set-cookie") if each.startswith("fieldward_device="))
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        browser.post("/graphql", json={"query": "mutation { signOut { ended } }"})
        exhaust(proxied, "admin")
        again = browser.post("/graphql", json={"query": TRY_WITH_COOKIES, "variables": variables})
        assert again.json()["data"]["signIn"]["errors"] == []


def test_an_address_cannot_be_made_up(proxied: Server, server: Server) -> None:
    """What a client puts before the proxy's own entry is not believed; without a trusted proxy nothing is."""
    assert _seen_address(proxied, "203.0.113.200, 192.0.2.55") == "192.0.2.55"
    assert _seen_address(server, "192.0.2.55") == "127.0.0.1"


def _seen_address(server: Server, forwarded: str) -> str:
    answer = server.post(SIGN_IN, {"login": "subject", "password": PASSWORD}, headers=frm(forwarded)).json()
    person = answer["data"]["signIn"]["user"]["id"]

    async def latest(database: Database) -> str:
        [row] = await database.find(IpLogDocument, {"person": person}, sort=[("at", -1)], limit=1)
        await clear(database, IpLogDocument, row)
        return str(row["ip"])

    return on_database(server, latest)


def test_registrations_are_counted_by_network(proxied: Server) -> None:
    """Also those that succeed; one that is not let in makes no account."""
    names = [f"crowd.{uuid4().hex[:10]}" for _ in range(ALLOWANCES[Action.REGISTER] * 2 + 5)]

    def register(name: str) -> str:
        made = {"username": name, "email": f"{name}@people.example", "password": "a-quiet-harbour-at-dawn"}
        body = proxied.post(REGISTER, {"input": made}, headers=frm("2001:db8:7::1")).json()
        return str(body["errors"][0]["extensions"]["code"]) if "errors" in body else ""

    outcomes = {}
    for name in names:
        outcomes[name] = register(name)
        if outcomes[name]:
            break
    assert outcomes[name] == "RATE_LIMITED"
    with proxied.database() as client:
        stored = client.get_default_database().users.count_documents({"username_key": {"$regex": "^crowd[.]"}})
    assert stored == sum(code == "" for code in outcomes.values()) >= ALLOWANCES[Action.REGISTER]


def test_guessing_the_password_of_an_open_session_is_limited(proxied: Server) -> None:
    """Whoever finds a signed-in browser cannot try on."""
    name = f"open.{uuid4().hex[:10]}"
    made = {"username": name, "email": f"{name}@people.example", "password": "a-quiet-harbour-at-dawn"}
    assert proxied.post(REGISTER, {"input": made}).json()["data"]["register"]["errors"] == []
    account = proxied.sign_in(name, "a-quiet-harbour-at-dawn")
    tries = [account.ask(CHANGE_PASSWORD, purpose="ACCOUNT") for _ in range(FREE + 3)]
    assert {each.status_code for each in tries} == {200, 429}
    assert "retry-after" in tries[-1].headers


async def test_a_flood_of_sign_ins_leaves_the_rest_of_the_api_quick(serve: Serve) -> None:
    """Hashing is bounded: those over it are turned away at once, and questions are answered in between."""
    own = serve()
    finished: list[str] = []
    accept = {"accept": GRAPHQL}
    limits = httpx.Limits(max_connections=FLOOD + 10)
    async with httpx.AsyncClient(base_url=own.url, timeout=60, limits=limits) as client:

        async def guess(number: int) -> httpx.Response:
            variables = {"login": f"somebody.{number}", "password": "wrong", "device": None}
            response = await client.post("/graphql", json={"query": TRY, "variables": variables}, headers=accept)
            finished.append("guess")
            return response

        async def ask() -> None:
            while finished.count("guess") < FLOOD:
                answer = await client.post("/graphql", json={"query": "{ purposes { key } }"})
                assert answer.json()["data"]["purposes"]
                finished.append("question")

        asking = asyncio.create_task(ask())
        responses = await asyncio.gather(*map(guess, range(FLOOD)))
        await asking
    outcomes = [outcome(response) for response in responses]
    assert set(outcomes) == {"BAD_CREDENTIALS", "RATE_LIMITED"}
    limited = [response for response in responses if outcome(response) == "RATE_LIMITED"]
    assert all(response.status_code == 429 and int(response.headers["retry-after"]) >= 1 for response in limited)
    # While guesses were being hashed, whole questions were answered in between.
    last = len(finished) - 1 - finished[::-1].index("guess")
    assert finished[:last].count("question") >= 3


def test_a_client_secret_cannot_be_guessed_without_end(proxied: Server) -> None:
    """By network only: whoever knows a service's name could keep it out otherwise."""

    def token(secret: str, at: str) -> httpx.Response:
        form = {"grant_type": "client_credentials"}
        return proxied.http.post("/oauth/token", data=form, auth=(SERVICE[0], secret), headers=frm(at))

    tries = [token("wrong", "192.0.2.200") for _ in range(ALLOWANCES[Action.TOKEN])]
    while (limited := token("wrong", "192.0.2.201")).status_code == 401:
        tries.append(limited)
    assert {each.status_code for each in tries} == {401}
    assert limited.status_code == 429
    assert int(limited.headers["retry-after"]) >= 1
    assert limited.json()["error"]
    assert token(SERVICE[1], "192.0.2.202").status_code == 429
    assert token(SERVICE[1], "203.0.113.1").status_code == 200
