"""Identity wired on a database, as one or several workers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pymongo
import pytest

from auth.clients import Clients
from auth.identity import Identity
from auth.passwords import HashCost, Passwords
from auth.revocations import Revocations
from auth.sessions import Sessions
from auth.throttle import Throttle
from auth.tokens import Tokens
from models.crypto.macs import MacKey
from models.crypto.signing import SigningKey, SigningRing
from models.database import Database
from models.embedded import Embedded
from models.ids import new_id
from models.user import UserDocument
from tests.integration.identity.workers import ISSUER, PASSWORD, Clock, Person, Start, Worker


@pytest.fixture(scope="module")
def ready(mongod: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Settings of commands on two databases of this module's own: the first command makes both ready."""
    name, address = f"test_{uuid4().hex}", urlsplit(mongod.admin_url)
    query = address.query if "authSource" in address.query else f"{address.query}&authSource=admin"
    url = address._replace(path=f"/{name}", query=query).geturl()
    yield {"FIELDWARD_MONGODB_URL": url, "FIELDWARD_KEYRING": str(tmp_path_factory.mktemp("keyring") / "root.json")}
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        for each in (name, f"{name}_keys"):
            client.drop_database(each)


@pytest.fixture
def for_commands(ready: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The settings, with a data folder of the test's own; nobody is in the databases before and afterwards."""
    for name, value in {**ready, "FIELDWARD_DATA_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    yield
    with pymongo.MongoClient[dict[str, Any]](ready["FIELDWARD_MONGODB_URL"]) as client:
        main = client.get_default_database()
        for database in (main, client[f"{main.name}_keys"]):
            for collection in set(database.list_collection_names()) - {"markers", "keys", "state"}:
                database[collection].delete_many({})


@pytest.fixture
def clock() -> Clock:
    """The time that all workers see."""
    return Clock()


@pytest.fixture
async def start(any_database: Database, clock: Clock) -> AsyncIterator[Start]:
    """Start another worker on the same database."""
    ring = SigningRing((SigningKey.generate(),))
    key = MacKey.generate()
    async with AsyncExitStack() as stack:

        async def make() -> Worker:
            passwords = Passwords(HashCost(memory=1024, passes=1, lanes=1))
            tokens = Tokens(ring, issuer=ISSUER, audience=f"{ISSUER}/graphql")
            revocations = Revocations(any_database, clock=clock)
            told: list[str] = []
            sessions = Sessions(any_database, passwords, tokens, revocations, clock=clock, on_reuse=told.append)
            clients = Clients(any_database, revocations, region="eu", clock=clock)
            identity = Identity(tokens, revocations, clock=clock)
            throttle = Throttle(any_database, key, count_loopback=False, clock=clock)
            await revocations.start()
            stack.callback(passwords.close)
            stack.push_async_callback(revocations.stop)
            stack.push_async_callback(clients.close)
            return Worker(
                any_database, clock, ring, passwords, tokens, revocations, sessions, clients, identity, throttle, told
            )

        yield make


@pytest.fixture
async def worker(start: Start) -> Worker:
    """One running worker."""
    return await start()


@pytest.fixture
def person(worker: Worker) -> Person:
    """Store somebody, by default `Alice` with `PASSWORD`; returns the id."""

    async def make(username: str = "Alice", password: str | None = PASSWORD, **fields: Any) -> str:  # noqa: ANN401 - any type, as the caller has it
        stored = {"password_hash": None if password is None else await worker.passwords.hash(password), **fields}
        document = UserDocument(id=new_id("usr", "eu"), username=username, username_key=username.casefold(), **stored)
        await worker.database.insert(document)
        return document.id

    return make
