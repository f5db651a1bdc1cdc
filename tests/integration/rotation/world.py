"""A sealed database with some dozen people, a worker of the service on it, and whoever rotates its keys."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Final

from models.database import Database, Raw
from models.keystore import KEY_DOCUMENTS
from models.keystore.documents import DataKeyDocument, KeyDocument
from models.keystore.keys import Keys
from models.rotation.course import Course
from models.rotation.data import rotate_data, sealed_documents
from models.rotation.index import rotate_index
from models.rotation.status import Status, status_of
from models.rotation.wrapping import rotate_root, rotate_wrapping
from models.sealing import Sealer
from models.seeding import generate, seed_people
from models.stores import sealing
from models.user import UserDocument
from tests.stores import REGION, HeldRoots, sealed_database

PEOPLE: Final = 24
SEED: Final = 7
Everything = dict[tuple[str, str], dict[str, Any]]
Rotate = Callable[[Course], Awaitable[object]]


async def _rotate_root(course: Course) -> str:
    return await rotate_root(course, retire=True)


ROTATIONS: Final[Mapping[str, Rotate]] = {
    "root": _rotate_root,
    "kek": rotate_wrapping,
    "index": rotate_index,
    "data": rotate_data,
}


@dataclass
class World:
    """`service` is the database as one worker has it open, `course` whoever rotates, with connections of their own;
    `spare` are those of one more process, to the database and the key store."""

    url: str
    name: str
    roots: HeldRoots
    service: Database
    course: Course
    spare: tuple[Database, Database]
    before: Everything = field(default_factory=dict)

    @property
    def store(self) -> Database:
        """The key store."""
        return self.course.keystore

    async def everything(self) -> Everything:
        """All sealed values of all documents, opened by somebody who has just come: none may fail to open."""
        keys, found = Keys(self.store, self.roots, REGION), Everything()
        sealer = Sealer(keys)
        for document, plan in sealed_documents(sealer):
            rows = await self.course.main.find(document, {})
            assert await sealer.open(document, rows, tuple(plan.fields)) == []
            found |= {
                (plan.collection, row["_id"]): {path: row[path] for path in plan.fields if path in row} for row in rows
            }
        await keys.stop()
        return found

    async def assert_nothing_is_lost(self) -> None:
        """Every value that there was before opens and is the same, and everybody is found, by old hands and new."""
        now = await self.everything()
        assert {place: now[place] for place in self.before} == self.before
        await self.let_service_look()
        async with self.opened() as newcomer:
            for (collection, person), values in self.before.items():
                if collection == "users" and "email" in values:
                    for each in (newcomer, self.service):
                        found = await each.find(UserDocument, {"email": values["email"].upper()}, projection={"_id": 1})
                        assert [row["_id"] for row in found] == [person]

    async def let_service_look(self) -> None:
        """Its worker knows the keys as they are: rotations here wait for nobody, so it may not have looked yet."""
        await self.service.sealing.keys.refresh()  # type: ignore[union-attr]  # the sealer itself

    async def status(self) -> Status:
        """Which keys there are, with all values counted."""
        return await status_of(self.course, count_values=True)

    async def versions(self, kind: str) -> list[int]:
        """The versions of the region's keys of one kind that the key store has."""
        return sorted(row["version"] for row in await self.store.find(KeyDocument, {"kind": kind}))

    async def data_keys(self) -> dict[str, list[int]]:
        """Everybody's versions."""
        rows = await self.store.find(DataKeyDocument, {})
        return {row["_id"]: [each["v"] for each in row["keys"]] for row in rows}

    async def stored(self, identifier: str, **projection: int) -> Raw:
        """A person as MongoDB has them."""
        row = await self.course.main.find_one(UserDocument, {"_id": identifier}, projection=projection or None)
        assert row is not None
        return row

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Database]:
        """The databases, as one more worker opens them."""
        async with both(self.url, self.name) as (main, store), sealing(main, store, self.roots, REGION):
            yield main

    def paced(self, **changed: Any) -> Course:  # noqa: ANN401 - fields of Course
        """The course with another pace, progress or wait."""
        return replace(self.course, **changed)


@asynccontextmanager
async def both(url: str, name: str) -> AsyncIterator[tuple[Database, Database]]:
    """Connections of one's own to the two databases of a world."""
    main = await Database.connect(url, name=name)
    store = await Database.connect(url, name=f"{name}_keys", documents=KEY_DOCUMENTS)
    try:
        yield main, store
    finally:
        await main.close()
        await store.close()


@asynccontextmanager
async def world_of(url: str, name: str, *, people: int = PEOPLE) -> AsyncIterator[World]:
    """A world; its rotations wait for nobody, so they are for when nobody else is at it."""
    roots = HeldRoots()
    async with (
        sealed_database(url, name=name, roots=roots) as service,
        both(url, name) as (main, store),
        both(url, name) as spare,
        sealing(main, store, roots, REGION) as keys,
    ):
        await seed_people(service, people, seed=SEED, region=REGION, password_hash="$argon2id$not-a-hash")
        world = World(url, name, roots, service, Course(main, keys, settle=0.0), spare)
        world.before = await world.everything()
        assert len(world.before) > people
        yield world


def emails() -> dict[str, str]:
    """The addresses of the generated people who have one, by their identifiers."""
    made = (person.user for person in generate(PEOPLE, seed=SEED, region=REGION))
    return {user["_id"]: user["email"] for user in made if "email" in user}


def versions_of(everything: Mapping[str, list[int]]) -> set[int]:
    """All versions that anybody has."""
    return set(chain.from_iterable(everything.values()))
