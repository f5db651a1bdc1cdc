"""What is done by a role while that role is being taken, on the real database, where transactions meet."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

import pytest

from auth.break_glass import BreakGlass, BreakGlassProblem, BreakGlassRefused
from auth.role_holders import holders
from auth.roles import RoleProblem, RoleRefused, Roles
from models.base import now
from models.break_glass import BreakGlassDocument
from models.database import Database
from models.database.failures import Collision
from models.session import SessionDocument
from models.user import UserDocument
from models.vocabulary import Role
from tests.integration.identity.workers import Person, Worker

WHY: Final = "Joins the help desk in Malmö"
ADMIN: Final = {"role": "ADMIN"}
SUPPORT: Final = {"role": "SUPPORT"}
Meet: TypeAlias = Callable[[Any, object, str, Any], Awaitable[list[str | None]]]


@pytest.fixture
def any_database(database: Database) -> Database:
    """The real one."""
    return database


@pytest.fixture
def roles(worker: Worker) -> Roles:
    """The roles of that worker's people."""
    return Roles(worker.database, worker.revocations, clock=worker.clock)


@pytest.fixture
def glass(worker: Worker) -> BreakGlass:
    """Emergency access at that worker."""
    return BreakGlass(worker.database, worker.sessions, clock=worker.clock)


@pytest.fixture
def met(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set when a transaction has met another one."""
    event, update = asyncio.Event(), worker.database.update_one

    async def noticing(*arguments: Any, **options: Any) -> int:  # noqa: ANN401 - whatever it is given
        try:
            return await update(*arguments, **options)
        except Collision:
            event.set()
            raise

    monkeypatch.setattr(worker.database, "update_one", noticing)
    return event


async def refused_with(change: Any) -> str | None:  # noqa: ANN401 - a coroutine of any result
    """The code of a refusal, or None."""
    try:
        await change
    except (RoleRefused, BreakGlassRefused) as refused:
        return refused.code
    return None


@pytest.fixture
def meet(met: asyncio.Event, monkeypatch: pytest.MonkeyPatch) -> Meet:
    """Begin `first`, hold it where it calls `place.name` until `second` has met it, and let both end: their codes."""

    async def run(first: Any, place: object, name: str, second: Any) -> list[str | None]:  # noqa: ANN401 - as above
        there, go_on, real = asyncio.Event(), asyncio.Event(), getattr(place, name)

        async def held(*arguments: Any) -> Any:  # noqa: ANN401 - what it stands for
            if not there.is_set():
                there.set()
                await go_on.wait()
            return await real(*arguments)

        monkeypatch.setattr(place, name, held)
        one = asyncio.create_task(refused_with(first))
        await there.wait()
        other, meeting = asyncio.create_task(refused_with(second)), asyncio.create_task(met.wait())
        await asyncio.wait({other, meeting}, return_when=asyncio.FIRST_COMPLETED)
        overlapped = met.is_set()
        go_on.set()
        meeting.cancel()
        outcome = await asyncio.gather(one, other)
        assert overlapped, "both went through at once"
        return [*outcome]

    return run


async def roles_of(worker: Worker, person: str) -> list[str]:
    """What somebody holds."""
    row = await worker.database.find_one(UserDocument, {"_id": person})
    assert row is not None
    return [each["role"] for each in row["roles"]]


async def test_a_change_is_over_before_its_maker_is_no_administrator_any_more(
    worker: Worker, person: Person, roles: Roles, meet: Meet
) -> None:
    """What takes the role meanwhile begins anew, and comes after it."""
    ann, bob, carl = await person("ann", roles=[ADMIN]), await person("bob", roles=[ADMIN]), await person("carl")
    granting = roles.grant(carl, Role.SUPPORT, WHY, by=ann)
    assert await meet(granting, roles, "_drop", roles.revoke(ann, Role.ADMIN, WHY, by=bob)) == [None, None]
    assert (await roles_of(worker, carl), await roles_of(worker, ann)) == (["SUPPORT"], [])


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.ADMIN])
async def test_whose_role_is_being_taken_changes_nothing(
    worker: Worker, person: Person, roles: Roles, meet: Meet, role: Role
) -> None:
    """What they do meanwhile begins anew, and finds them without."""
    ann, bob, carl = await person("ann", roles=[ADMIN]), await person("bob", roles=[ADMIN]), await person("carl")
    taking = roles.revoke(ann, Role.ADMIN, WHY, by=bob)
    outcome = await meet(taking, roles, "_drop", roles.grant(carl, role, WHY, by=ann))
    assert outcome == [None, RoleProblem.NOT_ADMINISTRATOR]
    assert await roles_of(worker, carl) == []


@pytest.mark.parametrize("attempt", range(3))
async def test_two_administrators_cannot_take_it_from_each_other(
    worker: Worker, person: Person, roles: Roles, attempt: int
) -> None:
    """At the same moment, where a third one stays: one of them wins. The order is up to the server."""
    ann, bob = await person("ann", roles=[ADMIN]), await person("bob", roles=[ADMIN])
    carl = await person("carl", roles=[ADMIN])
    changes = (roles.revoke(ann, Role.ADMIN, WHY, by=bob), roles.revoke(bob, Role.ADMIN, WHY, by=ann))
    outcome = await asyncio.gather(*map(refused_with, changes))
    assert sorted(outcome, key=str) == [RoleProblem.NOT_ADMINISTRATOR, None]
    assert set(await holders(worker.database, [Role.ADMIN], now())) == {carl, bob if outcome[0] is None else ann}


async def test_what_is_lent_while_the_role_goes_ends_with_it(
    worker: Worker, person: Person, roles: Roles, glass: BreakGlass, meet: Meet
) -> None:
    """The role goes after it, and takes it along."""
    alice = await person(roles=[SUPPORT, {"role": "ANALYST"}])
    session = await worker.sign_in()
    opening = glass.open(session.principal, WHY, 10)
    outcome = await meet(opening, worker.sessions, "extend", roles.revoke(alice, Role.SUPPORT, WHY, by=None))
    assert outcome == [None, None]
    [row], [record] = [await worker.database.find(each, {}) for each in (SessionDocument, BreakGlassDocument)]
    assert row["extra_purposes"] == []
    assert record["ended_at"] < record["expires_at"]


async def test_whose_role_is_being_taken_opens_nothing(
    worker: Worker, person: Person, roles: Roles, glass: BreakGlass, meet: Meet
) -> None:
    """It begins anew, and finds them without."""
    alice = await person(roles=[SUPPORT])
    session = await worker.sign_in()
    taking = roles.revoke(alice, Role.SUPPORT, WHY, by=None)
    outcome = await meet(taking, roles, "_drop", glass.open(session.principal, WHY, 10))
    assert outcome == [None, BreakGlassProblem.ROLE_ENDED]
    assert await worker.database.find(BreakGlassDocument, {}) == []


async def test_of_many_openings_at_once_there_is_one(worker: Worker, person: Person, glass: BreakGlass) -> None:
    """The others are told that it is open."""
    await person(roles=[SUPPORT])
    session = await worker.sign_in()
    outcome = await asyncio.gather(*(refused_with(glass.open(session.principal, WHY, 10)) for _ in range(3)))
    assert sorted(outcome, key=str) == [BreakGlassProblem.ALREADY_OPEN] * 2 + [None]
    assert len(await worker.database.find(BreakGlassDocument, {})) == 1
