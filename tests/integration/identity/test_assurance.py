"""How surely a caller is who they say, as a request comes in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from auth.identity import Identity
from auth.principal import NOBODY, RECENT, UNPROVEN, Assurance, Kind
from auth.tokens import PERSON_LIFETIME, Claims
from models.database import Database
from tests.integration.identity.workers import Clock, Worker, connection

SECOND = timedelta(seconds=1)


@pytest.fixture
def any_database(memory_database: Database) -> Database:
    """In memory: nothing here is about what is stored."""
    return memory_database


@pytest.fixture
def identity(worker: Worker) -> Identity:
    """One that lets the policy ask for proof."""
    return Identity(worker.tokens, worker.revocations, step_up=True, clock=worker.clock)


def claims(worker: Worker, *methods: str, age: timedelta | None) -> Claims:
    """What a person's token says of when and how they proved themself."""
    now = worker.clock()
    return Claims(
        subject="usr_eu_1",
        kind=Kind.PERSON,
        issued_at=now,
        expires_at=now + PERSON_LIFETIME,
        region="eu",
        methods=frozenset(methods),
        authenticated_at=None if age is None else now - age,
    )


async def assurance(identity: Identity, worker: Worker, claimed: Claims) -> Assurance:
    """That of a request with such a token."""
    header = ("Authorization", f"Bearer {worker.tokens.issue(claimed)}")
    return (await identity.principal(connection(header))).shape.assurance


@pytest.mark.parametrize(
    ("methods", "age", "expected"),
    [
        (("pwd",), timedelta(0), Assurance(strong=False, recent=True)),
        (("pwd",), RECENT + SECOND, Assurance(strong=False, recent=False)),
        (("pwd", "otp", "mfa"), timedelta(0), Assurance(strong=True, recent=True)),
        (("hwk", "user", "mfa"), RECENT + SECOND, Assurance(strong=True, recent=False)),
        (("otp",), RECENT - SECOND, Assurance(strong=False, recent=True)),
        ((), timedelta(0), Assurance(strong=False, recent=True)),
        (("mfa",), None, Assurance(strong=True, recent=False)),
    ],
    ids=str,
)
async def test_the_token_says_how_and_when(
    identity: Identity, worker: Worker, methods: tuple[str, ...], age: timedelta | None, expected: Assurance
) -> None:
    """Several factors make a strong proof (RFC 8176), a quarter of an hour an old one."""
    assert await assurance(identity, worker, claims(worker, *methods, age=age)) == expected


async def test_a_proof_grows_old_while_its_token_holds(identity: Identity, worker: Worker, clock: Clock) -> None:
    """To the moment; nothing is made anew for it."""
    token = worker.tokens.issue(claims(worker, "pwd", "mfa", age=RECENT - timedelta(minutes=2)))
    request = connection(("Authorization", f"Bearer {token}"))
    first, again = [await identity.principal(request) for _ in range(2)]
    assert first is again
    assert first.shape.assurance == Assurance(strong=True, recent=True)
    clock.ahead += timedelta(minutes=2, seconds=1)
    later, still = [await identity.principal(request) for _ in range(2)]
    assert later is still
    assert later == replace(first, shape=replace(first.shape, assurance=Assurance(strong=True)))


async def test_where_nobody_is_asked_all_are_alike(worker: Worker) -> None:
    """Equal callers share cached grants, however and whenever they signed in."""
    found = {
        await assurance(worker.identity, worker, claims(worker, *methods, age=age))
        for methods in ((), ("pwd",), ("pwd", "mfa"))
        for age in (None, timedelta(0), RECENT * 2)
    }
    assert found == {UNPROVEN}


async def test_services_and_nobody_have_none(identity: Identity, worker: Worker) -> None:
    """They are never asked, so there is one of each."""
    service = replace(claims(worker, "mfa", age=timedelta(0)), kind=Kind.SERVICE, subject="cli_eu_1")
    assert await assurance(identity, worker, service) == UNPROVEN
    assert await identity.principal(connection()) is NOBODY
