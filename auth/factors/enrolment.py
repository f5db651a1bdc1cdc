"""Enrols, removes and renews second factors. None counts before the person has shown that it works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from auth.factors.factors import passkey_challenge
from auth.factors.passkeys import RelyingParty, creation_options, made
from auth.factors.problems import FactorProblem, FactorRefused
from auth.factors.store import SECOND_FACTORS, changed, confirmed, credential_of, new_factor, replace_codes
from auth.factors.totp import new_secret, provisioning_uri, readable, step_of
from auth.tickets import Ticket, Tickets
from models.base import now as utc_now
from models.database import Database, Session
from models.encrypted import Unsealed
from models.errors import Conflict
from models.factor import FactorDocument
from models.ticket import TicketKind
from models.user import UserDocument
from models.uses import Use
from models.vocabulary import FactorKind

LIFETIME: Final = timedelta(minutes=15)
"""How long an enrolment that was begun can be confirmed."""
MOST: Final = 20  # factors of one person


@dataclass(frozen=True, slots=True)
class NewTotp:
    """A factor to be confirmed, and its secret: as text to type and as `otpauth://` for a QR code."""

    id: str
    secret: str = field(repr=False)
    uri: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """The challenge to confirm with, and the options for the browser."""

    challenge: str = field(repr=False)
    options: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A factor that counts now, and recovery codes if there were none yet: nobody sees them again."""

    id: str
    recovery_codes: tuple[str, ...] | None = field(default=None, repr=False)


class Enrolment:
    """Changes people's factors in `database`. Raises `FactorRefused` for what is not done."""

    def __init__(
        self,
        database: Database,
        tickets: Tickets,
        party: RelyingParty,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database, self._tickets, self._party, self._clock = database, tickets, party, clock

    async def begin_totp(self, person: str) -> NewTotp:
        """A new secret for an authenticator app, in the place of one that was never confirmed."""
        username = await self._username(person)
        secret = new_secret()
        factor = new_factor(person, FactorKind.TOTP, secret=Unsealed(secret), created_at=self._clock())
        await self._database.delete_many(FactorDocument, self._pending(person))
        await self._database.insert(factor)
        uri = provisioning_uri(secret, account=username, issuer=self._party.name)
        return NewTotp(factor.id, readable(secret), uri)

    async def confirm_totp(self, person: str, factor: str, code: str, name: str | None) -> Enrolled:
        """Make it count once its app has shown a right `code`, which is then used."""
        now = self._clock()
        pending = {**self._pending(person), "_id": factor, "created_at": {"$gt": now - LIFETIME}}
        row = await self._database.find_one(FactorDocument, pending)
        if row is None or not await self._database.opened(Use.SECOND_FACTOR, FactorDocument, row):
            raise FactorRefused(FactorProblem.NOT_FOUND)
        step = step_of(row["secret"], code, now, after=None)
        if step is None:
            raise FactorRefused(FactorProblem.WRONG_CODE)
        kept: dict[str, Any] = {"confirmed": True, "last_step": step, "created_at": now, "last_used_at": now}

        async def confirm(session: Session | None) -> None:
            update = {"$set": kept if name is None else {**kept, "name": name}}
            if not await self._database.update_one(FactorDocument, pending, update, session=session):
                raise FactorRefused(FactorProblem.NOT_FOUND)

        return Enrolled(factor, await self._added(person, confirm))

    async def begin_passkey(self, person: str, session: str | None) -> NewPasskey:
        """Options for a new passkey on a device that has none of this person's."""
        username = await self._username(person)
        ticket = Ticket(TicketKind.PASSKEY_ENROLMENT, person, session=session)
        challenge = await self._tickets.issue(ticket, LIFETIME)
        known = [credential_of(row) for row in await confirmed(self._database, person, FactorKind.PASSKEY)]
        options = creation_options(
            self._party, passkey_challenge(challenge), person=person, username=username, known=known
        )
        return NewPasskey(challenge, options)

    async def confirm_passkey(
        self, person: str, session: str | None, challenge: str, answer: str, name: str | None
    ) -> Enrolled:
        """Store the passkey that a browser has made; `challenge` works once, in the session that asked for it."""
        ticket = await self._tickets.redeem(TicketKind.PASSKEY_ENROLMENT, challenge)
        if ticket is None or (ticket.person, ticket.session) != (person, session):
            raise FactorRefused(FactorProblem.CHALLENGE_ENDED)
        credential = made(self._party, passkey_challenge(challenge), answer)
        if credential is None:
            raise FactorRefused(FactorProblem.BAD_PASSKEY)
        factor = new_factor(
            person,
            FactorKind.PASSKEY,
            name=name,
            confirmed=True,
            credential_id=credential.id,
            public_key=credential.public_key,
            sign_count=credential.sign_count,
            transports=list(credential.transports),
            created_at=self._clock(),
        )

        async def store(transaction: Session | None) -> None:
            await self._database.insert(factor, session=transaction)

        try:
            return Enrolled(factor.id, await self._added(person, store))
        except Conflict:
            # Somebody has this very passkey, which is not for others to know.
            raise FactorRefused(FactorProblem.BAD_PASSKEY) from None

    async def remove(self, person: str, factor: str) -> frozenset[FactorKind]:
        """Remove a factor or the recovery codes; the kinds that are left. The last factor takes the codes with it."""

        async def remove(session: Session | None) -> None:
            mine = {"_id": factor, "person": person, "confirmed": True}
            if not await self._database.delete_one(FactorDocument, mine, session=session):
                raise FactorRefused(FactorProblem.NOT_FOUND)

        return await changed(self._database, person, remove)

    async def new_codes(self, person: str) -> tuple[str, ...]:
        """Recovery codes in the place of all earlier ones."""
        codes: tuple[str, ...] = ()

        async def renew(session: Session | None) -> None:
            nonlocal codes
            if not await confirmed(self._database, person, *SECOND_FACTORS, session=session):
                raise FactorRefused(FactorProblem.NO_FACTORS)
            codes = await replace_codes(self._database, person, session)

        await changed(self._database, person, renew)
        return codes

    async def _added(self, person: str, add: Callable[[Session | None], Any]) -> tuple[str, ...] | None:
        """Add a factor; recovery codes when the person has none left."""
        codes: tuple[str, ...] | None = None

        async def work(session: Session | None) -> None:
            nonlocal codes
            if len(await confirmed(self._database, person, *SECOND_FACTORS, session=session)) >= MOST:
                raise FactorRefused(FactorProblem.TOO_MANY_FACTORS)
            await add(session)
            sheets = await confirmed(self._database, person, FactorKind.RECOVERY_CODE, session=session)
            left = any(sheet["code_hashes"] for sheet in sheets)
            codes = None if left else await replace_codes(self._database, person, session)

        await changed(self._database, person, work)
        return codes

    async def _username(self, person: str) -> str:
        row = await self._database.find_one(UserDocument, {"_id": person}, projection={"username": 1})
        if row is None:
            raise FactorRefused(FactorProblem.NOT_FOUND)
        return str(row["username"])

    def _pending(self, person: str) -> dict[str, Any]:
        return {"person": person, "kind": FactorKind.TOTP.value, "confirmed": False}
