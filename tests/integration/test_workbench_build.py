"""`workbench/make.py` where nothing can be fetched: the API must start all the same."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ALONE = {"PATH": "/nonexistent", "PIP_NO_INDEX": "1"}  # neither Node.js nor a package index


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """The build in a folder of its own, as a fresh clone has it."""
    shutil.copytree(ROOT / "workbench", tmp_path / "workbench", ignore=shutil.ignore_patterns("node_modules", ".*"))
    (tmp_path / "graph" / "pages").mkdir(parents=True)
    return tmp_path / "workbench" / "make.py"


def make(script: Path, *arguments: str) -> tuple[int, str]:
    """Exit status, and what was said."""
    done = subprocess.run([sys.executable, script, *arguments], env=ALONE, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def test_without_network_the_service_may_start(script: Path) -> None:
    """One line says what is missing and how to build it; the next start does not wait for it again."""
    status, said = make(script, "--optional")
    assert (status, said.count("\n")) == (0, 2)
    assert "GraphiQL is not built: there is no Node.js here, and it could not be fetched" in said
    assert "`make workbench` tries again" in said
    assert make(script, "--optional") == (
        0,
        "GraphiQL is not built; the API works without it. `make workbench` builds it.\n",
    )


def test_asked_for_by_name_a_failure_is_one(script: Path) -> None:
    """`make workbench` fails, each time."""
    assert [make(script)[0] for _ in range(2)] == [1, 1]


def test_what_is_current_is_not_built_again(script: Path) -> None:
    """Nor is anything said; a changed source counts."""
    digest = subprocess.run(
        [sys.executable, "-c", "import make; print(make.sources_digest(), end='')"],
        cwd=script.parent,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assets = script.parents[1] / "graph" / "pages" / "assets"
    assets.mkdir()
    (assets / "built").write_text(digest)
    assert make(script) == (0, "")
    (script.parent / "src" / "style.css").write_text("body {}")
    assert make(script)[0] == 1
