"""The database: deadlines, errors without values, transactions."""

from __future__ import annotations

import asyncio
import signal
import traceback
from collections.abc import Iterator
from typing import Any
from unittest.mock import AsyncMock

import pytest
from pymongo import AsyncMongoClient, ReadPreference, monitoring

from models.activity import EventDocument
from models.client import ClientDocument
from models.database import Database, Session, to_bson
from models.database.wire import WireLost
from models.database.wire_pool import WirePool
from models.embedded import Embedded
from models.errors import BadInput, Conflict, DatabaseUnavailable
from models.user import UserDocument
from tests.stores import clear_row

SECRET = "planted-value@secret.example"


def person(key: str, **fields: object) -> UserDocument:
    """A person whose names and id are made from `key`."""
    document: UserDocument = UserDocument.model_validate(
        {"id": f"usr_eu_{key}", "username": key, "username_key": key, **fields}
    )
    return document


@pytest.fixture
def frozen(mongod: Embedded) -> Iterator[Embedded]:
    """A server that a test may stop; it goes on afterwards whatever happened."""
    yield mongod
    mongod.process.send_signal(signal.SIGCONT)


async def test_a_document_is_found_as_it_was_stored(any_database: Database) -> None:
    """Moments keep their zone, enums are values, nothing is stored for what is absent, and what was sealed opens."""
    document = person("ann", email=SECRET)
    await any_database.insert(document)
    row = await clear_row(any_database, UserDocument, {"_id": document.id})
    assert row.pop("email_index")
    assert row == to_bson(document)


async def test_only_projected_paths_are_read(any_database: Database) -> None:
    """What a projection leaves out does not come back."""
    await any_database.insert(person("ann", email=SECRET))
    rows = await any_database.find(UserDocument, {}, projection={"username": 1})
    assert rows == [{"_id": "usr_eu_ann", "username": "ann"}]


async def test_rows_come_sorted_and_limited(any_database: Database) -> None:
    """`sort` and `limit` hold together."""
    for key in ("ann", "bob", "eve"):
        await any_database.insert(person(key))
    rows = await any_database.find(UserDocument, {}, sort=[("username_key", -1)], limit=2)
    assert [row["username"] for row in rows] == ["eve", "bob"]


async def test_a_limited_read_is_one_command(mongod: Embedded) -> None:
    """No second trip fetches an empty rest."""
    commands: list[str] = []

    class Listener(monitoring.CommandListener):
        def started(self, event: monitoring.CommandStartedEvent) -> None:
            commands.append(event.command_name)

        def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

        def failed(self, event: monitoring.CommandFailedEvent) -> None: ...

    database = await Database.connect(mongod.admin_url, name="test_commands", listeners=[Listener()])
    await database.insert_many(UserDocument, [to_bson(person(f"p{number}")) for number in range(150)])
    commands.clear()
    rows = await database.find(UserDocument, {}, limit=120)
    await database.drop()
    await database.close()
    assert len(rows) == 120
    assert commands[: commands.index("dropDatabase")] == ["find"]


async def test_rows_that_fill_more_than_one_batch_come_all(database: Database) -> None:
    """What MongoDB sends at once ends at 16 MB."""
    rows = [{"_id": f"evt_{number:02}", "pad": "x" * 1_000_000} for number in range(20)]
    await database.insert_many(EventDocument, rows)
    assert await database.find(EventDocument, {}, sort=[("_id", 1)], limit=20) == rows
    assert database._reads is not None
    status = await database._reads.command("serverStatus")
    assert status["metrics"]["cursor"]["open"]["total"] == 0


