"""Second factors on a database as tests see them, with a clock that may be turned."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pyotp import TOTP

from auth.factors import Enrolment, FactorProblem, FactorRefused, Factors, Proof, Proven, relying_party
from auth.tickets import Tickets
from models.database import Database
from models.factor import FactorDocument
from models.ids import new_id
from models.user import UserDocument
from tests.e2e.authenticator import Authenticator
from tests.integration.identity.workers import ISSUER, Clock

STEP = timedelta(seconds=30)
SESSION = "ses_1"


@dataclass
class Desk:
    """Factors on a database, and a clock that may be turned."""

    database: Database
    clock: Clock
    tickets: Tickets
    factors: Factors
    enrolment: Enrolment

    async def person(self, name: str = "alice", **fields: Any) -> str:  # noqa: ANN401 - stored fields
        """Somebody's id."""
        document = UserDocument(id=new_id("usr", "eu"), username=name, username_key=name, **fields)
        await self.database.insert(document)
        return document.id

    async def app(self, person: str) -> tuple[TOTP, str, tuple[str, ...] | None]:
        """A confirmed app, its id, and the recovery codes that came with it. A step goes by."""
        made = await self.enrolment.begin_totp(person)
        app = TOTP(made.secret)
        enrolled = await self.enrolment.confirm_totp(person, made.id, app.at(self.clock()), None)
        self.clock.ahead += STEP
        return app, enrolled.id, enrolled.recovery_codes

    async def passkey(self, person: str, device: Authenticator, session: str | None = SESSION) -> str:
        """The id of a confirmed passkey on `device`."""
        begun = await self.enrolment.begin_passkey(person, session)
        answer = device.create(begun.options)
        return (await self.enrolment.confirm_passkey(person, session, begun.challenge, answer, "Key")).id

    async def code(self, person: str, code: str) -> Proven | None:
        """What a code proves."""
        return await self.factors.prove(person, Proof(code=code))

    async def recover(self, person: str, code: str) -> Proven | None:
        """What a recovery code proves."""
        return await self.factors.prove(person, Proof(recovery_code=code))

    async def whose(self, answer: str, challenge: str) -> Proven | None:
        """Whom a passkey's answer proves by itself."""
        return await self.factors.whose(Proof(passkey=answer, challenge=challenge))

    async def kinds(self, person: str) -> list[str] | None:
        """What the account says."""
        row = await self.database.find_one(UserDocument, {"_id": person})
        assert row is not None
        kinds: list[str] | None = row.get("factor_kinds")
        return kinds

    async def stored(self, person: str) -> list[str]:
        """The kinds of the confirmed factors that are stored."""
        rows = await self.database.find(FactorDocument, {"person": person, "confirmed": True})
        return sorted(row["kind"] for row in rows)


def desk_on(database: Database) -> Desk:
    """One process of the service."""
    clock = Clock()
    tickets = Tickets(database, clock=clock)
    party = relying_party(ISSUER)
    factors = Factors(database, party, clock=clock)
    return Desk(database, clock, tickets, factors, Enrolment(database, tickets, party, clock=clock))


async def refused(change: Awaitable[object]) -> FactorProblem | None:
    """Why a change was not made; None when it was."""
    try:
        await change
    except FactorRefused as error:
        return error.problem
    return None
