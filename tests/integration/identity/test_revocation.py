"""A revocation is seen by every worker, and nothing passes while that cannot be known."""

from __future__ import annotations

import asyncio

import pytest

from auth.revocations import MAX_AGE, Revocations
from models.database import Database
from models.errors import DatabaseUnavailable
from models.session import RevocationDocument
from models.user import UserDocument
from tests.integration.identity.workers import Person, Start, Worker

REVOKED = "The access token has been revoked."


async def test_another_worker_sees_a_revocation_within_a_second(start: Start, worker: Worker, person: Person) -> None:
    """Also for a token that it has verified and remembered before."""
    other = await start()
    await person()
    session = await worker.sign_in()
    assert (await other.whose(session.access_token)).authenticated
    await worker.sessions.sign_out(session.principal, everywhere=False)
    await asyncio.sleep(MAX_AGE)
    assert (await other.whose(session.access_token)).problem == REVOKED


async def test_a_worker_that_does_not_poll_asks_before_it_answers(start: Start, worker: Worker, person: Person) -> None:
    """The background work is for speed; being right does not depend on it."""
    other = await start()
    await person()
    session = await worker.sign_in()
    assert (await other.whose(session.access_token)).authenticated
    await other.revocations.stop()
    await worker.sessions.sign_out(session.principal, everywhere=True)
    await asyncio.sleep(MAX_AGE)
    assert (await other.whose(session.access_token)).problem == REVOKED


async def test_the_same_worker_sees_it_at_once(worker: Worker, person: Person) -> None:
    """No answer in between is from before."""
    await person()
    session = await worker.sign_in()
    await worker.revocations.revoke(session.person)
    assert (await worker.whose(session.access_token)).problem == REVOKED


async def test_a_worker_that_starts_later_knows_what_was_revoked(start: Start, worker: Worker, person: Person) -> None:
    """Tokens outlive restarts, so do revocations."""
    await person()
    session = await worker.sign_in()
    await worker.revocations.revoke(session.person)
    assert (await (await start()).whose(session.access_token)).problem == REVOKED


async def test_an_unrelated_token_is_not_touched(worker: Worker, person: Person) -> None:
    """Revocation is by person, client or session."""
    await person()
    session = await worker.sign_in()
    await worker.revocations.revoke("usr_eu_somebody_else")
    assert (await worker.whose(session.access_token)).authenticated


async def test_checking_does_no_database_work(worker: Worker, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the last fetch is fresh, a thousand requests ask the database nothing."""
    await person()
    session = await worker.sign_in()
    await worker.whose(session.access_token)
    await worker.revocations.stop()

    async def refuse(*_: object, **__: object) -> None:
        raise AssertionError("asked the database")

    monkeypatch.setattr(worker.database, "find", refuse)
    worker.revocations._recent.as_of = float("inf")
    for _ in range(1000):
        assert (await worker.whose(session.access_token)).authenticated


async def test_callers_who_wait_share_one_fetch(memory_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred requests after a pause are one command."""
    revocations, genuine, asked = Revocations(memory_database), memory_database.find, 0

    async def counting(*arguments: object, **options: object) -> object:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.01)
        return await genuine(*arguments, **options)  # type: ignore[arg-type]  # passes on whatever came

    monkeypatch.setattr(memory_database, "find", counting)
    moment = revocations._clock()
    await asyncio.gather(*(revocations.is_revoked(["usr_eu_x"], moment) for _ in range(100)))
    assert asked == 1


async def test_nothing_passes_while_the_database_is_away(
    worker: Worker, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not knowing is an error, not a yes; and it heals by itself."""
    await person()
    session = await worker.sign_in()
    assert (await worker.whose(session.access_token)).authenticated

    async def away(*_: object, **__: object) -> None:
        raise DatabaseUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(worker.database, "find", away)
        worker.revocations._recent.as_of = float("-inf")
        with pytest.raises(DatabaseUnavailable):
            await worker.whose(session.access_token)
    assert (await worker.whose(session.access_token)).authenticated


async def test_two_first_revocations_at_once_both_hold(worker: Worker, start: Start) -> None:
    """The later moment stays, whoever made the row."""
    other = await start()
    await asyncio.gather(*(each.revocations.revoke("usr_eu_x") for each in (worker, other) for _ in range(5)))
    rows = await worker.database.find(RevocationDocument, {})
    assert [row["_id"] for row in rows] == ["usr_eu_x"]


async def test_a_change_of_roles_ends_tokens_that_were_just_being_issued(
    worker: Worker, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refresh that has read the old roles gives a token that is already over."""
    alice = await person(roles=[{"role": "ADMIN"}])
    session = await worker.sign_in()
    genuine = worker.database.find_one

    async def find_one(document: type, *arguments: object, **options: object) -> object:
        row = await genuine(document, *arguments, **options)  # type: ignore[arg-type]  # passes on whatever came
        if document is UserDocument:
            await asyncio.sleep(0.002)
            await worker.database.update_one(UserDocument, {"_id": alice}, {"$set": {"roles": []}})
            await worker.revocations.revoke(alice)
        return row

    monkeypatch.setattr(worker.database, "find_one", find_one)
    refreshed = await worker.sessions.refresh(session.refresh_token)
    assert refreshed is not None
    assert (await worker.whose(refreshed.access_token)).problem == REVOKED


async def test_a_token_is_dated_now_unless_something_was_just_revoked(worker: Worker) -> None:
    """Dating it later without need would let it pass a revocation that comes right after."""
    moment = worker.clock()
    assert worker.revocations.issuing_time(moment, "usr_eu_x") == moment
    await worker.revocations.revoke("usr_eu_x")
    assert worker.revocations.issuing_time(moment, "usr_eu_y") == moment
    assert worker.revocations.issuing_time(moment, "usr_eu_x") > moment


async def test_old_revocations_are_forgotten(worker: Worker) -> None:
    """When no token they speak of can be alive, they leave memory."""
    await worker.revocations.stop()  # a fetch under way would still have the earlier time
    await worker.revocations.revoke("usr_eu_x")
    worker.clock.ahead = type(worker.clock.ahead)(minutes=15)
    worker.revocations._recent.as_of = float("-inf")
    await worker.revocations.is_revoked([], worker.clock())
    assert not worker.revocations._revoked
