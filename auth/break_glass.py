"""Break-glass: staff lend themselves the purpose EMERGENCY, for an hour at most, said out loud and reviewed later.

What it opens is in `auth.rules`, who may open and review it too. The record is stored together with what is lent,
while a role that may is still held, so that nobody has it without either. Source: NIST SP 800-53 AC-2(2) and AC-6 on
emergency access.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import structlog

from auth.principal import Principal
from auth.reasons import read_reason
from auth.role_holders import holders, holds, in_turn
from auth.sessions import Session, Sessions
from models.base import now as utc_now
from models.break_glass import BreakGlassDocument
from models.database import Database
from models.database import Session as Transaction
from models.errors import FieldwardError
from models.ids import new_id, region_of
from models.vocabulary import Purpose, ReviewVerdict, Role

MOST_MINUTES: Final = 60
OPENERS: Final = (Role.SUPPORT, Role.SECURITY, Role.PRIVACY)
REVIEWERS: Final = (Role.ADMIN, Role.SECURITY)


class BreakGlassProblem(StrEnum):
    """Why emergency access was neither opened, ended nor reviewed. Stable codes."""

    BAD_MINUTES = "BAD_MINUTES"
    ROLE_ENDED = "ROLE_ENDED"
    ALREADY_OPEN = "ALREADY_OPEN"
    NOT_OPEN = "NOT_OPEN"
    NOT_FOUND = "NOT_FOUND"
    NOT_YOURSELF = "NOT_YOURSELF"
    STILL_OPEN = "STILL_OPEN"
    ALREADY_REVIEWED = "ALREADY_REVIEWED"
    SESSION_ENDED = "SESSION_ENDED"


MESSAGES: Final[Mapping[BreakGlassProblem, str]] = {
    BreakGlassProblem.BAD_MINUTES: f"Emergency access lasts from 1 to {MOST_MINUTES} minutes.",
    BreakGlassProblem.ROLE_ENDED: "You have no role any more that may open emergency access.",
    BreakGlassProblem.ALREADY_OPEN: "The emergency access of this session is open already: end it first.",
    BreakGlassProblem.NOT_OPEN: "You have no emergency access open in this session.",
    BreakGlassProblem.NOT_FOUND: "There is no such emergency access.",
    BreakGlassProblem.NOT_YOURSELF: "Somebody else has to review this: it was your own.",
    BreakGlassProblem.STILL_OPEN: "This emergency access is still open: review it when it has ended.",
    BreakGlassProblem.ALREADY_REVIEWED: "This emergency access has been reviewed.",
    BreakGlassProblem.SESSION_ENDED: "This session has ended. Sign in again.",
}


class BreakGlassRefused(FieldwardError):
    """What was asked for is not done."""

    def __init__(self, problem: BreakGlassProblem) -> None:
        super().__init__(MESSAGES[problem], code=problem.value)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Opened:
    """The record of an emergency access that has just been opened, and the session that now carries it."""

    id: str
    until: datetime
    session: Session


class BreakGlass:
    """Emergency access over `sessions`. Everything raises `BreakGlassRefused` for what is not to be done."""

    def __init__(self, database: Database, sessions: Sessions, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._database, self._sessions, self._clock = database, sessions, clock

    async def open(self, principal: Principal, justification: str, minutes: int) -> Opened:
        """Lend the caller's session EMERGENCY for `minutes`. Raises `Refused` for a justification that is none."""
        words = read_reason(justification)
        if not 1 <= minutes <= MOST_MINUTES:
            raise BreakGlassRefused(BreakGlassProblem.BAD_MINUTES)
        if principal.person is None or principal.session is None:
            raise BreakGlassRefused(BreakGlassProblem.SESSION_ENDED)
        now = self._clock()
        record = BreakGlassDocument(
            id=new_id("bgl", region_of(principal.person, "usr") or ""),
            person=principal.person,
            session=principal.session,
            justification=words,
            opened_at=now,
            expires_at=now + timedelta(minutes=minutes),
        )
        await self._lend(principal, record)
        session = await self._sessions.renew(principal)
        if session is None:
            await self._database.update_one(BreakGlassDocument, {"_id": record.id}, {"$set": {"ended_at": now}})
            raise BreakGlassRefused(BreakGlassProblem.SESSION_ENDED)
        structlog.get_logger(__name__).warning(
            "break_glass_opened", principal=principal.person, grant=record.id, seconds=minutes * 60
        )
        return Opened(record.id, record.expires_at, session)

    async def _lend(self, principal: Principal, record: BreakGlassDocument) -> None:
        """Store `record` and lend what it is about, unless the role has gone or it was done meanwhile."""

        async def work(transaction: Transaction | None) -> None:
            if not await holds(self._database, transaction, record.person, OPENERS, record.opened_at):
                raise BreakGlassRefused(BreakGlassProblem.ROLE_ENDED)
            mine = _open_of(principal, record.opened_at)
            if await self._database.find_one(BreakGlassDocument, mine, session=transaction):
                raise BreakGlassRefused(BreakGlassProblem.ALREADY_OPEN)
            await self._database.insert(record, session=transaction)
            await self._sessions.extend(principal, Purpose.EMERGENCY, record.expires_at, transaction)

        await in_turn(self._database, work)

    async def end(self, principal: Principal) -> Session:
        """Give EMERGENCY back before its time; the tokens of this session that carry it end."""
        if principal.person is None or principal.session is None:
            raise BreakGlassRefused(BreakGlassProblem.NOT_OPEN)
        now = self._clock()
        mine = _open_of(principal, now)
        record = await self._database.find_one(BreakGlassDocument, mine, projection={"_id": 1})
        if record is None:
            raise BreakGlassRefused(BreakGlassProblem.NOT_OPEN)
        session = await self._sessions.retract(principal, Purpose.EMERGENCY)
        await self._database.update_one(BreakGlassDocument, mine, {"$set": {"ended_at": now}})
        structlog.get_logger(__name__).info("break_glass_ended", principal=principal.person, grant=record["_id"])
        if session is None:
            raise BreakGlassRefused(BreakGlassProblem.SESSION_ENDED)
        return session

    async def review(self, identifier: str, reviewer: str, verdict: ReviewVerdict, note: str) -> None:
        """Note what somebody else than its holder says of an access that is over; of two at once, one counts."""
        words, now = read_reason(note), self._clock()
        reviewable = {
            "_id": identifier,
            "person": {"$ne": reviewer},
            "reviewed_at": None,
            "$or": [{"ended_at": {"$ne": None}}, {"expires_at": {"$lte": now}}],
        }
        said = {"reviewed_by": reviewer, "reviewed_at": now, "verdict": verdict.value, "note": words}
        if not await self._database.update_one(BreakGlassDocument, reviewable, {"$set": said}):
            raise BreakGlassRefused(await self._why_not(identifier, reviewer))
        structlog.get_logger(__name__).info(
            "break_glass_reviewed", principal=reviewer, grant=identifier, code=verdict.value
        )

    async def reviewers(self) -> Sequence[str]:
        """The ids of those who may review: they are told of each access."""
        return await holders(self._database, REVIEWERS, self._clock())

    async def _why_not(self, identifier: str, reviewer: str) -> BreakGlassProblem:
        row = await self._database.find_one(
            BreakGlassDocument, {"_id": identifier}, projection={"person": 1, "reviewed_at": 1}
        )
        if row is None:
            return BreakGlassProblem.NOT_FOUND
        if row["person"] == reviewer:
            return BreakGlassProblem.NOT_YOURSELF
        return BreakGlassProblem.ALREADY_REVIEWED if row.get("reviewed_at") else BreakGlassProblem.STILL_OPEN


def _open_of(principal: Principal, now: datetime) -> dict[str, Any]:
    """What this session carries: one that is over has taken its own with it."""
    session = {"person": principal.person, "session": principal.session}
    return {**session, "ended_at": None, "expires_at": {"$gt": now}}
