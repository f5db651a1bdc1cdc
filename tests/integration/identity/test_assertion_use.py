"""An assertion is used once (RFC 7523, section 3), in memory and in the real database."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from auth.client_keys import read_keys
from models.base import now
from models.client import AssertionDocument
from tests.integration.identity.service_keys import ServiceKey
from tests.integration.identity.test_assertions import KEY, REGISTRATION, status
from tests.integration.identity.workers import ISSUER, Clock, Start, Worker


@pytest.fixture
async def client_id(worker: Worker) -> str:
    """A service with `KEY` and no secret."""
    return await worker.clients.add_with_keys(REGISTRATION, read_keys(KEY.jwks(), now()))


async def test_an_assertion_works_once_in_all_workers_together(start: Start) -> None:
    """Twenty at once on two workers, one of them gets a token."""
    one, two = await start(), await start()
    client_id = await one.clients.add_with_keys(REGISTRATION, read_keys(KEY.jwks(), now()))
    assertion = KEY.assertion(client_id, ISSUER)
    answers = await asyncio.gather(*(status(worker, assertion) for worker in (one, two) * 10))
    assert sorted(answers) == [200] + [401] * 19
    assert await status(two, assertion) == 401


async def test_two_services_may_use_the_same_jti(worker: Worker, client_id: str) -> None:
    """It is unique for each of them."""
    other = await worker.clients.add_with_keys(REGISTRATION, read_keys(KEY.jwks(), now()))
    assert await status(worker, KEY.assertion(client_id, ISSUER, jti="1")) == 200
    assert await status(worker, KEY.assertion(other, ISSUER, jti="1")) == 200


async def test_what_is_refused_for_another_reason_uses_nothing_up(worker: Worker, client_id: str) -> None:
    """Else anybody could block a `jti` that is easy to guess."""
    stranger = ServiceKey.make()
    assert await status(worker, stranger.assertion(client_id, ISSUER, jti="1")) == 401
    assert await status(worker, KEY.assertion(client_id, ISSUER, jti="1")) == 200


async def test_what_was_used_is_remembered_longer_than_it_holds(worker: Worker, client_id: str, clock: Clock) -> None:
    """A row that the database removes by itself, and without the `jti` in it."""
    assertion = KEY.assertion(client_id, ISSUER, jti="remarkable")
    assert await status(worker, assertion) == 200
    row = await worker.database.find_one(AssertionDocument, {})
    assert row is not None
    assert "remarkable" not in repr(row)
    clock.ahead = row["expires_at"] - now() - timedelta(seconds=1)
    assert await status(worker, assertion) == 401