async def test_where_the_short_way_fails_the_driver_is_asked(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when another member of a replica set becomes the primary: it finds the new one."""
    await database.insert(person("ann"))
    lost = AsyncMock(side_effect=WireLost)
    monkeypatch.setattr(WirePool, "ask", lost)
    assert [row["username"] for row in await database.find(UserDocument, {}, limit=5)] == ["ann"]
    assert lost.await_count == 1
    stages: list[dict[str, Any]] = [{"$match": {}}, {"$project": {"username": 1}}]
    assert [row["username"] for row in await database.aggregate(UserDocument, stages, 5)] == ["ann"]
    assert lost.await_count == 2


@pytest.mark.parametrize(
    ("fields", "index"),
    [
        ({"id": "usr_eu_ann"}, "id"),
        ({"username_key": "ann"}, "username"),
        ({"email": SECRET}, "email"),
        ({"import_key": "row-1"}, "import_key"),
    ],
)
async def test_a_taken_value_names_the_index_only(any_database: Database, fields: dict[str, str], index: str) -> None:
    """A conflict says which field, and neither message, cause nor context says what."""
    await any_database.insert(person("ann", email=SECRET, import_key="row-1"))
    with pytest.raises(Conflict) as caught:
        await any_database.insert(person("bob", **fields))
    assert caught.value.field == index
    assert caught.value.__context__ is None
    assert SECRET not in "".join(traceback.format_exception(caught.value))


async def test_people_without_email_do_not_collide(any_database: Database) -> None:
    """Uniqueness of an optional value counts only those who have it."""
    await any_database.insert(person("ann"))
    await any_database.insert(person("bob"))
    assert await any_database.count(UserDocument, {}) == 2


async def test_an_update_to_a_taken_value_is_a_conflict(any_database: Database) -> None:
    """Renaming to a name in use is refused and changes nothing."""
    await any_database.insert(person("ann"))
    await any_database.insert(person("bob"))
    with pytest.raises(Conflict) as caught:
        await any_database.update_one(UserDocument, {"_id": "usr_eu_bob"}, {"$set": {"username_key": "ann"}})
    assert caught.value.field == "username"
    assert await any_database.count(UserDocument, {"username_key": "bob"}) == 1


async def test_many_rows_report_those_that_were_taken(any_database: Database) -> None:
    """The rest is stored; each refused row is named by position and index."""
    await any_database.insert(person("ann"))
    rows = [to_bson(person(key)) for key in ("bob", "eve")]
    rows.insert(1, to_bson(person("other", username_key="ann")))
    assert await any_database.insert_many(UserDocument, rows) == [(1, "username")]
    assert await any_database.count(UserDocument, {}) == 3


@pytest.mark.parametrize("value", [2**70, "\ud800"])
async def test_what_bson_cannot_hold_is_bad_input(any_database: Database, value: object) -> None:
    """Numbers over 64 bits and lone surrogates are the caller's mistake, not a crash."""
    with pytest.raises(BadInput):
        await any_database.update_one(
            UserDocument, {"_id": "usr_eu_ann"}, {"$set": {"login_count": value}}, upsert=True
        )


async def test_a_client_is_stored_under_its_id(any_database: Database) -> None:
    """The key is `_id`, also for documents that declare no alias."""
    await any_database.insert(ClientDocument(id="svc", name="Service", scopes=[], purposes=[], secrets=[]))
    assert await any_database.count(ClientDocument, {"_id": "svc"}) == 1


async def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    """All or nothing."""

    async def break_off() -> None:
        async with database.transaction() as session:
            await database.insert(person("ann"), session=session)
            raise LookupError

    with pytest.raises(LookupError):
        await break_off()
    assert await database.count(UserDocument, {}) == 0


async def test_transactions_that_meet_are_run_again(database: Database) -> None:
    """Twenty increments by read and write at once lose none."""
    await database.insert(person("ann"))

    async def add_one(session: Session | None) -> None:
        row = await database.find_one(UserDocument, {}, session=session)
        assert row is not None
        await database.update_one(UserDocument, {}, {"$set": {"login_count": row["login_count"] + 1}}, session=session)

    for _ in range(5):
        await asyncio.gather(*(database.run_in_transaction(add_one) for _ in range(4)))
    row = await database.find_one(UserDocument, {})
    assert row is not None
    assert row["login_count"] == 20


async def test_of_two_with_one_email_exactly_one_wins(database: Database) -> None:
    """The unique index decides, inside transactions too; the other hears that it is taken."""

    async def register(key: str) -> None:
        async def work(session: Session | None) -> None:
            await database.insert(person(key, email=SECRET), session=session)

        await database.run_in_transaction(work)

    outcomes = await asyncio.gather(*(register(f"p{n}") for n in range(8)), return_exceptions=True)
    assert outcomes.count(None) == 1
    assert {outcome.field for outcome in outcomes if isinstance(outcome, Conflict)} == {"email"}


async def test_there_is_no_transaction_in_memory(memory_database: Database) -> None:
    """The session is None, which every call accepts."""
    async with memory_database.transaction() as session:
        await memory_database.insert(person("ann"), session=session)
    assert session is None


@pytest.mark.slow
async def test_a_frozen_server_answers_everyone_and_then_works_again(database: Database, frozen: Embedded) -> None:
    """A hundred callers hear that there is no answer within 5 seconds; the next one after it wakes is served."""
    await database.insert(person("ann"))
    frozen.process.send_signal(signal.SIGSTOP)
    async with asyncio.timeout(5):
        calls = (database.find_one(UserDocument, {}) for _ in range(100))
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {DatabaseUnavailable}
    assert not await database.ping()
    frozen.process.send_signal(signal.SIGCONT)
    assert await database.count(UserDocument, {}) == 1


async def test_reads_that_nobody_waits_for_any_more_block_no_others(database: Database) -> None:
    """Many are begun and given up at every stage, again and again; all connections are there afterwards."""
    await database.insert(person("ann"))
    for storm in range(20):
        reads = [asyncio.create_task(database.find_one(UserDocument, {})) for _ in range(150)]
        await asyncio.sleep(storm / 1000)
        for read in reads:
            read.cancel()
        await asyncio.gather(*reads, return_exceptions=True)
    async with asyncio.timeout(5):
        found = await asyncio.gather(*(database.find_one(UserDocument, {}) for _ in range(100)))
    assert {row["username"] for row in found if row} == {"ann"}


@pytest.mark.slow
async def test_finds_outlive_a_change_of_the_primary(database: Database, mongod: Embedded) -> None:
    """The server steps down and refuses; a moment later there is a primary again."""
    await database.insert(person("ann"))
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongod.admin_url)
    await client.admin.command({"replSetStepDown": 1, "force": True, "secondaryCatchUpPeriodSecs": 0})
    for _ in range(5):
        assert [row["username"] for row in await database.find(UserDocument, {}, limit=5)] == ["ann"]
    await client.close()


