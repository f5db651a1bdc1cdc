"""The servers under measurement: how each is started, watched and stopped."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final

from bench.processes import cpu_seconds, free_port, megabytes, tree
from models.embedded import die_with_parent

ROOT: Final = Path(__file__).parent.parent
NODE_FOLDER: Final = ROOT / "bench" / "peers" / "node"
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 20.0
_POLL: Final = 0.005
_PYTHON: Final = (sys.executable, "-m")


class ServerFailed(Exception):
    """A server did not start, or ended. Says where its output is."""


@dataclass(frozen=True, slots=True)
class Server:
    """One server. `kind` is `subject` (Fieldward), `variant` (of it), `peer` or `limit`; `packages` are what its
    figures depend on."""

    name: str
    title: str
    kind: str
    command: tuple[str, ...]
    packages: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_node(self) -> bool:
        """Whether it needs Node."""
        return self.command[0] == "node"

    @property
    def is_fieldward(self) -> bool:
        """Whether it is Fieldward, in whatever variant."""
        return self.kind in ("subject", "variant")

    def versions(self) -> dict[str, str]:
        """The versions of its packages."""
        if not self.is_node:
            return {name: version(name) for name in self.packages}
        return {
            name: json.loads((NODE_FOLDER / "node_modules" / name / "package.json").read_text())["version"]
            for name in self.packages
        }


_UVICORN: Final = ("starlette", "uvicorn", "uvloop", "httptools", "motor", "pymongo")


def _node(name: str) -> tuple[str, ...]:
    # A favour: an error for each denied field costs them twice as much when it records its stack.
    return ("node", "--stack-trace-limit=0", str(NODE_FOLDER / f"{name}.js"))


def _python(name: str) -> tuple[str, ...]:
    return (*_PYTHON, f"bench.peers.python.{name}")


FIELDWARD: Final = Server(
    "fieldward",
    "Fieldward",
    "subject",
    (str(Path(sys.executable).with_name("fieldward")), "serve"),
    ("strawberry-graphql", "graphql-core", "orjson", *_UVICORN),
)
LIMIT: Final = Server("limit", "limit: Starlette + Motor", "limit", _python("limit"), ("orjson", *_UVICORN))
SERVERS: Final = (
    FIELDWARD,
    replace(
        FIELDWARD,
        name="uncoalesced",
        title="Fieldward + no coalescing",
        kind="variant",
        command=(*_PYTHON, "bench.uncoalesced"),
    ),
    LIMIT,
    Server("limit-node", "limit: fastify", "limit", _node("limit"), ("fastify", "mongodb", "jose")),
    Server(
        "mercurius",
        "Mercurius + auth + JIT",
        "peer",
        _node("mercurius"),
        ("mercurius", "mercurius-auth", "graphql-jit", "graphql", "fastify", "mongodb", "jose"),
    ),
    Server(
        "yoga",
        "GraphQL Yoga + directive",
        "peer",
        _node("yoga"),
        ("graphql-yoga", "@graphql-tools/utils", "graphql", "mongodb", "jose"),
    ),
    Server(
        "apollo",
        "Apollo Server + shield",
        "peer",
        _node("apollo"),
        ("@apollo/server", "@as-integrations/fastify", "graphql-shield", "graphql", "fastify", "mongodb", "jose"),
    ),
    Server("ariadne", "Ariadne + directive", "peer", _python("with_ariadne"), ("ariadne", "graphql-core", *_UVICORN)),
    Server(
        "strawberry",
        "Strawberry + permissions",
        "peer",
        _python("with_strawberry"),
        ("strawberry-graphql", "graphql-core", *_UVICORN),
    ),
)
NOTHING: Final = Server("nothing", "nothing at all", "nothing", _python("nothing"), ("uvloop",))


@dataclass(slots=True)
class Running:
    """A started server. `start_seconds` is from its start to its first answer of status 200."""

    server: Server
    process: subprocess.Popen[bytes]
    port: int
    start_seconds: float = 0.0

    def peak_megabytes(self) -> float:
        """The greatest resident memory so far, children included."""
        return sum(megabytes(pid, "VmHWM") for pid in tree(self.process.pid))

    def megabytes(self) -> float:
        """The resident memory now, children included."""
        return sum(megabytes(pid, "VmRSS") for pid in tree(self.process.pid))

    def cpu_seconds(self) -> float:
        """Processor time used so far, children included."""
        return sum(cpu_seconds(pid) for pid in tree(self.process.pid))


@contextmanager
def running(
    server: Server, environment: Mapping[str, str], probe: bytes, folder: Path, core: int | None
) -> Iterator[Running]:
    """Start `server` on `core` and wait until it answers `probe`, a GraphQL body; stop it at the end.

    Raises `ServerFailed`.
    """
    port = free_port()
    log = folder / f"{server.name}.log"
    settings = {
        **environment,
        **server.environment,
        "PORT": str(port),
        "FIELDWARD_PORT": str(port),
        "PYTHONPATH": str(ROOT),
    }
    with log.open("wb") as output:
        began = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - the commands are those of this module
            server.command,
            env=settings,
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=partial(_prepare, die_with_parent(os.getpid()), core),  # noqa: PLW1509 - no threads yet
        )
    started = Running(server, process, port)
    try:
        _wait(started, probe, settings["BENCH_TOKEN"], log)
        started.start_seconds = time.perf_counter() - began
        yield started
    finally:
        _end(process)


def _prepare(die_with_us: object, core: int | None) -> None:
    if callable(die_with_us):
        die_with_us()
    if core is not None:
        os.sched_setaffinity(0, {core})


def _wait(started: Running, probe: bytes, token: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    said = ""
    while time.monotonic() < until:
        if started.process.poll() is not None:
            break
        try:
            status, said = post(started.port, probe, token)
        except OSError:
            time.sleep(_POLL)
            continue
        if status == http.HTTPStatus.OK:
            return
        time.sleep(_POLL)
    raise ServerFailed(f"{started.server.title} did not start, see {log.name}. {said[:300]}")


def post(port: int, body: bytes, token: str, purpose: str = "SUPPORT") -> tuple[int, str]:
    """Send one GraphQL request; the status and the text of its answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        headers = {
            "Authorization": f"Bearer {token}",
            "Data-Purpose": purpose,
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        connection.request("POST", "/graphql", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def missing_tool() -> str | None:
    """Why Node peers cannot run, or None."""
    if shutil.which("node") is None:
        return "Node is not installed"
    if not (NODE_FOLDER / "node_modules").is_dir():
        return "their packages are not installed: npm ci in bench/peers/node"
    return None
