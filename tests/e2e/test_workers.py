"""Two worker processes: what one is told the other knows within a second, and all stop together."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeAlias

import httpx
import pytest

from tests.e2e.second_factors import arrive
from tests.e2e.server import Account, Json, Server, request_headers
from tests.e2e.staff import REVOKE, access, changed, granted, renewed

pytestmark = pytest.mark.slow

EACH: Final = 6
REFRESH_OWN: Final = """
mutation ($token: String!) {
  refreshSession(input: {refreshToken: $token}) { refreshToken session errors { code } }
}"""
GRANT: Final = """
mutation ($user: ID!) {
  grantRole(input: {user: $user, role: ANALYST, reason: "Covers for a colleague"}) { errors { code } }
}"""


@pytest.fixture(scope="module")
def pair(real_mongodb: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service with two workers."""
    server = Server(tmp_path_factory.mktemp("workers") / "data", WORKERS="2").ready()
    yield server
    server.stop()


@pytest.fixture
def clients(pair: Server) -> Iterator[list[httpx.Client]]:
    """Connections that stay open, `EACH` to each of the two workers."""
    until, opened = time.monotonic() + 60, list[httpx.Client]()
    of: dict[str, list[httpx.Client]] = {}
    # Which worker takes a connection is up to the system, and the second may start later than the first.
    while len(of) < 2 or min(map(len, of.values())) < EACH:
        assert time.monotonic() < until, f"only {len(of)} worker takes connections"
        opened += [httpx.Client(base_url=pair.url, timeout=20) for _ in range(EACH)]
        with ThreadPoolExecutor(EACH) as pool:
            for worker, client in zip(pool.map(worker_of, opened[-EACH:]), opened[-EACH:], strict=True):
                of.setdefault(worker, []).append(client)
    yield [client for pairs in zip(*of.values(), strict=False) for client in pairs][: 2 * EACH]
    for client in opened:
        client.close()


def worker_of(client: httpx.Client) -> str:
    """The process behind a connection, as its metrics say."""
    text = client.get("/metrics").text
    return text.partition('worker="')[2].partition('"')[0]


def status(client: httpx.Client, account: Account) -> int:
    """How a signed-in read is answered on this connection."""
    headers = request_headers(account.access_token, "ACCOUNT")
    return client.post("/graphql", json={"query": "{ me { id } }"}, headers=headers).status_code


def ask(client: httpx.Client, account: Account, query: str, **variables: object) -> Json:
    """What a signed-in request is answered on this connection."""
    headers = request_headers(account.access_token, "ACCOUNT")
    answer = client.post("/graphql", json={"query": query, "variables": variables}, headers=headers).json()
    assert "errors" not in answer, answer
    (payload,) = answer["data"].values()
    assert payload["errors"] == []
    return payload


def sign_out(clients: list[httpx.Client], account: Account, _other: Account) -> None:
    """This session."""
    ask(clients[0], account, "mutation { signOut { errors { code } } }")


def sign_out_everywhere(clients: list[httpx.Client], _account: Account, other: Account) -> None:
    """All sessions, by another one."""
    ask(clients[0], other, "mutation { signOut(everywhere: true) { errors { code } } }")


def end_it(clients: list[httpx.Client], account: Account, other: Account) -> None:
    """This session, by another one."""
    mine = ask(clients[0], account, REFRESH_OWN, token=account.refresh_token)["session"]
    ask(clients[0], other, "mutation ($id: ID!) { endSession(input: {id: $id}) { errors { code } } }", id=mine)


def end_others(clients: list[httpx.Client], _account: Account, other: Account) -> None:
    """All but another one."""
    ask(clients[0], other, "mutation { endOtherSessions { errors { code } } }")


def copy_the_refresh_token(clients: list[httpx.Client], account: Account, _other: Account) -> None:
    """Used by its owner on both workers, and then once more by a thief."""
    token = account.refresh_token
    for client in clients[:2]:
        token = ask(client, account, REFRESH_OWN, token=token)["refreshToken"]
    stolen = {"query": REFRESH_OWN, "variables": {"token": account.refresh_token}}
    answer = clients[0].post("/graphql", json=stolen, headers=request_headers()).json()["data"]["refreshSession"]
    assert [error["code"] for error in answer["errors"]] == ["SESSION_ENDED"]


