"""Filling a database with invented people: realistic, and the same for the same seed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain, islice
from random import Random
from typing import Any, Final

from beanie import Document

from models.activity import DeviceDocument, EventDocument, IpLogDocument
from models.database import Database, Raw
from models.people.person import GeneratedPerson, make_person
from models.people.pools import make_pools
from models.user import UserDocument

EPOCH: Final = datetime(2026, 10, 1, tzinfo=UTC)  # invented lives end here unless told otherwise
BATCH: Final = 500  # people; one insert stays well under the database's deadline
_ROWS_PER_INSERT: Final = 2000

Progress = Callable[[int], None]


def generate(
    count: int, *, seed: int, region: str, epoch: datetime = EPOCH, password_hash: str | None = None
) -> Iterator[GeneratedPerson]:
    """Invent `count` people in twenty locales, with devices, addresses, events and choices.

    The same arguments give the same data, ids included; the first n of a longer run are those of a
    shorter one. All moments lie before `epoch`. With `password_hash` everybody can sign in with it.
    """
    pools = [pool for pool in make_pools(seed) for _ in range(pool.locale.weight)]
    for number in range(1, count + 1):
        random = Random(f"{seed}:{number}")  # noqa: S311 - invented data, no secret
        pool = pools[int(random.random() * len(pools))]
        person = make_person(number, random, pool, region=region, epoch=epoch)
        if password_hash is not None:
            person.user["password_hash"] = password_hash
        yield person


async def seed_people(
    database: Database,
    count: int,
    *,
    seed: int,
    region: str,
    epoch: datetime = EPOCH,
    password_hash: str | None = None,
    progress: Progress = lambda _done: None,
) -> int:
    """Store `count` invented people and return how many are new; who exists already stays as is.

    `progress` is called with the number of people dealt with after each batch.
    """
    people = generate(count, seed=seed, region=region, epoch=epoch, password_hash=password_hash)
    batches, nobody = _batches(people, BATCH), list[GeneratedPerson]()
    new = done = 0
    # In a thread: inventing people takes seconds, in which the keys have to be looked after.
    while batch := await asyncio.to_thread(next, batches, nobody):
        new += await store(database, batch)
        done += len(batch)
        progress(done)
    return new


async def store(database: Database, people: list[GeneratedPerson]) -> int:
    """Store people with all that belongs to them; returns how many of the people are new.

    Whoever is there already under the same id gets what an interrupted run may have left out;
    whoever meets another person's user name or address is left out.
    """
    taken = dict(await database.insert_many(UserDocument, [person.user for person in people]))
    known = await _existing(database, [people[position].user["_id"] for position in taken])
    stored = [p for position, p in enumerate(people) if position not in taken or p.user["_id"] in known]
    await _insert(database, DeviceDocument, chain.from_iterable(person.devices for person in stored))
    await _insert(database, IpLogDocument, chain.from_iterable(person.addresses for person in stored))
    await _insert(database, EventDocument, chain.from_iterable(person.events for person in stored))
    return len(people) - len(taken)


async def _existing(database: Database, ids: list[str]) -> set[str]:
    if not ids:
        return set()
    rows = await database.find(UserDocument, {"_id": {"$in": ids}}, projection={"_id": 1})
    return {row["_id"] for row in rows}


async def _insert(database: Database, document: type[Document], rows: Iterable[Raw]) -> None:
    for part in _batches(rows, _ROWS_PER_INSERT):
        await database.insert_many(document, part)


def _batches(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    source = iter(items)
    return iter(lambda: list(islice(source, size)), [])
