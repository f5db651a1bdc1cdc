"""Whoever deletes their account takes their key along: at every worker, and whatever backup is put back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpx
import pytest

from models.embedded import DATABASE, KEYSTORE_DATABASE, Embedded, find_mongod
from tests.e2e.conftest import NEW_PASSWORD, Serve
from tests.e2e.keys.operator import Client, as_root, dump, everybody, restore, run
from tests.e2e.second_factors import arrive
from tests.e2e.server import SIGN_IN, Account, Json, Server, request_headers
from tests.e2e.test_workers import EACH, worker_of

pytestmark = pytest.mark.slow

DELETE: Final = "mutation ($password: String!) { deleteUser(input: {password: $password}) { deleted errors { code } } }"
READ: Final = "query ($id: ID!) { user(by: {id: $id}) { id email fullName } }"
Again = Callable[[Server], Server]


@pytest.fixture
def again() -> Iterator[Again]:
    """Start a stopped service once more on its folder."""
    started: list[Server] = []

    def start(before: Server) -> Server:
        started.append(Server(before.folder))
        return started[-1].ready()

    yield start
    for each in started:
        each.stop()


@contextmanager
def stopped(server: Server) -> Iterator[Client]:
    """The service stopped, and its databases open for whoever may do everything."""
    server.stop()
    binary = find_mongod()
    assert binary is not None
    mongod = Embedded.start(binary, server.folder / "mongodb", say=lambda _line: None)
    try:
        with Client(mongod.admin_url) as client:
            yield client
    finally:
        mongod.stop()


def delete(person: Account) -> None:
    """Delete an account."""
    answer = person.data(DELETE, {"password": NEW_PASSWORD}, purpose="ACCOUNT")["deleteUser"]
    assert answer == {"deleted": True, "errors": []}


def noted(server: Server) -> list[str]:
    """Who is in the journal of destroyed keys."""
    lines = (server.folder / "keys" / "destroyed.jsonl").read_text().split("\n")
    return [json.loads(line)["person"] for line in lines if line]


def traces(client: Client, person: str) -> dict[str, int]:
    """How much the databases have of somebody."""
    keys = client[KEYSTORE_DATABASE]
    return {
        "rows": client[DATABASE]["users"].count_documents({"_id": person}),
        "keys": keys["data_keys"].count_documents({"_id": person}),
        "tombstones": keys["tombstones"].count_documents({"_id": person}),
        "erasures": client[DATABASE]["erasures"].count_documents({"_id": person}),
    }


GONE: Final = {"rows": 0, "keys": 0, "tombstones": 1, "erasures": 1}


def eventually(true: Callable[[], bool]) -> bool:
    """Whether something comes true within some seconds."""
    until = time.monotonic() + 15
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.1)
    return False


@pytest.fixture
def connections() -> Iterator[Callable[[Server], list[httpx.Client]]]:
    """One connection to each of two workers."""
    opened: list[httpx.Client] = []

    def one_each(server: Server) -> list[httpx.Client]:
        until, of = time.monotonic() + 60, dict[str, httpx.Client]()
        while len(of) < 2:
            assert time.monotonic() < until, "only one worker takes connections"
            for client in [httpx.Client(base_url=server.url, timeout=20) for _ in range(EACH)]:
                opened.append(client)
                of.setdefault(worker_of(client), client)
        return list(of.values())

    yield one_each
    for client in opened:
        client.close()


def read(client: httpx.Client, staff: Account, person: str) -> Json:
    """Somebody as staff read them on this connection."""
    headers = request_headers(staff.access_token, "LEGAL")
    answer = client.post("/graphql", json={"query": READ, "variables": {"id": person}}, headers=headers).json()
    assert "errors" not in answer, answer
    return answer["data"]["user"]


def test_both_workers_forget_a_destroyed_key_within_a_second(
    serve: Serve, connections: Callable[[Server], list[httpx.Client]]
) -> None:
    """They had it at hand; put back, the row opens no more, while that of somebody else does."""
    server = serve(WORKERS="2")
    workers, privacy = connections(server), server.sign_in("privacy")
    gone, other = arrive(server).account, arrive(server).account
    with as_root(server) as client:
        users = client[DATABASE]["users"]
        rows = {person: users.find_one({"_id": person}) for person in (gone.id, other.id)}
        for worker in workers:
            assert [read(worker, privacy, person)["id"] for person in rows] == list(rows)
        delete(gone)
        # From the answer on the second runs.
        time.sleep(1)
        assert traces(client, gone.id) == GONE
        assert gone.id in noted(server)
        assert users.count_documents({"email_index.mac": rows[gone.id]["email_index"][0]["mac"]}) == 0  # type: ignore[index]  # the row is there, or the test fails
        users.delete_one({"_id": other.id})
        users.insert_many([row for row in rows.values() if row is not None])
        for worker in workers:
            assert read(worker, privacy, gone.id) is None
            assert read(worker, privacy, other.id)["email"].endswith("@people.example")


def refuse_tombstones(client: Client, *, refuse: bool) -> None:
    """Let the key store take no tombstone, as one that is away takes none; or let it again."""
    validator: dict[str, Any] = {"_id": {"$exists": False}} if refuse else {}
    client[KEYSTORE_DATABASE].command("collMod", "tombstones", validator=validator)


def test_an_erasure_that_breaks_off_is_finished_soon(serve: Serve, again: Again) -> None:
    """By the worker, as soon as the key store takes its tombstone; or by the next start. Account and key are gone at
    once: the tombstone comes last."""
    server = serve()
    first, second = arrive(server).account, arrive(server).account
    left = {"rows": 0, "keys": 0, "tombstones": 0, "erasures": 1}
    with as_root(server) as client:
        refuse_tombstones(client, refuse=True)
        delete(first)
        assert traces(client, first.id) == left
        refuse_tombstones(client, refuse=False)
        assert eventually(lambda: traces(client, first.id) == GONE)
        refuse_tombstones(client, refuse=True)
        delete(second)
        assert traces(client, second.id) == left
    with stopped(server) as client:
        refuse_tombstones(client, refuse=False)
        assert traces(client, second.id) == left
    server = again(server)
    assert "1 people who were erased before are erased again" in server.said()
    with as_root(server) as client:
        assert traces(client, second.id) == GONE


@pytest.mark.parametrize("restored", [(DATABASE, KEYSTORE_DATABASE), (DATABASE,)], ids=["both", "main"])
def test_a_restored_backup_brings_nobody_back(restored: tuple[str, ...], serve: Serve, again: Again) -> None:
    """Nor their key; everybody else can be read, also after the key-encryption key was replaced meanwhile."""
    server = serve()
    gone, stays = arrive(server).account, arrive(server).account
    name = gone.data("{ me { username } }", purpose="ACCOUNT")["me"]["username"]
    before = everybody(server.sign_in("privacy"))
    with stopped(server) as client:
        backup = dump(client)
    server = again(server)
    delete(server.sign_in(name, NEW_PASSWORD))
    run(server, "keys", "rotate", "kek")
    with stopped(server) as client:
        restore(client, {database: backup[database] for database in restored})
        assert traces(client, gone.id)["rows"] == 1
        assert traces(client, gone.id)["keys"] == (1 if KEYSTORE_DATABASE in restored else 0)
    server = again(server)
    # Said before it listens: what is erased is erased before anybody is answered.
    assert "1 people who were erased before are erased again: a backup had brought them back." in server.said()
    with as_root(server) as client:
        assert traces(client, gone.id) == GONE
    now = everybody(server.sign_in("privacy"))
    assert now == {person: values for person, values in before.items() if person != gone.id}
    assert now[stays.id]["email"]
    answer = server.post(SIGN_IN, {"login": name, "password": NEW_PASSWORD}).json()["data"]["signIn"]
    assert answer["accessToken"] is None
    assert run(server, "keys", "replay-tombstones") == "0 erasures were missing somewhere, and are done again.\n"


def test_a_backup_from_before_a_root_key_was_given_up_opens_nothing(serve: Serve) -> None:
    """The service says so and does not start; nothing is made in the place of its keys."""
    server = serve()
    with as_root(server) as client:
        backup = dump(client)
    run(server, "keys", "rotate", "root", "--retire")
    with stopped(server) as client:
        restore(client, backup)
    useless = Server(server.folder)
    assert useless.process.wait(120) == 1
    useless.stop()
    assert "The root key 1-" in useless.said()
    assert "Restore that file from its backup." in useless.said()
    with stopped(useless) as client:
        [row] = client[KEYSTORE_DATABASE]["keys"].find({"kind": "encryption"})
        [same] = [each for each in backup[KEYSTORE_DATABASE]["keys"] if each["kind"] == "encryption"]
        assert row == same
