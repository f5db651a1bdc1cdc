"""`fieldward import` as a process of its own: its exit codes, and what a kill leaves behind."""

from __future__ import annotations

import asyncio
import csv
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import orjson
import pytest

from graph.cli import main
from models.database import Database
from models.embedded import Embedded
from models.user import UserDocument
from tests.stores import two_databases

HEAD = ["username", "email", "country"]


def person(number: int, country: str = "SE") -> list[str]:
    """A row of the file."""
    return [f"person{number}", f"person{number}@example.org", country]


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """Writes rows to a CSV file."""

    def write(*rows: list[str]) -> Path:
        path = tmp_path / "people.csv"
        with path.open("w", newline="") as opened:
            csv.writer(opened).writerows([HEAD, *rows])
        return path

    return write


@pytest.fixture
async def database(mongod: Embedded) -> AsyncIterator[Database]:
    """An empty database with an empty key store beside it: the command makes both ready."""
    async with two_databases(mongod.admin_url) as (main, _store):
        yield main


@pytest.fixture
def environment(mongod: Embedded, database: Database, tmp_path: Path) -> dict[str, str]:
    """The environment in which the command works on the test's own database."""
    name = database._database.name
    base, _, options = mongod.admin_url.partition("?")
    url = f"{base.rstrip('/')}/{name}?{options}"
    return {"FIELDWARD_MONGODB_URL": url, "FIELDWARD_DATA_DIR": str(tmp_path / "data")}


async def start(path: Path, rejects: Path, environment: dict[str, str], *more: str) -> asyncio.subprocess.Process:
    """The command as a process of its own."""
    line = ["-c", "from graph.cli import main; main()", "import", str(path), "--rejects", str(rejects), *more]
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, *line, env=os.environ | environment, stdout=pipe, stderr=pipe
    )


@pytest.mark.slow
async def test_a_killed_import_goes_on_where_it_was(
    database: Database, environment: dict[str, str], file: Callable[..., Path], tmp_path: Path
) -> None:
    """kill -9 in the middle, several times: in the end everybody is there once and the report is whole."""
    people = 15_000
    path = file(*(person(n, country="??" if n % 100 == 7 else "SE") for n in range(people)))
    rejects = tmp_path / "rejects.jsonl"
    for limit in (1_000, 4_000, 8_000):
        process = await start(path, rejects, environment, "--batch", "100")
        while process.returncode is None and await database.count(UserDocument, {}) < limit:  # noqa: ASYNC110 - another process does the work
            await asyncio.sleep(0.005)
        process.kill()
        await process.communicate()
        assert process.returncode == -signal.SIGKILL
    last = await start(path, rejects, environment)
    said, problems = await last.communicate()
    assert last.returncode == 2, problems.decode()
    assert b"14,850 imported, 0 there already, 150 rejected" in said
    assert b"went on at line" in said
    assert await database.count(UserDocument, {}) == people - 150
    assert [entry["line"] for entry in map(orjson.loads, rejects.read_bytes().splitlines())] == [
        n + 2 for n in range(7, people, 100)
    ]


@pytest.mark.parametrize(
    ("rows", "options", "code", "said"),
    [
        ([person(1)], [], 0, "1 imported"),
        ([person(1), person(2, "??")], [], 2, "BAD_COUNTRY: 1"),
        ([person(1)], ["--map", "email=missing"], 1, "--map"),
        ([person(1)], ["--map", "planted"], 1, "FIELD=VALUE"),
        ([person(1)], ["--region", "us"], 1, "--region"),
        ([person(1)], ["--rejects", "/nowhere/at/all"], 0, "1 imported"),
        ([person(1, "??")], ["--rejects", "/nowhere/at/all"], 1, "--rejects"),
        ([person(1)], ["--dry-run"], 0, "1 would be imported"),
    ],
)
def test_the_command_says_how_it_went(
    environment: dict[str, str],
    file: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    rows: list[list[str]],
    options: list[str],
    code: int,
    said: str,
) -> None:
    """0 when all is in, 2 when rows were rejected, 1 when it could not be done."""
    path = file(*rows)
    monkeypatch.chdir(path.parent)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["fieldward", "import", str(path), *options])
    with pytest.raises(SystemExit) as ended:
        main()
    shown = "".join(capsys.readouterr())
    assert (ended.value.code or 0) == code, shown
    assert said in shown
    assert "person1@" not in shown


def test_what_was_rejected_is_in_the_working_folder(
    environment: dict[str, str], file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless another place is named; the name is the same for the same import, so a resumed one adds to it."""
    path = file(person(1, "??"))
    monkeypatch.chdir(path.parent)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["fieldward", "import", str(path)])
    for _ in range(2):
        with pytest.raises(SystemExit):
            main()
    assert len(list(path.parent.glob("import-rejects-*.jsonl"))) == 1
