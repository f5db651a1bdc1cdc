"""A built workbench on a running service, and a browser to look at it with; what is missing is skipped by name."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from graph.pages.workbench import ASSETS, Workbench
from tests.browser.chromium import Page, browser, find
from tests.e2e.server import Server

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path."""
    found = find()
    if found is None:
        pytest.skip("there is no Chromium on this machine")
    return found


@pytest.fixture(scope="session")
def built(chromium: str) -> None:
    """The workbench, built from what is here now."""
    said = subprocess.run([sys.executable, ROOT / "workbench" / "make.py"], capture_output=True, text=True, check=False)
    if said.returncode != 0:
        pytest.skip(said.stderr.strip().splitlines()[-1])
    assert Workbench.read(ASSETS, base="", demo=None) is not None


@pytest.fixture(scope="session")
def workbench(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running service's page."""
    server = Server(tmp_path_factory.mktemp("browser") / "data").ready()
    yield f"{server.url}/graphql"
    server.stop()


@pytest.fixture
def page(chromium: str, workbench: str, tmp_path: Path) -> Iterator[Page]:
    """The workbench in a new browser. At the end nothing has left the host, and nothing has complained."""
    with browser(chromium, tmp_path / "profile") as opened:
        opened.open(workbench)
        opened.see(".graphiql-query-editor .view-line")
        yield opened
        opened.evaluate("0")  # one round trip: all that the browser has reported until now is read
    origin = workbench.removesuffix("graphql")
    assert [each for each in opened.requests if not each.startswith((origin, "data:", "blob:", "about:"))] == []
    assert opened.errors == []
