"""One real service for the whole run; its demo people sign in at most once each."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from models.embedded import find_mongod
from tests.e2e.server import Account, Server

Who = Callable[[str], Account]
Serve = Callable[..., Server]
Newcomer = Callable[[], Account]

NEW_PASSWORD = "a-quiet-harbour-at-dawn"
_IN_MEMORY = "FIELDWARD_TEST_IN_MEMORY"


@pytest.fixture(scope="session")
def real_mongodb() -> None:
    """Where no embedded MongoDB runs, what needs it fails; it is skipped only when that is asked for by name."""
    if os.environ.get(_IN_MEMORY) == "1":
        pytest.skip(f"needs a real MongoDB, and {_IN_MEMORY}=1 is set")
    if find_mongod() is None:
        pytest.fail(f"There is no embedded MongoDB for this platform; {_IN_MEMORY}=1 skips.", pytrace=False)


@pytest.fixture(scope="session")
def server(real_mongodb: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`fieldward serve` with its embedded MongoDB and demo data, in a temporary folder; it asks for step-up."""
    running = Server(tmp_path_factory.mktemp("e2e") / "data", STEP_UP="on")
    yield running.ready()
    running.stop()


@pytest.fixture
def serve(real_mongodb: None, tmp_path: Path) -> Iterator[Serve]:
    """Start services of one's own: `serve(WORKERS="2")`; they are stopped at the end."""
    started: list[Server] = []

    def start(launcher: Path | None = None, trust: ssl.SSLContext | None = None, **settings: str) -> Server:
        started.append(Server(tmp_path / f"data{len(started)}", launcher=launcher, trust=trust, **settings))
        return started[-1].ready()

    yield start
    for each in started:
        each.stop()


@pytest.fixture(scope="session")
def who(server: Server) -> Who:
    """Demo accounts by name: `who("support")`; `who("service")` is `demo-service`."""
    known: dict[str, Account] = {}

    def account(name: str) -> Account:
        if name not in known:
            known[name] = server.service() if name == "service" else server.sign_in(name)
        return known[name]

    return account


@pytest.fixture(scope="session")
def newcomer(server: Server) -> Newcomer:
    """Register somebody new and sign them in; the password is `NEW_PASSWORD`."""

    def arrive() -> Account:
        name = f"new.{uuid4().hex[:12]}"
        made = {"username": name, "email": f"{name}@people.example", "password": NEW_PASSWORD}
        answer = server.post(REGISTER, {"input": made}).json()["data"]["register"]
        assert answer["errors"] == [], answer
        return server.sign_in(name, NEW_PASSWORD)

    return arrive


REGISTER = "mutation ($input: RegisterInput!) { register(input: $input) { user { id } errors { code message path } } }"
