"""The queue between a request and its mails: in memory, bounded, and never a reason for a request to fail.

Why nothing of it is stored: docs/decisions/0014-mails-are-queued-in-memory.md.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from email.message import EmailMessage
from typing import Final, TypeAlias

import structlog

from auth.mail.letters import Letters, Recipient
from auth.mail.mailer import Mailer, NotSent
from auth.mail.notices import Notice
from models.database import Database
from models.errors import DatabaseUnavailable, FieldwardError
from models.user import UserDocument
from models.uses import Use

CAPACITY: Final = 1_000
PAUSES: Final = (1.0, 5.0, 30.0, 120.0)  # seconds before each further attempt
LANES: Final = 4  # of each kind of work at once
SPREAD: Final = (0.1, 0.4)  # seconds until work that was asked for begins: when the answer has long been given
GRACE: Final = 5.0  # seconds for what is left when told to stop

Work: TypeAlias = Callable[[], Awaitable[None]]


class Outbox:
    """Does work after the answer that asked for it. `count` is told `sent`, `failed` or `dropped` per piece of work.

    The answer waits for none of it, so that it takes no longer for an address that exists than for one
    that does not.
    """

    def __init__(
        self,
        database: Database,
        mailer: Mailer,
        letters: Letters,
        *,
        count: Callable[[str], None] = lambda _outcome: None,
        capacity: int = CAPACITY,
        pauses: Sequence[float] = PAUSES,
        spread: tuple[float, float] = SPREAD,
    ) -> None:
        self._database, self._mailer, self.letters = database, mailer, letters
        self._count, self._capacity, self._pauses, self._spread = count, capacity, tuple(pauses), spread
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._working, self._sending = asyncio.Semaphore(LANES), asyncio.Semaphore(LANES)

    def notify(self, person: str, notice: Notice, **details: str) -> None:
        """Write to `person` that something has happened; returns at once, never raises."""

        async def tell() -> None:
            recipient = await self.recipient(person)
            if recipient is not None:
                self.post(self.letters.notice(recipient, notice, details))

        self._begin(tell, self._working, 0.0)

    def run(self, work: Work) -> None:
        """Do `work` soon, and again when the database was away; returns at once, never raises.

        It begins a random fraction of a second later, so that neither the answer nor the next one tells anything of it.
        """
        self._begin(work, self._working, random.uniform(*self._spread))  # noqa: S311 - spreads work, no secret

    def post(self, message: EmailMessage) -> None:
        """Send a mail soon, with further attempts; returns at once, never raises."""

        async def send() -> None:
            await self._mailer.send(message)
            self._count("sent")

        self._begin(send, self._sending, 0.0)

    async def settled(self) -> None:
        """Wait until all work is done or dropped."""
        while self._tasks:  # work that ends may have posted a mail
            await asyncio.wait(self._tasks)

    async def recipient(self, person: str) -> Recipient | None:
        """Where `person` is written to; None without an address. Raises `DatabaseUnavailable`."""
        projection = {"email": 1, "email_verified": 1, "username": 1}
        row = await self._database.find_one(UserDocument, {"_id": person}, projection=projection)
        if row is None or not row.get("email") or not await self._database.opened(Use.MAIL, UserDocument, row):
            return None
        return Recipient(row["email"], row["username"] if row.get("email_verified") else None)

    async def stop(self, grace: float = GRACE) -> None:
        """Make a last attempt at all that is left, for `grace` seconds at most."""
        self._stopping.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self.settled()
        left = list(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        if left:
            structlog.get_logger(__name__).warning("mails_lost", reason="stopped", count=len(left))

    def _begin(self, work: Work, lanes: asyncio.Semaphore, pause: float) -> None:
        if len(self._tasks) >= self._capacity:
            self._count("dropped")
            structlog.get_logger(__name__).warning("mail_dropped", reason="full", count=len(self._tasks))
            return
        task = asyncio.create_task(self._attempts(work, lanes, pause), name="outbox")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _attempts(self, work: Work, lanes: asyncio.Semaphore, pause: float) -> None:
        log = structlog.get_logger(__name__)
        for wait in (pause, *self._pauses):
            await self._sleep(wait)
            last = self._stopping.is_set()
            try:
                async with lanes:
                    await work()
            except (DatabaseUnavailable, NotSent) as error:
                reason = "refused" if isinstance(error, NotSent) and not error.again else "unavailable"
                if last or reason == "refused":
                    break
            except FieldwardError as error:
                reason = error.code
                break
            except Exception as error:  # nobody waits for this task: the log is told, without the text
                log.error("mail_failed", exc_info=error)
                reason = "error"
                break
            else:
                return
        self._count("failed")
        log.warning("mail_dropped", reason=reason)

    async def _sleep(self, seconds: float) -> None:
        """Wait, or less when told to stop."""
        if seconds > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), seconds)
