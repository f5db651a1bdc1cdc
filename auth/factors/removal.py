"""Takes factors from a person by an operator's hand: lost ones, and those that somebody else has enrolled.

Nobody can prove a factor that is lost, and whoever holds a foreign one proves it better than the owner. So this is
not for the API: whoever runs the service has made sure, by other ways, whom they are speaking with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from auth.factors.problems import FactorProblem, FactorRefused
from auth.factors.store import SECOND_FACTORS, changed
from auth.open_sessions import end_sessions
from auth.reasons import read_reason
from auth.revocations import Revocations
from auth.tickets import Tickets
from models.base import now as utc_now
from models.database import Database, Session
from models.factor import FactorDocument, FactorRemovalDocument
from models.ids import new_id, region_of
from models.ticket import TicketKind
from models.user import UserDocument
from models.uses import Use
from models.vocabulary import FactorKind

# What the holder of a foreign factor may have begun. A reset stays: it is the owner's way back.
_BEGUN: Final = (TicketKind.STEP_UP, TicketKind.PASSKEY_ENROLMENT, TicketKind.EMAIL_CHANGE)
_SHOWN: Final = {"person": 1, "kind": 1, "name": 1, "created_at": 1, "last_used_at": 1}


@dataclass(frozen=True, slots=True)
class Held:
    """A confirmed factor of a person, without what it proves by."""

    id: str
    kind: FactorKind
    name: str | None
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Removed:
    """What went; `password` too when it was too short to be alone, and nothing else is left."""

    factors: Sequence[Held]
    password: bool


@dataclass(frozen=True, slots=True)
class Past:
    """What was removed before: the factors by their identifiers and kinds, and why."""

    factors: Sequence[str]
    kinds: Sequence[FactorKind]
    reason: str
    at: datetime


class Removal:
    """Lists and removes the factors of the people in `database`."""

    def __init__(
        self, database: Database, revocations: Revocations, *, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._database, self._revocations, self._clock = database, revocations, clock
        self._tickets = Tickets(database, clock=clock)

    async def held(self, person: str) -> Sequence[Held]:
        """The factors that count, recovery codes among them, oldest first."""
        return await self._held(person, None)

    async def past(self, person: str) -> Sequence[Past]:
        """What was removed so before, oldest first."""
        rows = await self._database.find(FactorRemovalDocument, {"person": person}, sort=[("at", 1)])
        await self._database.opened(Use.OPERATOR, FactorRemovalDocument, *rows)
        return [_past(row) for row in rows]

    async def remove(self, person: str, factor: str | None, reason: str) -> Removed:
        """Remove one factor, or all for None, note why, and then end all sessions of the person.

        The last one takes the recovery codes with it, and a password that is too short to be alone.
        Raises `FactorRefused` with NOT_FOUND where there is none, and `Refused` for a reason that is none.
        """
        now, reason = self._clock(), read_reason(reason)
        removed = Removed((), password=False)

        async def work(transaction: Session | None) -> None:
            nonlocal removed
            held = await self._held(person, transaction)
            gone = [each for each in held if factor in (None, each.id)]
            if not gone:
                raise FactorRefused(FactorProblem.NOT_FOUND)
            is_last = not any(each.kind in SECOND_FACTORS for each in held if each not in gone)
            short = is_last and await self._has_short_password(person, transaction)
            removed = Removed(held if is_last else gone, password=short)
            # All: also what was begun and never confirmed.
            wanted = {"person": person} if factor is None else {"person": person, "_id": factor}
            await self._database.delete_many(FactorDocument, wanted, session=transaction)
            await self._database.insert(_noted(person, removed, reason, now), session=transaction)

        await changed(self._database, person, work, ends_short_password=True)
        await end_sessions(self._database, self._tickets, self._revocations, person)
        # In this order: what an open session began in between goes as well.
        await self._tickets.cancel(person, _BEGUN)
        return removed

    async def _held(self, person: str, transaction: Session | None) -> list[Held]:
        rows = await self._database.find(
            FactorDocument,
            {"person": person, "confirmed": True},
            projection=_SHOWN,
            sort=[("created_at", 1), ("_id", 1)],
            session=transaction,
        )
        await self._database.opened(Use.OPERATOR, FactorDocument, *rows)
        return [
            Held(row["_id"], FactorKind(row["kind"]), row.get("name"), row["created_at"], row.get("last_used_at"))
            for row in rows
        ]

    async def _has_short_password(self, person: str, transaction: Session | None) -> bool:
        short = {"_id": person, "password_short": True}
        row = await self._database.find_one(UserDocument, short, projection={"_id": 1}, session=transaction)
        return row is not None


def _past(row: Mapping[str, Any]) -> Past:
    return Past(row["factors"], [FactorKind(kind) for kind in row["kinds"]], row["reason"], row["at"])


def _noted(person: str, removed: Removed, reason: str, now: datetime) -> FactorRemovalDocument:
    return FactorRemovalDocument(
        id=new_id("frm", region_of(person, "usr") or ""),
        person=person,
        factors=[each.id for each in removed.factors],
        kinds=[each.kind for each in removed.factors],
        reason=reason,
        at=now,
    )
