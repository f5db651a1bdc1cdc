"""What becomes of sessions that are open: they are proven anew, get more purposes, and end before their time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from auth.issuing import NEEDED, Session, issue, may_sign_in, united
from auth.principal import Principal
from auth.revocations import KEPT, Revocations
from auth.tickets import Tickets
from auth.tokens import Tokens
from models.database import Database
from models.database import Session as Transaction
from models.session import SessionDocument
from models.ticket import TicketKind
from models.user import UserDocument
from models.vocabulary import Purpose


class OpenSessions:
    """Sessions of people who are signed in. One that ends takes its access tokens with it, within a second."""

    def __init__(
        self, database: Database, tokens: Tokens, revocations: Revocations, clock: Callable[[], datetime]
    ) -> None:
        self._database, self._tokens, self._revocations = database, tokens, revocations
        self._clock, self._tickets = clock, Tickets(database, clock=clock)

    async def step_up(self, principal: Principal, methods: Iterable[str]) -> Session | None:
        """The caller's session, now also proven by `methods` (RFC 8176); None when it has ended."""
        proven = sorted(united(principal.methods, methods))
        return await self._renew(
            principal,
            lambda now: {
                "$addToSet": {"methods": {"$each": proven}},
                "$set": {"authenticated_at": now, "last_used_at": now},
            },
        )

    async def extend(
        self, principal: Principal, purpose: Purpose, until: datetime, transaction: Transaction | None = None
    ) -> None:
        """Note one more purpose on the caller's session, if it is there, for all its tokens `until` then.

        `renew` gives the first of them, when the transaction is over.
        """
        await self._drop(principal, purpose, transaction)
        extra = {"$push": {"extra_purposes": {"purpose": purpose.value, "expires_at": until}}}
        await self._database.update_one(SessionDocument, _own(principal), extra, session=transaction)

    async def renew(self, principal: Principal) -> Session | None:
        """The caller's session with a new access token that says what holds now; None when it has ended."""
        return await self._renew(principal, lambda now: {"$set": {"last_used_at": now}})

    async def retract(self, principal: Principal, purpose: Purpose) -> Session | None:
        """The caller's session without that extra purpose: access tokens that carry it end; None as in `renew`."""
        await self._drop(principal, purpose)
        if principal.session is not None:
            await self._revocations.revoke(principal.session)
        return await self.renew(principal)

    async def sign_out(self, principal: Principal, *, everywhere: bool) -> int:
        """End this session, or all of the person's; how many ended. Their access tokens end too."""
        person, session = principal.person, principal.session
        if person is None or (session is None and not everywhere):
            return 0
        if everywhere or session is None:
            return await self.end_all(person)
        ended = await self._database.delete_one(SessionDocument, {"_id": session, "person": person})
        await self._revocations.revoke(session)
        return ended

    async def end_one(self, principal: Principal, session_id: str) -> bool:
        """End one session of the caller's own; whether there was such a one."""
        person = principal.person
        if person is None:
            return False
        if not await self._database.delete_one(SessionDocument, {"_id": session_id, "person": person}):
            return False
        await self._revocations.revoke(session_id)
        return True

    async def end_others(self, principal: Principal) -> int:
        """End all sessions of the caller but the one that asks, and sign-ins half done; how many ended."""
        person = principal.person
        if person is None:
            return 0
        await self._tickets.cancel(person, [TicketKind.SECOND_FACTOR])
        others = {"person": person, "_id": {"$ne": principal.session}}
        # Those that were not used lately have no access token that could still hold. There may be thousands.
        quiet = {**others, "last_used_at": {"$lt": self._clock() - KEPT}}
        ended = await self._database.delete_many(SessionDocument, quiet)
        ids = [row["_id"] for row in await self._database.find(SessionDocument, others, projection={"_id": 1})]
        ended += await self._database.delete_many(SessionDocument, {"_id": {"$in": ids}})
        await self._revocations.revoke(*ids)
        return ended

    async def end_all(self, person: str) -> int:
        """End every session of a person, for instance after a new password or a suspension; how many ended."""
        return await end_sessions(self._database, self._tickets, self._revocations, person)

    async def _renew(self, principal: Principal, update: Callable[[datetime], Mapping[str, Any]]) -> Session | None:
        """A new access token of the caller's session after `update` of its row, which takes the moment."""
        person, session = principal.person, principal.session
        if person is None or session is None:
            return None
        now = self._revocations.issuing_time(self._clock(), person, session)
        user = await self._database.find_one(UserDocument, {"_id": person}, projection=NEEDED)
        if user is None or not may_sign_in(user):
            return None
        mine = {"_id": session, "person": person, "expires_at": {"$gt": now}}
        row = await self._database.find_one_and_update(SessionDocument, mine, update(now))
        return None if row is None else issue(self._tokens, user, row, now, "")

    async def _drop(self, principal: Principal, purpose: Purpose, transaction: Transaction | None = None) -> None:
        without = {"$pull": {"extra_purposes": {"purpose": purpose.value}}}
        await self._database.update_one(SessionDocument, _own(principal), without, session=transaction)


def _own(principal: Principal) -> dict[str, str | None]:
    return {"_id": principal.session, "person": principal.person}


async def end_sessions(database: Database, tickets: Tickets, revocations: Revocations, person: str) -> int:
    """End every session of a person; how many ended.

    NOTE: sign-ins half done end first. One that is just being completed has either stored its session
    by then, or finds its challenge gone.
    """
    await tickets.cancel(person, [TicketKind.SECOND_FACTOR])
    ended = await database.delete_many(SessionDocument, {"person": person})
    await revocations.revoke(person)
    return ended
