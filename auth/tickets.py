"""Issues and redeems tickets: each has 256 random bits, is stored as its hash, and works once.

A ticket says what it is for; one of another kind, a used one and an expired one are all unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from typing import Final

from models.base import now as utc_now
from models.database import Database, Raw
from models.ticket import TicketDocument, TicketKind
from models.uses import Use

MAX_LENGTH: Final = 128  # characters; a secret has 43


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a ticket was issued with."""

    kind: TicketKind
    person: str | None = None
    email: str | None = field(default=None, repr=False)
    methods: frozenset[str] = frozenset()
    session: str | None = None
    by_another: bool = False


class Tickets:
    """The tickets in `database`."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._database, self._clock = database, clock

    async def issue(self, ticket: Ticket, lifetime: timedelta) -> str:
        """Store what `ticket` says; the secret that redeems it within `lifetime`."""
        secret, now = token_urlsafe(32), self._clock()
        document = TicketDocument(
            id=_hash(secret),
            kind=ticket.kind,
            person=ticket.person,
            email=ticket.email,
            methods=sorted(ticket.methods),
            session=ticket.session,
            by_another=ticket.by_another,
            created_at=now,
            expires_at=now + lifetime,
        )
        await self._database.insert(document)
        return secret

    async def look_at(self, kind: TicketKind, secret: str) -> Ticket | None:
        """What a ticket says, leaving it to be redeemed; None when it is none of this kind that holds."""
        return await self._read(await self._database.find_one(TicketDocument, self._holding(kind, secret)))

    async def attempt(self, kind: TicketKind, secret: str, most: int) -> Ticket | None:
        """What a ticket says, for something that may be tried `most` times; None after that.

        NOTE: counted before it is tried, so that those who try at the same moment do not share one count.
        """
        unspent = {**self._holding(kind, secret), "tries": {"$lt": most}}
        return await self._read(
            await self._database.find_one_and_update(TicketDocument, unspent, {"$inc": {"tries": 1}})
        )

    async def redeem(self, kind: TicketKind, secret: str) -> Ticket | None:
        """What a ticket says, once: of two who redeem it at the same moment one gets None."""
        holding = self._holding(kind, secret)
        row = await self._database.find_one(TicketDocument, holding)
        if row is None or not await self._database.delete_one(TicketDocument, holding):
            return None
        return await self._read(row)

    async def cancel(self, person: str, kinds: Iterable[TicketKind]) -> None:
        """End a person's tickets of these kinds, for instance all reset links after one was used."""
        await self._database.delete_many(TicketDocument, {"person": person, "kind": {"$in": [*kinds]}})

    async def _read(self, row: Raw | None) -> Ticket | None:
        """The ticket in a row; None also when its person is gone."""
        if row is None or (row.get("email") and not await self._database.opened(Use.MAIL, TicketDocument, row)):
            return None
        return _ticket(row)

    def _holding(self, kind: TicketKind, secret: str) -> dict[str, object]:
        return {"_id": _hash(secret), "kind": kind.value, "expires_at": {"$gt": self._clock()}}


def _ticket(row: Raw) -> Ticket:
    return Ticket(
        TicketKind(row["kind"]),
        row.get("person"),
        row.get("email"),
        frozenset(row.get("methods", ())),
        row.get("session"),
        row.get("by_another", False),
    )


def _hash(secret: str) -> str:
    """SHA-256 is enough for 256 random bits; what is longer than any secret hashes to what none has."""
    return sha256(secret[:MAX_LENGTH].encode("utf-8", "surrogatepass")).hexdigest()
