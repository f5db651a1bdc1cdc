"""Roles: given and taken whole, seen by every worker, never the last administrator's."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, Final

import pytest

from auth.revocations import Revocations
from auth.role_holders import holders
from auth.roles import RoleProblem, RoleRefused, Roles
from models.base import now
from models.database import Database
from models.importing.rejection import Refused
from models.role_change import RoleChangeDocument
from models.user import UserDocument
from models.vocabulary import Purpose, Role, RoleChange
from tests.integration.identity.workers import Clock, Person, Start, Worker

WHY: Final = "Joins the help desk in Malmö"
HOUR: Final = timedelta(hours=1)
ADMIN: Final = {"role": "ADMIN"}


@pytest.fixture
def roles(worker: Worker) -> Roles:
    """The roles of that worker's people."""
    return Roles(worker.database, worker.revocations, clock=worker.clock)


@pytest.fixture
async def boss(person: Person) -> str:
    """An administrator."""
    return await person("boss", roles=[ADMIN])


async def held(database: Database, person: str) -> list[dict[str, Any]]:
    """What is stored of somebody's roles."""
    row = await database.find_one(UserDocument, {"_id": person})
    assert row is not None
    return list(row["roles"])


async def history(database: Database, person: str) -> list[dict[str, Any]]:
    """What was done with somebody's roles, oldest first."""
    return await database.find(RoleChangeDocument, {"person": person}, sort=[("at", 1)])


async def refusal(attempt: Any) -> RoleProblem:  # noqa: ANN401 - a coroutine of any result
    """Why a change was refused."""
    with pytest.raises(RoleRefused) as refused:
        await attempt
    return refused.value.problem


async def test_a_granted_role_is_in_the_next_token(worker: Worker, person: Person, roles: Roles, boss: str) -> None:
    """The one from before has ended; the session goes on."""
    alice = await person()
    before = await worker.sign_in()
    await roles.grant(alice, Role.SUPPORT, WHY, by=boss)
    assert not (await worker.whose(before.access_token)).authenticated
    after = await worker.sessions.refresh(before.refresh_token)
    assert after is not None
    assert after.principal.shape.roles == {Role.SUPPORT}
    assert Purpose.SUPPORT in after.principal.purposes
    assert (await worker.whose(after.access_token)).authenticated


async def test_a_revoked_role_is_gone_from_every_worker(start: Start, person: Person, roles: Roles, boss: str) -> None:
    """Even where the token was seen before; the next token is without it."""
    first, second = await start(), await start()
    alice = await person(roles=[{"role": "SUPPORT"}])
    session = await first.sign_in()
    assert Role.SUPPORT in (await second.whose(session.access_token)).shape.roles
    await roles.revoke(alice, Role.SUPPORT, WHY, by=boss)
    await asyncio.sleep(1)  # what a worker may lag behind
    for worker in (first, second):
        assert not (await worker.whose(session.access_token)).authenticated
    again = await first.sessions.refresh(session.refresh_token)
    assert again is not None
    assert again.principal.shape.roles == frozenset()


async def test_an_expired_role_ends_by_itself(worker: Worker, person: Person, roles: Roles, clock: Clock) -> None:
    """The token that names it ends with it, and no later one has it."""
    alice = await person()
    await roles.grant(alice, Role.SUPPORT, WHY, by=None, expires_at=clock() + timedelta(minutes=2))
    session = await worker.sign_in()
    assert session.expires_in <= 120
    clock.ahead = timedelta(minutes=2, seconds=4)
    assert not (await worker.whose(session.access_token)).authenticated
    later = await worker.sessions.refresh(session.refresh_token)
    assert later is not None
    assert later.principal.shape.roles == frozenset()


async def test_a_grant_says_who_why_and_until_when(worker: Worker, person: Person, roles: Roles, boss: str) -> None:
    """On the person, and in the history."""
    alice, until = await person(), now() + HOUR
    await roles.grant(alice, Role.ANALYST, f"  {WHY}\n", by=boss, expires_at=until)
    [grant] = await held(worker.database, alice)
    [noted] = await history(worker.database, alice)
    expected = {"role": "ANALYST", "reason": WHY, "expires_at": until}
    assert grant.items() >= {**expected, "granted_by": boss}.items()
    assert noted.items() >= {**expected, "by": boss, "change": RoleChange.GRANTED.value}.items()


