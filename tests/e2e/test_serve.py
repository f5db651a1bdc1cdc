"""`fieldward serve` as people run it: starts, says where to go, stops all it started."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymongo
import pytest

from models.embedded import Embedded

pytestmark = pytest.mark.slow

SIGN_IN = 'mutation { signIn(input: {login: "support", password: "fieldward-demo-password"}) { user { username } } }'


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


class Service:
    """One started `fieldward serve`."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.port, self.said = free_port(), ""
        given = {"DATA_DIR": str(folder), "PORT": str(self.port), **settings}
        clean = {key: value for key, value in os.environ.items() if not key.startswith("FIELDWARD_")}
        self.process = subprocess.Popen(
            [Path(sys.executable).with_name("fieldward"), "serve"],
            env=clean | {f"FIELDWARD_{name}": value for name, value in given.items()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def ready(self) -> Service:
        """Wait until it says that it answers."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if "Ctrl-C stops it" in line:
                return self
        raise AssertionError("it ended before it was ready")

    def children(self) -> list[int]:
        """The processes it has started."""
        return [
            int(pid) for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        ]

    def ask(self, query: str, host: str = "127.0.0.1") -> Any:  # noqa: ANN401 - whatever JSON holds
        """One GraphQL request."""
        request = urllib.request.Request(
            f"http://{host}:{self.port}/graphql",
            json.dumps({"query": query}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - the address of the service under test
            return json.load(answer)

    def rest(self) -> str:
        """What it says until it ends."""
        return self.process.communicate(timeout=40)[0]


Start = Callable[..., Service]


def connected(url: str) -> pymongo.MongoClient[dict[str, Any]]:
    """A plain client, beside the service."""
    return pymongo.MongoClient(url)


@pytest.fixture
def start(mongod: Embedded, tmp_path: Path) -> Iterator[Start]:
    """Start services on the folder of this test; `mongod` makes sure that this machine can run one."""
    started: list[Service] = []

    def begin(**settings: str) -> Service:
        started.append(Service(tmp_path / "data", **settings))
        return started[-1]

    yield begin
    for service in started:
        if service.process.poll() is None:
            service.process.terminate()
        service.process.communicate(timeout=40)


def alive(pid: int) -> bool:
    """Whether a process runs; one that waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def left(pids: list[int]) -> list[int]:
    """Which of these still run after some seconds."""
    for _ in range(200):
        if not any(map(alive, pids)):
            return []
        time.sleep(0.05)
    return [pid for pid in pids if alive(pid)]


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda sign: sign.name)
@pytest.mark.parametrize("workers", ["1", "2"])
def test_nothing_is_left_when_it_ends(start: Start, sign: signal.Signals, workers: str) -> None:
    """Database and workers go with it, however it is ended."""
    service = start(WORKERS=workers).ready()
    children = service.children()
    service.process.send_signal(sign)
    said = service.rest()
    assert left(children) == []
    if sign is not signal.SIGKILL:
        assert service.process.returncode == 0
        assert said.rstrip().endswith("Stopped.")


def test_workers_end_with_a_supervisor_that_dies_while_they_start(start: Start) -> None:
    """They know their parent from before they were imported."""
    service = start(WORKERS="2")
    while len(children := service.children()) < 4:  # database, resource tracker, two workers
        assert service.process.poll() is None
        time.sleep(0.02)
    service.process.kill()
    assert left(children) == []


def test_a_second_start_finds_the_people_of_the_first(start: Start) -> None:
    """The demo is loaded once, and its sign-ins work each time."""
    for _ in range(2):
        service = start().ready()
        assert service.ask(SIGN_IN)["data"]["signIn"]["user"] == {"username": "support"}
        service.process.terminate()
        assert service.process.wait(40) == 0


def test_a_port_in_use_is_said_in_one_line(start: Start) -> None:
    """And nothing is started."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        service = start(PORT=str(port))
        assert service.rest() == (
            f"fieldward: Port {port} is in use. Choose another one: FIELDWARD_PORT, or make run PORT=...\n"
        )
    assert service.process.returncode == 1


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
@pytest.mark.parametrize(("host", "answering"), [("::1", ["[::1]"]), ("::", ["[::1]", "127.0.0.1"])])
def test_it_listens_on_ipv6(start: Start, host: str, answering: list[str]) -> None:
    """`::` stands for all addresses, those of IPv4 too."""
    service = start(HOST=host)
    assert f"answers at http://[::1]:{service.port}/graphql" in service.ready().said
    for each in answering:
        assert service.ask("{ __typename }", each) == {"data": {"__typename": "Query"}}


def test_signing_keys_that_others_can_read_are_said_in_one_line(start: Start, tmp_path: Path) -> None:
    """With what to do about it, and before anything answers."""
    keys = tmp_path / "data" / "keys"
    keys.mkdir(parents=True, mode=0o700)
    (keys / "signing.json").write_text("{}")
    (keys / "signing.json").chmod(0o644)
    service = start()
    said = service.rest().splitlines()
    assert service.process.returncode == 1
    assert len(said) == 1
    assert said[0].startswith("fieldward: ")
    assert said[0].endswith(f"Run: chmod 600 {keys / 'signing.json'}")


def test_a_database_that_dies_is_said_and_answered(start: Start) -> None:
    """Requests get a clear error; the service stays up and still stops cleanly."""
    service = start().ready()
    os.kill(service.children()[0], signal.SIGKILL)
    assert service.ask(SIGN_IN)["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    service.process.terminate()
    assert "The embedded MongoDB has died (exit code -9)." in service.rest()


def test_with_a_database_of_ones_own_nothing_is_started(start: Start, mongod: Embedded) -> None:
    """An empty one gets the demo too, so that there is something to see."""
    url = mongod.admin_url.replace("/?", "/own_database?")
    first = start(MONGODB_URL=url).ready()
    assert first.children() == []
    assert first.ask(SIGN_IN)["data"]["signIn"]["user"] == {"username": "support"}


def test_a_database_with_people_in_it_gets_no_demo(start: Start, mongod: Embedded) -> None:
    """Accounts with a known password must not appear beside real ones."""
    url = mongod.admin_url.replace("/?", "/peopled_database?")
    with connected(url) as client:
        client.peopled_database.users.insert_one({"_id": "usr_eu_real", "username_key": "real"})
        service = start(MONGODB_URL=url).ready()
        assert service.ask(SIGN_IN)["data"]["signIn"]["user"] is None
        assert client.peopled_database.users.count_documents({}) == 1
