"""Staying signed in: each refresh token is replaced, and one that was copied ends its session."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import TypeAlias

import pytest
import structlog.testing

from auth.principal import NOBODY
from auth.refresh import GRACE, RefreshToken
from auth.sessions import Session
from models.session import SessionDocument
from models.user import UserDocument
from tests.integration.identity.workers import Clock, Person, Start, Worker
from tests.stores import clear

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


async def test_refreshing_gives_a_new_access_token_of_the_same_session(
    worker: Worker, person: Person, clock: Clock
) -> None:
    """The sign-in itself is dated when it happened."""
    await person()
    session = await worker.sign_in()
    clock.ahead = timedelta(minutes=6)
    refreshed = await worker.sessions.refresh(session.refresh_token, ip="198.51.100.1")
    assert refreshed is not None
    assert refreshed.principal == session.principal
    assert refreshed.refresh_token != session.refresh_token
    assert await worker.whose(session.access_token) == replace(NOBODY, problem="The access token has expired.")
    assert (await worker.whose(refreshed.access_token)).session == session.principal.session


@pytest.mark.parametrize(
    "token", ["", "x", "\0", "\ud800", "{'$ne': None}", "x" * 1_000_000], ids=lambda t: ascii(t)[:9]
)
async def test_an_unknown_refresh_token_gives_nothing(worker: Worker, person: Person, token: str) -> None:
    """Whatever it is made of."""
    await person()
    await worker.sign_in()
    assert await worker.sessions.refresh(token) is None


async def renewed(worker: Worker, token: str) -> Session:
    """The session that a refresh token goes on with."""
    session = await worker.sessions.refresh(token)
    assert session is not None
    return session


async def test_a_refresh_token_is_replaced_at_each_use(worker: Worker, person: Person, clock: Clock) -> None:
    """And the newest goes on."""
    await person()
    token, seen = (await worker.sign_in()).refresh_token, set[str]()
    for _ in range(4):
        seen.add(token)
        clock.ahead += MINUTE
        token = (await renewed(worker, token)).refresh_token
    assert token not in seen
    assert len(seen) == 4


async def test_parallel_tabs_get_the_same_successor(worker: Worker, person: Person, clock: Clock) -> None:
    """For 20 seconds after the first of them, and each an access token that holds."""
    await person()
    session = await worker.sign_in()
    clock.ahead = MINUTE
    first = await renewed(worker, session.refresh_token)
    clock.ahead += GRACE - SECOND
    second = await renewed(worker, session.refresh_token)
    assert first.refresh_token == second.refresh_token
    assert (await worker.whose(second.access_token)).session == session.principal.session
    assert (await renewed(worker, second.refresh_token)).refresh_token not in (
        session.refresh_token,
        second.refresh_token,
    )


async def test_tabs_at_the_same_moment_get_the_same_successor(start: Start, worker: Worker, person: Person) -> None:
    """On whatever worker; the token was used once."""
    other = await start()
    await person()
    session = await worker.sign_in()
    both = [each.sessions.refresh(session.refresh_token) for _ in range(8) for each in (worker, other)]
    answers = await asyncio.gather(*both)
    assert len({answer and answer.refresh_token for answer in answers}) == 1
    assert [row["generation"] for row in await worker.database.find(SessionDocument, {})] == [1]


Use: TypeAlias = Callable[[Worker, Session, Clock], Awaitable[Session]]


async def the_last_one(worker: Worker, session: Session, clock: Clock) -> Session:
    """The token before the newest, after the grace."""
    newest = await renewed(worker, session.refresh_token)
    clock.ahead += GRACE + SECOND
    return newest


async def an_older_one(worker: Worker, session: Session, _clock: Clock) -> Session:
    """A token that two have followed, though within the grace."""
    return await renewed(worker, (await renewed(worker, session.refresh_token)).refresh_token)


async def one_from_long_ago(worker: Worker, session: Session, clock: Clock) -> Session:
    """The token of the sign-in, hours later."""
    for _ in range(30):
        clock.ahead += 4 * MINUTE
        session = await renewed(worker, session.refresh_token)
    return session


@pytest.mark.parametrize("use", [the_last_one, an_older_one, one_from_long_ago])
async def test_a_token_that_comes_again_ends_the_session(
    use: Use, worker: Worker, person: Person, clock: Clock
) -> None:
    """Thief and owner are both out, the person is told once, other sessions go on."""
    alice = await person()
    session, elsewhere = await worker.sign_in(), await worker.sign_in()
    newest = await use(worker, session, clock)
    assert (await worker.whose(newest.access_token)).authenticated
    for _ in range(2):
        assert await worker.sessions.refresh(session.refresh_token) is None
    assert not (await worker.whose(newest.access_token)).authenticated
    assert await worker.sessions.refresh(newest.refresh_token) is None
    assert worker.told == [alice]
    await renewed(worker, elsewhere.refresh_token)


async def test_many_who_notice_a_copy_tell_once(start: Start, worker: Worker, person: Person, clock: Clock) -> None:
    """Thieves come in crowds."""
    other = await start()
    alice = await person()
    session = await worker.sign_in()
    await the_last_one(worker, session, clock)
    both = [each.sessions.refresh(session.refresh_token) for _ in range(4) for each in (worker, other)]
    assert set(await asyncio.gather(*both)) == {None}
    assert worker.told + other.told == [alice]


async def test_a_copy_is_logged_without_a_word_about_the_person(worker: Worker, person: Person, clock: Clock) -> None:
    """One line with what happened, and no token, session or person in it."""
    alice = await person()
    session = await worker.sign_in()
    await the_last_one(worker, session, clock)
    with structlog.testing.capture_logs() as lines:
        await worker.sessions.refresh(session.refresh_token)
    assert lines == [{"event": "refresh_token_reused", "rotations": 1, "log_level": "warning"}]
    assert alice not in repr(lines)


def forged(token: RefreshToken) -> list[RefreshToken]:
    """What somebody can make who knows the session and how far it is, and no secret."""
    invented = replace(RefreshToken.first(token.session))
    return [replace(invented, generation=generation) for generation in range(token.generation + 3)]


async def test_an_invented_token_ends_nothing(worker: Worker, person: Person, clock: Clock) -> None:
    """Knowing the name of a session is not enough to sign its owner out."""
    await person()
    session = await worker.sign_in()
    newest = await one_from_long_ago(worker, session, clock)
    token = RefreshToken.parse(newest.refresh_token)
    assert token is not None
    for each in forged(token):
        assert await worker.sessions.refresh(each.text()) is None
    moved = replace(token, generation=token.generation - 1)
    assert await worker.sessions.refresh(moved.text()) is None
    assert worker.told == []
    await renewed(worker, newest.refresh_token)


async def test_what_the_database_holds_opens_nothing(worker: Worker, person: Person) -> None:
    """Neither the hash nor the seed is a secret, nor makes one; and a token alone makes no successor."""
    await person()
    session = await worker.sign_in()
    (row,) = await worker.database.find(SessionDocument, {})
    token = RefreshToken.parse(session.refresh_token)
    assert token is not None
    guesses = [replace(token, secret=row["refresh_hash"]), replace(token, secret=row["refresh_seed"])]
    guesses += [each.successor(row["refresh_seed"]) for each in guesses]
    guesses += [token.successor(seed) for seed in (token.secret, token.hash(), b"")]
    for guess in guesses:
        assert await worker.sessions.refresh(guess.text()) is None
    assert worker.told == []
    await renewed(worker, session.refresh_token)


async def test_a_session_that_ends_while_it_is_refreshed_stays_ended(
    worker: Worker, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between reading its row and writing it."""
    await person()
    session = await worker.sign_in()
    genuine = worker.database.find_one

    async def find_one(document: type, *arguments: object, **options: object) -> object:
        row = await genuine(document, *arguments, **options)  # type: ignore[arg-type]  # passes on whatever came
        if document is UserDocument:
            await worker.sessions.sign_out(session.principal, everywhere=False)
        return row

    monkeypatch.setattr(worker.database, "find_one", find_one)
    assert await worker.sessions.refresh(session.refresh_token) is None
    assert await worker.database.count(SessionDocument, {}) == 0


