"""What clients do to a service all the time, by one of its workers, so that a rotation can run beside it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from random import Random
from typing import Final

from models.activity import IpLogDocument
from models.base import now
from models.database import Database, Session
from models.errors import Conflict
from models.ids import new_id
from models.session import SessionDocument
from models.user import UserDocument
from tests.stores import REGION, clear_row

_PAUSE: Final = 0.02  # seconds between two acts of one client


def newcomer(name: str, address: str) -> UserDocument:
    """Somebody who registers."""
    return UserDocument(
        id=new_id("usr", REGION), username=name, username_key=name, email=address, full_name=f"The {name}"
    )


@dataclass
class Load:
    """Clients of two workers. `done` counts what they did by its name; what failed is raised at the end."""

    workers: Sequence[Database]
    people: Sequence[str]
    done: Counter[str] = field(default_factory=Counter)
    registered: dict[str, str] = field(default_factory=dict)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def register(self, number: int, database: Database) -> None:
        """Somebody new, and somebody else by another worker with the same address at the same moment."""
        address = f"new.{number}.{id(database)}@people.example"
        made = [newcomer(f"new-{number}-{place}-{id(database)}", address) for place in range(2)]

        async def one(place: int) -> bool:
            try:
                await self.workers[place].insert(made[place])
            except Conflict:
                return False
            return True

        won = await asyncio.gather(one(0), one(1))
        assert sorted(won) == [False, True], f"{sum(won)} of two have the address"
        person = made[won.index(True)].id
        for worker in self.workers:
            row = await worker.find_one(UserDocument, {"email": address.upper()}, projection={"email": 1})
            assert row is not None
            assert row["_id"] == person
            assert await worker.sealing.open(UserDocument, [row], ["email"]) == []  # type: ignore[union-attr]  # it is there, or the test fails
            assert row["email"] == address
        self.registered[person] = address

    async def update(self, number: int, database: Database) -> None:
        """Other values for fields that are sealed and, one of them, looked up; read at once by another worker."""
        person, phone = self.people[number % len(self.people)], f"+46{id(database) % 10**6}{number:07}"
        await database.update_one(UserDocument, {"_id": person}, {"$set": {"phone": phone, "given_name": f"N{number}"}})
        for worker in self.workers:
            found = await worker.find(UserDocument, {"phone": phone}, projection={"phone": 1})
            if found:  # another client may have been at the same person
                assert [row["_id"] for row in found] == [person]

    async def sign_in(self, number: int, database: Database) -> None:
        """Look up, open, and write in a transaction of several documents."""
        person = self.people[number % len(self.people)]
        ip = f"203.0.113.{number % 250}"
        session = SessionDocument(
            id=new_id("ses", REGION),
            person=person,
            refresh_hash=b"-",
            refresh_seed=b"-",
            methods=[],
            ip=ip,
            authenticated_at=now(),
            created_at=now(),
            last_used_at=now(),
            expires_at=now() + timedelta(hours=1),
        )
        seen = IpLogDocument(id=new_id("ipl", REGION), person=person, ip=ip, at=now())

        async def work(transaction: Session | None) -> None:
            await database.insert(session, session=transaction)
            await database.insert(seen, session=transaction)

        await database.run_in_transaction(work)
        await database.update_one(
            UserDocument, {"_id": person}, {"$set": {"last_seen_ip": ip}, "$inc": {"login_count": 1}}
        )
        row = await clear_row(self.workers[number % 2], IpLogDocument, {"_id": seen.id})
        assert row["ip"] == ip

    async def read(self, number: int, database: Database) -> None:
        """A page of people, all of it opened."""
        rows = await database.find(UserDocument, {}, limit=50, sort=[("_id", -1 if number % 2 else 1)])
        for row in rows:
            await clear_row(database, UserDocument, {"_id": row["_id"]}) if number % 5 == 0 else None
        sealed = ("email", "phone", "full_name", "birth_date")
        assert await database.sealing.open(UserDocument, rows, sealed) == []  # type: ignore[union-attr]  # it is there, or the test fails

    async def client(self, act: Callable[[int, Database], Awaitable[None]], seed: int) -> None:
        """One client that does the same all the time."""
        random = Random(seed)
        for number in count(seed * 100_000):
            if self._stopping.is_set():
                return
            await act(number, random.choice(self.workers))
            self.done[act.__name__] += 1
            await asyncio.sleep(_PAUSE)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """All clients are at it within this context; raises what one of them met."""
        acts = (self.register, self.update, self.sign_in, self.read)
        async with asyncio.TaskGroup() as clients:
            for seed, act in enumerate(acts):
                clients.create_task(self.client(act, seed))
            try:
                yield
            finally:
                self._stopping.set()