@pytest.mark.slow
async def test_a_frozen_server_ends_a_transaction_in_time(database: Database, frozen: Embedded) -> None:
    """Giving up on a transaction does not wait for a server that does not answer."""

    async def break_off() -> None:
        async with database.transaction() as session:
            await database.insert(person("ann"), session=session)
            frozen.process.send_signal(signal.SIGSTOP)
            await database.insert(person("bob"), session=session)

    async with asyncio.timeout(5):
        with pytest.raises(DatabaseUnavailable):
            await break_off()
    frozen.process.send_signal(signal.SIGCONT)
    assert await database.count(UserDocument, {}) == 0


async def test_nobody_listening_is_unavailable() -> None:
    """A wrong address ends in the same error, after the same deadline."""
    with pytest.raises(DatabaseUnavailable):
        await Database.connect("mongodb://127.0.0.1:9/?replicaSet=none", seconds=0.3)


async def test_writes_are_acknowledged_by_a_majority_and_journaled(mongod: Embedded) -> None:
    """Asked of the commands that are really sent."""
    concerns: list[Any] = []

    class Listener(monitoring.CommandListener):
        def started(self, event: monitoring.CommandStartedEvent) -> None:
            if event.command_name == "insert":
                concerns.append(event.command["writeConcern"])

        def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

        def failed(self, event: monitoring.CommandFailedEvent) -> None: ...

    database = await Database.connect(mongod.admin_url, name="test_concern", listeners=[Listener()])
    await database.insert(person("ann"))
    await database.drop()
    await database.close()
    assert concerns == [{"w": "majority", "j": True}]


@pytest.mark.parametrize(
    "wish", ["readPreference=secondary&readPreferenceTags=dc:a", "readPreference=nearest&maxStalenessSeconds=100"]
)
async def test_reads_are_from_the_primary_whatever_the_address_says(wish: str, mongod: Embedded) -> None:
    """A secondary may lag: keys would be given up that are still needed."""
    opened = await Database.connect(f"{mongod.admin_url}&{wish}", name="test_reads")
    assert opened._client.read_preference == ReadPreference.PRIMARY
    assert opened._reads is not None
    assert opened._reads._client.read_preference == ReadPreference.PRIMARY
    await opened.close()
