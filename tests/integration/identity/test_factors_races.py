"""Second factors that many use or change at the same moment, on the real database."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from beanie import Document

from auth.factors import FactorProblem, Proof
from auth.factors.enrolment import LIFETIME
from auth.tickets import Ticket
from models.database import Database
from models.ticket import TicketKind
from tests.e2e.authenticator import Authenticator
from tests.integration.identity.desks import Desk, desk_on, refused
from tests.integration.identity.workers import ISSUER

MANY = 8


@pytest.fixture
def real(database: Database) -> Desk:
    """On the real one, where changes meet."""
    return desk_on(database)


def meeting(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on, writes begin when `MANY` are about to: all of them have read the same."""
    barrier, update = asyncio.Barrier(MANY), desk.database.update_one

    async def together(
        document: type[Document],
        filter: Mapping[str, Any],  # noqa: A002 - as in what it stands for
        change: Mapping[str, Any],
    ) -> int:
        await barrier.wait()
        return await update(document, filter, change)

    monkeypatch.setattr(desk.database, "update_one", together)


async def test_of_many_with_one_code_one_gets_through(real: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though none was used when they looked."""
    person = await real.person()
    app, _, _ = await real.app(person)
    meeting(real, monkeypatch)
    code = app.at(real.clock())
    proven = await asyncio.gather(*(real.code(person, code) for _ in range(MANY)))
    assert sum(each is not None for each in proven) == 1


async def test_of_many_with_one_recovery_code_one_gets_through(real: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is found and taken out at once."""
    person = await real.person()
    _, _, codes = await real.app(person)
    assert codes is not None
    meeting(real, monkeypatch)
    proven = await asyncio.gather(*(real.recover(person, codes[0]) for _ in range(MANY)))
    assert sum(each is not None for each in proven) == 1


async def test_of_many_with_one_signature_one_gets_through(real: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the counter, where there is one."""
    person, device = await real.person(), Authenticator(ISSUER)
    await real.passkey(person, device)
    meeting(real, monkeypatch)
    proof = Proof(passkey=device.get(real.factors.ask_anybody("secret")), challenge="secret")
    proven = await asyncio.gather(*(real.factors.whose(proof) for _ in range(MANY)))
    assert [each.person for each in proven if each is not None] == [person]


async def test_a_ticket_has_so_many_tries(real: Desk) -> None:
    """However many try at the same moment."""
    secret = await real.tickets.issue(Ticket(TicketKind.SECOND_FACTOR, "usr_1"), LIFETIME)
    tried = await asyncio.gather(*(real.tickets.attempt(TicketKind.SECOND_FACTOR, secret, 5) for _ in range(20)))
    assert sum(each is not None for each in tried) == 5
    assert await real.tickets.attempt(TicketKind.STEP_UP, secret, 5) is None
    assert await real.tickets.look_at(TicketKind.SECOND_FACTOR, secret) is not None


@pytest.mark.parametrize("_round", range(5))
async def test_what_the_account_says_is_what_there_is(real: Desk, _round: int) -> None:
    """While factors come and go at the same moment."""
    person = await real.person()
    _, first, _ = await real.app(person)
    removed, _, added = await asyncio.gather(
        refused(real.enrolment.remove(person, first)),
        refused(real.enrolment.new_codes(person)),
        refused(real.passkey(person, Authenticator(ISSUER))),
    )
    assert (removed, added) == (None, None)
    assert await real.kinds(person) == ["PASSKEY"]
    assert [kind for kind in await real.stored(person) if kind != "RECOVERY_CODE"] == ["PASSKEY"]


@pytest.mark.parametrize("_round", range(5))
async def test_two_factors_removed_at_once_keep_a_short_password_company(real: Desk, _round: int) -> None:
    """One of the two stays."""
    person = await real.person(password_short=True)
    _, first, _ = await real.app(person)
    _, second, _ = await real.app(person)
    both = await asyncio.gather(*(refused(real.enrolment.remove(person, each)) for each in (first, second)))
    assert sorted(both, key=str) == [None, FactorProblem.PASSWORD_TOO_SHORT]
    assert (await real.kinds(person), await real.stored(person)) == (["TOTP"], ["RECOVERY_CODE", "TOTP"])
