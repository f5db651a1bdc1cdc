"""From a request's credential to who is asking."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from auth.identity import ACCESS_COOKIE, Identity
from auth.principal import NOBODY, Kind
from auth.sessions import Session
from models.database import Database
from tests.integration.identity.workers import Clock, Person, Worker, connection


@pytest.fixture
def any_database(memory_database: Database) -> Database:
    """In memory: these tables are about what is sent, not about how it is stored."""
    return memory_database


@pytest.fixture
async def session(worker: Worker, person: Person) -> Session:
    """A signed-in person."""
    await person()
    return await worker.sign_in()


async def test_no_credential_is_nobody_without_a_problem(worker: Worker) -> None:
    """Public documents need none."""
    assert await worker.identity.principal(connection()) == NOBODY


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "BEARER   {}", "Bearer {}  "])
async def test_the_scheme_is_written_in_any_case(worker: Worker, session: Session, form: str) -> None:
    """RFC 9110, section 11.1."""
    caller = await worker.identity.principal(connection(("Authorization", form.format(session.access_token))))
    assert caller == session.principal


async def test_the_browsers_cookie_counts_and_is_told_apart(worker: Worker, session: Session) -> None:
    """What came by cookie needs protection against forged requests."""
    caller = await worker.identity.principal(connection(("Cookie", f"a=b; {ACCESS_COOKIE}={session.access_token}")))
    assert caller == replace(session.principal, from_cookie=True)
    assert not (await worker.whose(session.access_token)).from_cookie


async def test_in_production_only_a_cookie_of_this_very_host_counts(worker: Worker, session: Session) -> None:
    """A neighbour can set a cookie for all hosts of a domain, but none of this name."""
    identity = Identity(worker.tokens, worker.revocations, secure_cookies=True)
    for name, kind in ((ACCESS_COOKIE, Kind.NOBODY), (f"__Host-{ACCESS_COOKIE}", Kind.PERSON)):
        caller = await identity.principal(connection(("Cookie", f"{name}={session.access_token}")))
        assert caller.shape.kind is kind


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Bearer a b", "Basic YTpi", "Bearer \xe9", "Bearer=x", "x"])
async def test_a_malformed_header_is_a_problem_even_beside_a_good_cookie(
    worker: Worker, session: Session, value: str
) -> None:
    """Whoever sends a header means it: nothing falls back to the cookie."""
    headers = [("Authorization", value), ("Cookie", f"{ACCESS_COOKIE}={session.access_token}")]
    caller = await worker.identity.principal(connection(*headers))
    assert not caller.authenticated
    assert caller.problem is not None


async def test_several_headers_are_a_problem(worker: Worker, session: Session) -> None:
    """Two parties could each take another one for the right one."""
    header = ("Authorization", f"Bearer {session.access_token}")
    caller = await worker.identity.principal(connection(header, header))
    assert caller == replace(NOBODY, problem="The request has several Authorization headers.")


async def test_a_bad_token_is_a_problem_that_repeats_nothing(worker: Worker, session: Session) -> None:
    """By header or cookie."""
    bad = session.access_token[:-8] + "AAAAAAAA"
    for header in (("Authorization", f"Bearer {bad}"), ("Cookie", f"{ACCESS_COOKIE}={bad}")):
        assert await worker.identity.principal(connection(header)) == replace(
            NOBODY, problem="The access token is not valid."
        )


async def test_a_remembered_token_expires_on_time(worker: Worker, session: Session, clock: Clock) -> None:
    """And is forgotten then."""
    assert (await worker.whose(session.access_token)).authenticated
    clock.ahead = timedelta(minutes=5, seconds=10)
    assert (await worker.whose(session.access_token)).problem == "The access token has expired."
    assert not worker.identity._known


async def test_a_token_is_verified_once(worker: Worker, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Afterwards it is known, by its hash and not by itself."""
    await worker.whose(session.access_token)
    monkeypatch.setattr(worker.tokens, "verify", None)
    assert (await worker.whose(session.access_token)).authenticated
    assert session.access_token not in repr(worker.identity._known)


async def test_the_memory_of_tokens_is_bounded(worker: Worker, person: Person) -> None:
    """The least recently used one goes first."""
    await person()
    identity = Identity(worker.tokens, worker.revocations, clock=worker.clock, size=2)
    first, second, third = [(await worker.sign_in()).access_token for _ in range(3)]
    for token in (first, second, first, third):
        assert (await identity.principal(connection(("Authorization", f"Bearer {token}")))).authenticated
    assert [known.claims.session for known in identity._known.values()] == [
        worker.tokens.verify(token, worker.clock()).session for token in (first, third)
    ]