async def test_a_role_given_again_takes_the_place_of_the_first(worker: Worker, person: Person, roles: Roles) -> None:
    """One grant per role; the history has both, and then the revocation."""
    alice = await person()
    await roles.grant(alice, Role.SUPPORT, WHY, by=None, expires_at=now() + HOUR)
    await roles.grant(alice, Role.SUPPORT, WHY, by=None)
    await roles.grant(alice, Role.PRIVACY, WHY, by=None)
    assert [(it["role"], it.get("expires_at")) for it in await held(worker.database, alice)] == [
        ("SUPPORT", None),
        ("PRIVACY", None),
    ]
    await roles.revoke(alice, Role.SUPPORT, WHY, by=None)
    assert [it["role"] for it in await held(worker.database, alice)] == ["PRIVACY"]
    assert [it["change"] for it in await history(worker.database, alice)] == ["GRANTED"] * 3 + ["REVOKED"]


@pytest.mark.parametrize("words", ["", "too short", "   short     ", "x" * 501, "tells\u202eA lie or two"])
async def test_a_reason_is_words(roles: Roles, person: Person, worker: Worker, words: str) -> None:
    """Nothing changes without one."""
    alice = await person(roles=[{"role": "SUPPORT"}])
    for change in (roles.grant(alice, Role.ADMIN, words, by=None), roles.revoke(alice, Role.SUPPORT, words, by=None)):
        with pytest.raises(Refused):
            await change
    assert await held(worker.database, alice) == [{"role": "SUPPORT"}]


async def test_what_cannot_be_is_refused(worker: Worker, person: Person, roles: Roles) -> None:
    """Nobody, oneself, what is not held, an end that is past."""
    alice, nobody = await person(), "usr_eu_00000000000000000000000000"
    past = now() - HOUR
    assert await refusal(roles.grant(nobody, Role.SUPPORT, WHY, by=None)) is RoleProblem.NOT_FOUND
    assert await refusal(roles.grant(nobody, Role.ADMIN, WHY, by=None)) is RoleProblem.NOT_FOUND
    assert await refusal(roles.revoke(nobody, Role.SUPPORT, WHY, by=None)) is RoleProblem.NOT_FOUND
    assert await refusal(roles.revoke(alice, Role.SUPPORT, WHY, by=None)) is RoleProblem.NOT_HELD
    assert await refusal(roles.grant(alice, Role.SUPPORT, WHY, by=alice)) is RoleProblem.NOT_YOURSELF
    assert await refusal(roles.revoke(alice, Role.SUPPORT, WHY, by=alice)) is RoleProblem.NOT_YOURSELF
    past_end = roles.grant(alice, Role.SUPPORT, WHY, by=None, expires_at=past)
    assert await refusal(past_end) is RoleProblem.NOT_IN_THE_FUTURE
    assert await held(worker.database, alice) == []
    assert await history(worker.database, alice) == []


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"roles": [{"role": "SUPPORT"}]},
        {"roles": [{"role": "ADMIN", "expires_at": now() - HOUR}]},
        {"roles": [ADMIN], "status": "SUSPENDED"},
    ],
    ids=["none", "another role", "expired", "suspended"],
)
@pytest.mark.usefixtures("boss")
async def test_whoever_is_no_administrator_any_more_changes_nothing(
    worker: Worker, person: Person, roles: Roles, fields: dict[str, Any]
) -> None:
    """Whatever their token says; nor does somebody who is gone."""
    alice, carl = await person(roles=[{"role": "SUPPORT"}]), await person("carl", **fields)
    for by in (carl, "usr_eu_00000000000000000000000000", ""):
        for role in (Role.ANALYST, Role.ADMIN):
            assert await refusal(roles.grant(alice, role, WHY, by=by)) is RoleProblem.NOT_ADMINISTRATOR
        assert await refusal(roles.revoke(alice, Role.SUPPORT, WHY, by=by)) is RoleProblem.NOT_ADMINISTRATOR
    assert await held(worker.database, alice) == [{"role": "SUPPORT"}]
    assert await history(worker.database, alice) == []


