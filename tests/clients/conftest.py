"""A folder with the clients' programs and packages, and a running service; without Node.js all is skipped by name."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.conftest import real_mongodb
from tests.e2e.server import Json, Server

__all__ = ["real_mongodb"]

Command = Callable[..., str]
Program = Callable[[str], Json]

SOURCES: Final = Path(__file__).parent / "node"
SCHEMA: Final = Path(__file__).parents[2] / "schema.graphql"
_INSTALL: Final = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--prefer-offline")
_OLDEST_NODE: Final = (20, 19)
_SLOWEST: Final = 300  # seconds for one step, on a machine that has much else to do


def run(command: tuple[str, ...], folder: Path) -> str:
    """What a command writes to standard output; it fails with all that it wrote."""
    environment = {**os.environ, "NO_COLOR": "1"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_SLOWEST, check=False
    )
    assert done.returncode == 0, f"{Path(command[0]).name}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def server(real_mongodb: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service as `make run` starts it: the programs sign in as staff by password alone."""
    running = Server(tmp_path_factory.mktemp("clients") / "data")
    yield running.ready()
    running.stop()


@pytest.fixture(scope="session")
def node() -> None:
    """Node.js with npm, of a version that the clients run on."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("there is no Node.js with npm on this machine")
    version = run(("node", "--print", "process.versions.node"), SOURCES).strip()
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST_NODE:
        pytest.skip(f"the clients need Node.js 20.19 or newer, and this is {version}")


@pytest.fixture(scope="session")
def packages(node: None) -> Path:
    """The packages that the lock names; they stay there for the next run."""
    installed = SOURCES / "node_modules"
    stamp = installed / ".installed"
    digest = hashlib.sha256((SOURCES / "package-lock.json").read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != digest:
        run(_INSTALL, SOURCES)
        stamp.write_text(digest)
    return installed


@pytest.fixture(scope="session")
def command(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Run a package's command where the programs, the packages and the schema are: `command("tsc", "--version")`."""
    folder = tmp_path_factory.mktemp("clients") / "node"
    shutil.copytree(SOURCES, folder, ignore=shutil.ignore_patterns("node_modules"))
    shutil.copy(SCHEMA, folder)
    (folder / "node_modules").symlink_to(packages, target_is_directory=True)

    def called(name: str, *arguments: str) -> str:
        program = "node" if name == "node" else str(packages / ".bin" / name)
        return run((program, *arguments), folder)

    return called


@pytest.fixture(scope="session")
def program(command: Command, server: Server) -> Program:
    """Run one of the programs against the service; what it tells, parsed."""

    def told(name: str) -> Json:
        return json.loads(command("node", f"{name}.mjs", server.url))

    return told
