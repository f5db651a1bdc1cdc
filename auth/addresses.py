"""Proving email addresses by links: that of a new account, and a new one in the place of another.

A new address counts from the moment somebody has opened the link that was sent there; until then the
earlier one stays. Mails are written after the answer that asked for them.

An address is also the way to a new password. One that somebody else than the person proposed opens none for a week:
until then whoever has the earlier one, and is told, can object (docs/decisions/0020-an-address-from-others-waits.md).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from email.message import EmailMessage
from enum import StrEnum
from typing import Any, Final

from auth.mail import Notice, Outbox
from auth.mail.letters import Recipient
from auth.tickets import Ticket, Tickets
from models.base import now as utc_now
from models.database import Database, Raw
from models.errors import Conflict
from models.session import SessionDocument
from models.ticket import TicketDocument, TicketKind
from models.user import UserDocument
from models.uses import Use
from models.vocabulary import UserStatus

LIFETIME: Final = timedelta(minutes=30)  # of a link
RESET_WAIT: Final = timedelta(days=7)  # from when an address that another proposed is in force
MOST: Final = 5  # links of one kind that one person may have at a time: nobody's mailbox is filled
NOT_SUSPENDED: Final = {"status": {"$ne": UserStatus.SUSPENDED.value}}
_SENT_TO_THE_ADDRESS: Final = (TicketKind.EMAIL_VERIFICATION, TicketKind.EMAIL_CHANGE, TicketKind.PASSWORD_RESET)


class Proof(StrEnum):
    """What became of a link."""

    PROVEN = "PROVEN"
    TAKEN = "TAKEN"  # the address belongs to another account by now
    UNKNOWN = "UNKNOWN"  # used, too old, or none of ours


class Addresses:
    """Asks for proofs of addresses, and takes them."""

    def __init__(
        self, database: Database, tickets: Tickets, outbox: Outbox, *, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._database, self._tickets, self._outbox, self._clock = database, tickets, outbox, clock

    def ask(self, person: str) -> None:
        """Send a link to the person's present address, unless it is proven; returns at once."""

        async def work() -> None:
            row = await self._database.find_one(UserDocument, {"_id": person, **NOT_SUSPENDED}, projection=_ADDRESS)
            if row is None or not row.get("email") or row.get("email_verified"):
                return
            if await self._database.opened(Use.MAIL, UserDocument, row):
                ticket = Ticket(TicketKind.EMAIL_VERIFICATION, person, row["email"])
                await send_link(self._database, self._tickets, self._outbox, ticket, self._outbox.letters.verification)

        self._outbox.run(work)

    async def is_of_staff(self, person: str) -> bool:
        """Whether `person` has a role, or one that has expired: nobody else changes their address."""
        holding = {"_id": person, "roles.role": {"$exists": True}}
        return await self._database.find_one(UserDocument, holding, projection=_ID) is not None

    async def propose(self, person: str, email: str, *, by: str | None = None, session: str | None = None) -> None:
        """Send a link to a new address, and word of it to the present one; only the mails come after the answer.

        `by` is who proposes (None: a service), `session` theirs: when it has ended by now, the link does not hold.
        Whether another account has the new address is not looked at: only who can read its mails will learn.
        """
        if await self._database.find_one(UserDocument, {"_id": person, **NOT_SUSPENDED}, projection=_ID) is None:
            return
        # The latest wish counts: whoever holds an address that was a slip cannot confirm it any more.
        await self._tickets.cancel(person, [TicketKind.EMAIL_CHANGE])
        ticket = Ticket(TicketKind.EMAIL_CHANGE, person, email, by_another=by != person)
        await send_link(self._database, self._tickets, self._outbox, ticket, self._outbox.letters.change)
        # NOTE: looked at after the ticket is there. A new password ends sessions first and then tickets: either that
        # finds this ticket, or this finds that the session, whose token may hold for a second more, has ended.
        mine = {"_id": session}
        if session is not None and await self._database.find_one(SessionDocument, mine, projection=_ID) is None:
            await self._tickets.cancel(person, [TicketKind.EMAIL_CHANGE])
        self._outbox.notify(person, Notice.EMAIL_CHANGE_ASKED)

    async def prove(self, token: str) -> Proof:
        """Redeem a link; of two at the same moment one is UNKNOWN, and of two accounts one is TAKEN."""
        if ticket := await self._tickets.redeem(TicketKind.EMAIL_VERIFICATION, token):
            mine = {"_id": ticket.person, "email": ticket.email, **NOT_SUSPENDED}
            proven = await self._database.update_one(UserDocument, mine, {"$set": {"email_verified": True}})
            return Proof.PROVEN if proven else Proof.UNKNOWN
        if ticket := await self._tickets.redeem(TicketKind.EMAIL_CHANGE, token):
            return await self._put_in_force(ticket)
        return Proof.UNKNOWN

    async def _put_in_force(self, ticket: Ticket) -> Proof:
        person = ticket.person or ""
        before = await self._database.find_one(UserDocument, {"_id": person, **NOT_SUSPENDED}, projection=_ADDRESS)
        if before is None or not await self._database.opened(Use.MAIL, UserDocument, before):
            return Proof.UNKNOWN
        # In the place of the address that is told of it, whatever another request does meanwhile.
        mine: dict[str, Any] = {"_id": person, "email": before.get("email"), **NOT_SUSPENDED}
        # Not by their keys: "straße@" and "strasse@" count as one here, and may be two people's mailboxes.
        is_new = (before.get("email") or "").lower() != (ticket.email or "").lower()
        new: dict[str, Any] = {"email": ticket.email, "email_verified": True}
        if ticket.by_another:
            mine |= _NOT_OF_STAFF  # they may have been given a role since
            # What another confirms once more neither begins a wait nor ends one.
            change = {"$set": {**new, "reset_from": self._clock() + RESET_WAIT} if is_new else new}
        else:
            change = {"$set": new, "$unset": {"reset_from": ""}}
        try:
            if not await self._database.update_one(UserDocument, mine, change):
                return Proof.UNKNOWN
        except Conflict:
            return Proof.TAKEN
        await self._tickets.cancel(person, _SENT_TO_THE_ADDRESS)
        earlier = _recipient(before)
        if earlier is not None and is_new:
            notice = Notice.EMAIL_CHANGED_BY_ANOTHER if ticket.by_another else Notice.EMAIL_CHANGED
            self._outbox.post(self._outbox.letters.notice(earlier, notice, {}))
        return Proof.PROVEN


_NOT_OF_STAFF: Final = {"roles.role": {"$exists": False}}
_ID: Final = {"_id": 1}
_ADDRESS: Final = {"email": 1, "email_verified": 1, "username": 1}


async def send_link(
    database: Database,
    tickets: Tickets,
    outbox: Outbox,
    ticket: Ticket,
    letter: Callable[[Recipient, str], EmailMessage],
) -> None:
    """Issue `ticket` and mail its link to the ticket's address, unless the person has `MOST` such links."""
    mine = {"person": ticket.person, "kind": ticket.kind.value}
    if ticket.email is not None and await database.count(TicketDocument, mine) < MOST:
        outbox.post(letter(Recipient(ticket.email), await tickets.issue(ticket, LIFETIME)))


def _recipient(row: Raw) -> Recipient | None:
    if not row.get("email"):
        return None
    return Recipient(row["email"], row["username"] if row.get("email_verified") else None)