async def test_a_request_that_was_overtaken_does_not_turn_the_session_back(
    worker: Worker, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others used the token and its successor after its row was read: it is an old one by now."""
    await person()
    session = await worker.sign_in()
    genuine, overtaken = worker.database.find_one, False

    async def find_one(document: type, *arguments: object, **options: object) -> object:
        nonlocal overtaken
        row = await genuine(document, *arguments, **options)  # type: ignore[arg-type]  # passes on whatever came
        if document is UserDocument and not overtaken:
            overtaken = True
            await an_older_one(worker, session, worker.clock)
        return row

    monkeypatch.setattr(worker.database, "find_one", find_one)
    assert await worker.sessions.refresh(session.refresh_token) is None
    assert worker.told == [session.person]


async def test_the_session_shows_where_it_was_last_used(worker: Worker, person: Person, clock: Clock) -> None:
    """The address, and roughly the place."""
    await person()
    session = await worker.sign_in()
    (began,) = await worker.database.find(SessionDocument, {})
    clock.ahead = MINUTE
    await worker.sessions.refresh(session.refresh_token, ip="2001:db8:1:2::3")
    (used,) = await worker.database.find(SessionDocument, {})
    await clear(worker.database, SessionDocument, began, used)
    assert (began["ip"], began["place"]) == ("203.0.113.7", "203.0.113.0/24")
    assert (used["ip"], used["place"]) == ("2001:db8:1:2::3", "2001:db8:1::/48")
    assert used["last_used_at"] > began["last_used_at"] == began["created_at"] == used["created_at"]
