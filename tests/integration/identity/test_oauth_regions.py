"""Tokens are for one region."""

from __future__ import annotations

import pytest

from models.database import Database
from tests.integration.identity.test_oauth import ask
from tests.integration.identity.workers import Worker


@pytest.fixture
def any_database(memory_database: Database) -> Database:
    """In memory: this is about what is asked."""
    return memory_database


@pytest.mark.parametrize(
    ("regions", "asked", "expected"),
    [
        (["eu"], None, "eu"),
        (["eu", "us"], None, "eu"),
        (["eu", "us"], "us", "us"),
        (["us"], None, "us"),
        (["eu"], "us", None),
        (["us"], "eu", None),
        (["us", "jp"], None, None),
        (["eu"], "EU", None),
        (["eu"], "eu us", None),
    ],
    ids=str,
)
async def test_a_token_is_for_one_region_that_the_client_may_use(
    worker: Worker, regions: list[str], asked: str | None, expected: str | None
) -> None:
    """This one unless another is asked for (RFC 8707 has the error)."""
    auth = await worker.clients.add("Desk", ["user.name:read"], ["SUPPORT"], regions=regions)
    response = await ask(worker, auth, **({} if asked is None else {"region": asked}))
    if expected is None:
        assert (response.status_code, response.json()["error"]) == (400, "invalid_target")
        return
    assert response.json()["region"] == expected
    assert (await worker.whose(response.json()["access_token"])).shape.region == expected