def change_the_roles(clients: list[httpx.Client], account: Account, _other: Account) -> None:
    """By an administrator."""
    admin = account.server.sign_in("admin")
    ask(clients[0], admin, GRANT, user=account.id)


End: TypeAlias = Callable[[list[httpx.Client], Account, Account], None]
ENDS: Final[list[End]] = [
    sign_out,
    sign_out_everywhere,
    end_it,
    end_others,
    copy_the_refresh_token,
    change_the_roles,
]


@pytest.mark.parametrize("end", ENDS)
def test_what_ends_on_one_worker_is_refused_by_both_within_a_second(
    end: End, pair: Server, clients: list[httpx.Client]
) -> None:
    """Even by a worker that has the token in its cache."""
    account, other = pair.sign_in("subject"), pair.sign_in("subject")
    assert {status(client, account) for client in clients for _ in range(2)} == {200}
    end(clients, account, other)
    # From the answer on the second runs; asking before it is over may see either.
    time.sleep(1)
    assert {status(client, account) for client in clients} == {401}


def test_a_revoked_role_is_gone_from_both_within_a_second(pair: Server, clients: list[httpx.Client]) -> None:
    """The token that named it is refused; the next one is without it."""
    admin, staff = pair.sign_in("admin"), arrive(pair).account
    granted(admin, staff.id, "SUPPORT")
    renewed(staff)
    assert {status(client, staff) for client in clients for _ in range(2)} == {200}
    assert access(staff)["roles"] == ["SUPPORT"]
    assert changed(admin, REVOKE, staff.id, "SUPPORT")["errors"] == []
    # From the answer on the second runs; asking before it is over may see either.
    time.sleep(1)
    assert {status(client, staff) for client in clients} == {401}
    renewed(staff)
    assert {status(client, staff) for client in clients} == {200}
    assert access(staff)["roles"] == []


def test_both_workers_give_the_same_next_refresh_token(pair: Server, clients: list[httpx.Client]) -> None:
    """To tabs that ask them at the same moment."""
    account = pair.sign_in("subject")
    with ThreadPoolExecutor(len(clients)) as pool:
        answers = list(pool.map(lambda it: ask(it, account, REFRESH_OWN, token=account.refresh_token), clients))
    assert len({answer["refreshToken"] for answer in answers}) == 1
    assert {status(client, account) for client in clients} == {200}


def test_what_one_worker_writes_the_other_reads(pair: Server, clients: list[httpx.Client]) -> None:
    """At once: no worker keeps people in memory."""
    account = pair.sign_in("minor")
    headers = request_headers(account.access_token, "ACCOUNT")
    for number, client in enumerate(clients):
        name = f"Milo {number}"
        body = {"query": f'mutation {{ updateUser(input: {{fullName: "{name}"}}) {{ errors {{ code }} }} }}'}
        assert client.post("/graphql", json=body, headers=headers).status_code == 200
        read = {"query": "{ me { fullName } }"}
        for reader in (clients[number - 1], clients[number - 2]):
            assert reader.post("/graphql", json=read, headers=headers).json()["data"]["me"]["fullName"] == name


def runs(pid: int) -> bool:
    """Whether a process goes on; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_term_stops_everything(pair: Server) -> None:
    """Both workers and the database, without a word of complaint."""
    children = pair.children()
    assert "mongod" in children.values()
    assert len(children) >= 3
    pair.stop()
    assert pair.process.returncode == 0
    until = time.monotonic() + 10
    while any(map(runs, children)) and time.monotonic() < until:
        time.sleep(0.05)
    assert [name for pid, name in children.items() if runs(pid)] == []
    assert "Traceback" not in pair.said()
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{pair.url}/health/live", timeout=2)