async def test_the_last_administrator_stays(worker: Worker, person: Person, roles: Roles, clock: Clock) -> None:
    """Others count while they hold the role and may sign in."""
    ann = await person("ann", roles=[ADMIN])
    gone = {"role": "ADMIN", "expires_at": clock() - HOUR}
    await person("past", roles=[gone])
    await person("shut", roles=[ADMIN], status="SUSPENDED")
    assert await refusal(roles.revoke(ann, Role.ADMIN, WHY, by=None)) is RoleProblem.LAST_ADMINISTRATOR
    assert await held(worker.database, ann) == [ADMIN]
    bob = await person("bob")
    await roles.grant(bob, Role.ADMIN, WHY, by=ann)
    await roles.revoke(ann, Role.ADMIN, WHY, by=bob)
    assert await holders(worker.database, [Role.ADMIN], clock()) == [bob]


async def test_somebody_stays_administrator_for_good(person: Person, roles: Roles) -> None:
    """One whose time runs out is no one to leave it all to, and the last is given no end."""
    ann, bob = await person("ann", roles=[ADMIN]), await person("bob")
    await roles.grant(bob, Role.ADMIN, WHY, by=ann, expires_at=now() + HOUR)
    assert await refusal(roles.revoke(ann, Role.ADMIN, WHY, by=bob)) is RoleProblem.LAST_ADMINISTRATOR
    with_end = roles.grant(ann, Role.ADMIN, WHY, by=bob, expires_at=now() + HOUR)
    assert await refusal(with_end) is RoleProblem.LAST_ADMINISTRATOR
    await roles.revoke(bob, Role.ADMIN, WHY, by=ann)


async def test_the_last_administrator_does_not_go(worker: Worker, person: Person, roles: Roles) -> None:
    """Deleting one's account gives the role up; with another one it is free."""
    ann, carl = await person("ann", roles=[ADMIN]), await person("carl")
    await roles.resign(carl)
    assert await refusal(roles.resign(ann)) is RoleProblem.LAST_ADMINISTRATOR
    await person("bob", roles=[ADMIN])
    await roles.resign(ann)
    assert await held(worker.database, ann) == []


@pytest.mark.parametrize("attempt", range(5))
async def test_of_all_taken_at_once_one_stays(database: Database, attempt: int) -> None:
    """Several times, as the order is up to the server."""
    roles = Roles(database, Revocations(database))
    people = [UserDocument(id=f"usr_eu_{n}", username=f"n{n}", username_key=f"n{n}", roles=[ADMIN]) for n in range(4)]
    for each in people:
        await database.insert(each)
    ids = [each.id for each in people]
    rounds = [roles.revoke(each, Role.ADMIN, WHY, by=None) for each in ids]
    results = await asyncio.gather(*rounds, return_exceptions=True)
    refused = [it for it in results if isinstance(it, RoleRefused)]
    assert [it.problem for it in refused] == [RoleProblem.LAST_ADMINISTRATOR]
    assert len(await holders(database, [Role.ADMIN], now())) == 1


async def test_people_are_found_by_each_of_their_names(person: Person, roles: Roles) -> None:
    """Id, user name in any spelling, address; what is none finds nobody."""
    alice = await person(email="alice@people.example")
    for name in (alice, "ALICE", "Alice@People.example"):
        assert await roles.find(name) == alice
    for name in ("bob", "", "a@b@c", "usr_eu_00000000000000000000000000", "x" * 1000):
        assert await roles.find(name) is None


async def test_the_list_names_all_who_were_given_one(person: Person, roles: Roles) -> None:
    """By user name, one line per grant, and of one role when asked."""
    await person("zoe", roles=[{"role": "SUPPORT"}])
    await person("ann", roles=[ADMIN, {"role": "SUPPORT", "expires_at": now() - HOUR}])
    await person("bob")
    assert [(it.username, it.grant.role) for it in await roles.list()] == [
        ("ann", Role.ADMIN),
        ("ann", Role.SUPPORT),
        ("zoe", Role.SUPPORT),
    ]
    assert [it.username for it in await roles.list(Role.ADMIN)] == ["ann"]
