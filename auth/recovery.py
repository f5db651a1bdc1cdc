"""A new password for somebody who has lost theirs, by a link in a mail (NIST SP 800-63B-4, section 4.2).

Asking tells nothing of whether there is such an account: all that depends on it happens after the answer.
A reset proves the mailbox and no more. It signs nobody in, and second factors stay. Where there are some, it does
not say either that the account belongs to who reads the mails: somebody may have registered with an address that is
not theirs, and still gets in by a passkey. An address that somebody else than the person proposed opens no password
for a while (`auth.addresses`): what is mailed there meanwhile says so, and is no link.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Final

from auth.addresses import NOT_SUSPENDED, send_link
from auth.mail import Notice, Outbox
from auth.mail.letters import Recipient
from auth.names import login_key
from auth.passwords import Passwords
from auth.screening import is_short
from auth.sessions import Sessions
from auth.tickets import Ticket, Tickets
from models.base import now as utc_now
from models.database import Database
from models.errors import BadInput
from models.ticket import TicketKind
from models.user import UserDocument
from models.uses import Use

# What was begun with the old password, perhaps by somebody else, and the other links.
_OVER: Final = (TicketKind.PASSWORD_RESET, TicketKind.EMAIL_CHANGE, TicketKind.SECOND_FACTOR, TicketKind.STEP_UP)
_NAMES: Final = ("username", "email", "full_name")


@dataclass(frozen=True, slots=True)
class Reset:
    """Whether the password is new; else `problems` with it (`auth.screening.Problem`), after which the link still
    holds, or none when it is the link that does not. A `second_factor` lets it be shorter."""

    done: bool = False
    problems: Sequence[str] = ()
    second_factor: bool = False


class Recovery:
    """Sends reset links, and takes them."""

    def __init__(
        self,
        database: Database,
        tickets: Tickets,
        outbox: Outbox,
        passwords: Passwords,
        sessions: Sessions,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database, self._tickets, self._outbox = database, tickets, outbox
        self._passwords, self._sessions, self._clock = passwords, sessions, clock

    def ask(self, login: str) -> None:
        """Send a link to the person of this user name or address, if there is one; returns at once.

        Where the address has to wait, the mail says so in the place of the link.
        """

        async def work() -> None:
            try:
                name, key = login_key(login)
            except BadInput:
                return
            projection = {"email": 1, "reset_from": 1}
            row = await self._database.find_one(UserDocument, {name: key, **NOT_SUSPENDED}, projection=projection)
            if row is None or not row.get("email"):
                return
            if await self._database.opened(Use.MAIL, UserDocument, row):
                ticket = Ticket(TicketKind.PASSWORD_RESET, row["_id"], row["email"])
                letter = self._letter(row.get("reset_from"))
                await send_link(self._database, self._tickets, self._outbox, ticket, letter)

        self._outbox.run(work)

    def _letter(self, waits_until: datetime | None) -> Callable[[Recipient, str], EmailMessage]:
        letters = self._outbox.letters
        if waits_until is None or waits_until <= self._clock():
            return letters.reset
        # Its ticket only counts, so that there are no more of these mails than of links: nobody gets the secret.
        return lambda to, _secret: letters.reset_waits(to, waits_until)

    async def cancel(self, person: str) -> None:
        """End links to a new password, and what was begun with the old one."""
        await self._tickets.cancel(person, _OVER)

    async def reset(self, token: str, new_password: str) -> Reset:
        """Store a new password for whom the link was sent to, end all their sessions, and tell them.

        Raises `RateLimited` when too many passwords are hashed at once; the link still holds then.
        """
        ticket = await self._tickets.look_at(TicketKind.PASSWORD_RESET, token)
        if ticket is None or ticket.person is None:
            return Reset()
        # Addresses of one key may be two people's mailboxes: a link to one must not pass by the other's wait.
        waits_not = {"reset_from": {"$not": {"$gt": self._clock()}}}
        mine = {"_id": ticket.person, "email": ticket.email, **waits_not, **NOT_SUSPENDED}
        projection = {"factor_kinds": 1, **dict.fromkeys(_NAMES, 1)}
        row = await self._database.find_one(UserDocument, mine, projection=projection)
        if row is None or not await self._database.opened(Use.SCREENING, UserDocument, row):
            return Reset()
        factors = row.get("factor_kinds")
        personal = [str(row[name]) for name in _NAMES if row.get(name)]
        problems = self._passwords.problems(new_password, personal=personal, second_factor=bool(factors))
        if problems:
            return Reset(problems=problems, second_factor=bool(factors))
        new = {
            "password_hash": await self._passwords.hash(new_password),
            "password_short": is_short(new_password),
            # The link was read there, and nothing but what was read there opens the account from now on.
            **({} if factors else {"email_verified": True}),
        }
        if await self._tickets.redeem(TicketKind.PASSWORD_RESET, token) is None:
            return Reset()  # of two at the same moment the other was first
        # A short password was checked against these factors: it must not outlive them.
        change = {"$set": new, "$inc": {"password_changes": 1}}
        if not await self._database.update_one(UserDocument, {**mine, "factor_kinds": factors}, change):
            return Reset()
        # In this order: what an open session began in between goes as well.
        await self._sessions.end_all(ticket.person)
        await self.cancel(ticket.person)
        self._outbox.notify(ticket.person, Notice.PASSWORD_RESET)
        return Reset(done=True)
