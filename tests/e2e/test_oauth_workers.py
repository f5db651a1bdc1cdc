"""Two worker processes share what services do: an assertion is used once, a new signing key is known to both."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from joserfc.jws import extract_compact

from tests.e2e.server import Server
from tests.e2e.services import GRANT, asked, fieldward, registered
from tests.e2e.test_workers import clients, pair
from tests.integration.identity.service_keys import ServiceKey, asserted

__all__ = ["clients", "pair"]

pytestmark = pytest.mark.slow

TURN_SECONDS = 60  # ten until the new key signs, on a machine that has much else to do


@pytest.fixture
def service(pair: Server) -> tuple[str, str]:
    """A service of the two workers."""
    return registered(pair)


def token(client: httpx.Client, service: tuple[str, str]) -> str:
    """A token from the worker behind this connection."""
    return str(client.post("/oauth/token", data=GRANT, auth=service).json()["access_token"])


def kid(access_token: str) -> str:
    """The key that signed it."""
    return str(extract_compact(access_token.encode()).headers()["kid"])


def later(seconds: float = TURN_SECONDS) -> Iterator[None]:
    """Time and again, until it has taken too long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        yield
        time.sleep(0.2)
    raise AssertionError("it did not happen in time")


def test_an_assertion_works_once_for_both(pair: Server, clients: list[httpx.Client], tmp_path: Path) -> None:
    """Sent to each of them several times at once."""
    key, file = ServiceKey.make(), tmp_path / "jwks.json"
    file.write_text(key.jwks())
    client_id, _ = registered(pair, "--jwks", str(file))
    form = asserted(key.assertion(client_id, pair.url))
    with ThreadPoolExecutor(len(clients)) as pool:
        answers = list(pool.map(lambda client: client.post("/oauth/token", data=form).status_code, clients))
    assert sorted(answers) == [200] + [401] * (len(clients) - 1)


def test_a_rotation_loses_no_token(pair: Server, clients: list[httpx.Client], service: tuple[str, str]) -> None:
    """What was issued before goes on on both; while the key changes and after it, what one issues both take."""
    before = token(clients[0], service)
    fieldward(pair, "keys", "rotate", "signing", "--now")
    seen = {kid(before)}
    for _ in later():
        issued = [token(client, service) for client in clients[:2]]
        assert {asked(pair, each, http=client).status_code for each in issued for client in clients} == {200}
        seen |= set(map(kid, issued))
        if {kid(each) for each in issued} == seen - {kid(before)}:
            break
    assert {asked(pair, before, http=client).status_code for client in clients} == {200}
    published = [{key["kid"] for key in c.get("/.well-known/jwks.json").json()["keys"]} for c in clients]
    assert all(keys == seen for keys in published)
    assert len(seen) == 2


def test_a_key_that_leaked_is_refused_by_both(
    pair: Server, clients: list[httpx.Client], service: tuple[str, str]
) -> None:
    """With the tokens that were taken before; a new one is taken by both."""
    before = token(clients[0], service)
    assert {asked(pair, before, http=client).status_code for client in clients} == {200}
    fieldward(pair, "keys", "rotate", "signing", "--leaked")
    for _ in later():
        if {asked(pair, before, http=client).status_code for client in clients} == {401}:
            break
    after = token(clients[1], service)
    assert {asked(pair, after, http=client).status_code for client in clients} == {200}
    assert kid(after) != kid(before)


def test_a_revoked_token_is_refused_by_both(
    pair: Server, clients: list[httpx.Client], service: tuple[str, str]
) -> None:
    """Within a second of the answer."""
    ended = token(clients[0], service)
    assert {asked(pair, ended, http=client).status_code for client in clients} == {200}
    assert clients[0].post("/oauth/revoke", data={"token": ended}, auth=service).status_code == 200
    for _ in later(1):
        if {asked(pair, ended, http=client).status_code for client in clients} == {401}:
            break
