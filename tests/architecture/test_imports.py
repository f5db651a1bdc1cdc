"""The house keeps its shape: who may import whom, and how long a file may grow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONGEST = 250
SOURCES = sorted(path for package in ("auth", "graph", "models") for path in (ROOT / package).rglob("*.py"))


def test_the_import_contracts_hold() -> None:
    """`graph` conducts, `auth` decides, `models` holds, and each library has its place."""
    script = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([script, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_short(path: Path) -> None:
    """What grows longer wants a split, or says at its top why not ("Long because ...")."""
    text = path.read_text()
    assert len(text.splitlines()) <= LONGEST or "Long because" in text[:1000]


def test_only_the_database_package_imports_the_driver() -> None:
    """Index models are data, so `pymongo` may be named for those and for the directions of an order."""
    allowed = ("import ASCENDING", "import DESCENDING", "import IndexModel")
    found = [
        f"{path.relative_to(ROOT)}: {line}"
        for path in SOURCES
        if (ROOT / "models/database") not in path.parents
        for line in path.read_text().splitlines()
        if line.startswith(("from pymongo", "import pymongo", "from motor", "import motor", "from mongomock"))
        and not line.split(" ", 2)[2].startswith(allowed)
    ]
    assert found == []


def test_the_lock_names_versions_and_no_place() -> None:
    """Every dependency is pinned, and none says where it came from."""
    lines = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if line and line.strip()[0] != "#"]
    assert [line for line in lines if "==" not in line or "://" in line or line.startswith("-")] == []
