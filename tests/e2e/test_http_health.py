"""Health, metrics and the request log."""

from __future__ import annotations

import asyncio
import io

import httpx
import orjson
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from graph.health import Metrics, health_routes
from graph.request_log import RequestLines, RequestLog
from models.errors import DatabaseUnavailable
from tests.e2e.small_api import GOOD, PERSON, SmallApi, client_of


class SmallDatabase:
    """A database that answers, does not, or fails."""

    def __init__(self) -> None:
        self.state: bool | Exception | None = True

    async def ping(self) -> bool:
        """What `state` says; None never answers."""
        if isinstance(self.state, Exception):
            raise self.state
        if self.state is None:
            await asyncio.Event().wait()
        return bool(self.state)


class SmallKeys:
    """Keys that are at hand, or not."""

    answers = True


@pytest.fixture
def keys() -> SmallKeys:
    """Keys that are at hand."""
    return SmallKeys()


@pytest.fixture
def database() -> SmallDatabase:
    """A database that answers."""
    return SmallDatabase()


@pytest.fixture
def lines() -> io.StringIO:
    """Where request lines go, as in production."""
    return io.StringIO()


@pytest.fixture
def client(
    database: SmallDatabase, keys: SmallKeys, lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> httpx.AsyncClient:
    """A whole small application, observed."""
    monkeypatch.setattr("graph.health.PING_SECONDS", 0.05)
    metrics = Metrics({"documents": lambda: 7})
    api = SmallApi(PERSON)
    app = Starlette(routes=[*health_routes(database, keys, metrics), Mount("/", api.app)])
    return client_of(RequestLog(app, frozenset({"/graphql", "/health/ready"}), RequestLines(lines), metrics))


async def written() -> None:
    """Let the turn of the event loop end, with which lines are written."""
    await asyncio.sleep(0)


async def test_it_is_alive_without_a_database(client: httpx.AsyncClient, database: SmallDatabase) -> None:
    """A restart would not bring the database back."""
    database.state = False
    assert (await client.get("/health/live")).status_code == 200


@pytest.mark.parametrize(("state", "status"), [(True, 200), (False, 503), (DatabaseUnavailable(), 503), (None, 503)])
async def test_it_is_ready_when_the_database_answers(
    client: httpx.AsyncClient, database: SmallDatabase, state: bool | Exception | None, status: int
) -> None:
    """And not when it refuses, fails or hangs."""
    database.state = state
    answer = await client.get("/health/ready")
    assert answer.status_code == status
    assert answer.json()["database"] == ("available" if status == 200 else "unavailable")


async def test_it_is_not_ready_without_keys(client: httpx.AsyncClient, keys: SmallKeys) -> None:
    """It could show nothing personal; it says which part is missing."""
    keys.answers = False
    answer = await client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (
        503,
        {"status": "not ready", "database": "available", "keys": "unavailable"},
    )


async def test_metrics_count_requests_and_codes(client: httpx.AsyncClient) -> None:
    """In the Prometheus text format, with sizes of caches."""
    await client.post("/graphql", json=GOOD)
    await client.post("/graphql", json={"query": "{"}, headers={"accept": "application/graphql-response+json"})
    text = (await client.get("/metrics")).text
    assert 'route="/graphql",status="200"' in text
    assert 'code="GRAPHQL_PARSE_FAILED"' in text
    assert 'cache="documents"' in text
    assert "fieldward_request_seconds_bucket" in text


async def test_addresses_that_are_made_up_are_not_named(client: httpx.AsyncClient, lines: io.StringIO) -> None:
    """A client can put anything into one, and into the method."""
    await client.get("/planted@x.example?planted=1")
    await client.request("PLANTED", "/graphql")
    await written()
    assert [orjson.loads(line)["route"] for line in lines.getvalue().splitlines()] == ["other", "/graphql"]
    assert "planted" not in lines.getvalue().lower()
    assert "planted" not in (await client.get("/metrics")).text.lower()


async def test_a_request_is_one_line(client: httpx.AsyncClient, lines: io.StringIO) -> None:
    """Who, what, how long; the document by its hash."""
    await client.post("/graphql?planted=1", json={"query": '{user(by: {id: "planted"}){planted}}'})
    await written()
    [text] = lines.getvalue().splitlines()
    line = orjson.loads(text)
    assert (line["event"], line["level"], line["logger"]) == ("request", "info", "fieldward.requests")
    assert (line["method"], line["route"], line["status"]) == ("POST", "/graphql", 200)
    assert line["principal_kind"] == "PERSON"
    assert len(line["principal"]) == 16
    assert "usr_eu_1" not in text
    assert line["codes"] == ["GRAPHQL_VALIDATION_FAILED"]
    assert len(line["document"]) == 16
    assert "planted" not in text


async def test_a_line_for_people_says_what_is_known() -> None:
    """In development a line is key=value."""
    stream = io.StringIO()
    RequestLines(stream, readable=True).write({"method": "GET", "route": "/graphql", "codes": [], "document": None})
    await written()
    assert stream.getvalue().endswith("request  method=GET route=/graphql\n")
