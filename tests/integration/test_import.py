"""Importing into a real MongoDB: idempotent, taken up after a kill, and without a value in any report."""

from __future__ import annotations

import csv
import gzip
import io
import logging
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest
from beanie import Document
from rich.console import Console

from graph.commands.importing import ImportOptions, import_people
from models.bookkeeping import ImportDocument
from models.database import Database, Raw
from models.errors import DatabaseUnavailable
from models.importing.mapping import ColumnMapping
from models.importing.runner import Summary
from models.user import UserDocument
from tests.stores import clear_row

HEAD = ["id", "username", "email", "fullName", "birthDate", "country", "passwordHash", "shoeSize"]
HASH = "$argon2id$v=19$m=65536,t=3,p=4$MIIRqgvgQbgj220jfp0MPA$YfwJSVjtjSU0zzV/P3S9nnQ/USre2wvJMjfCIjrTQbg"
Run = Callable[..., Any]


def person(number: int, **changes: str) -> list[str]:
    """A row of the file."""
    row = {
        "id": f"c-{number}",
        "username": f"person{number}",
        "email": f"person{number}@example.org",
        "fullName": f"Person {number}",
        "birthDate": "1990-04-01",
        "country": "SE",
        "passwordHash": HASH,
        "shoeSize": "42",
    }
    return list((row | changes).values())


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """Writes rows to a CSV file."""

    def write(*rows: list[str], name: str = "people.csv") -> Path:
        text = io.StringIO()
        csv.writer(text).writerows([HEAD, *rows])
        (tmp_path / name).write_text(text.getvalue())
        return tmp_path / name

    return write


@pytest.fixture
def run(any_database: Database, tmp_path: Path) -> Run:
    """Imports a file."""

    async def start(path: Path, *, batch: int = 7, dry: bool = False) -> Summary:
        options = ImportOptions(path, ColumnMapping(), tmp_path / "rejects.jsonl", batch=batch, dry=dry)
        return await import_people(any_database, options, region="eu", console=Console(file=io.StringIO()))

    return start


def report(tmp_path: Path) -> list[dict[str, object]]:
    """What the report of rejected rows says."""
    path = tmp_path / "rejects.jsonl"
    return [orjson.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


async def test_people_are_stored(any_database: Database, file: Run, run: Run) -> None:
    """With what the file says of them, and nothing of a column that has no label."""
    summary = await run(file(*map(person, range(20))))
    stored = await clear_row(any_database, UserDocument, {"username_key": "person7"})
    assert (summary.imported, summary.rejected, summary.unknown) == (20, 0, ["shoeSize"])
    assert (stored["full_name"], stored["age_band"], stored["password_hash"]) == ("Person 7", "35-44", HASH)
    assert "42" not in stored.values()


async def test_importing_again_changes_nothing(any_database: Database, file: Run, run: Run) -> None:
    """Neither the same file nor another one with the same people makes anybody twice."""
    await run(file(*map(person, range(20))))
    before = await any_database.find(UserDocument, {}, sort=[("_id", 1)])
    again = await run(file(*map(person, range(20))))
    other = await run(file(*(person(n, country="NO") for n in range(5, 25)), name="later.csv"))
    assert (again.imported, again.unchanged, again.rejected) == (0, 20, 0)
    assert (other.imported, other.unchanged, other.rejected) == (5, 15, 0)
    after = await any_database.find(UserDocument, {"_id": {"$in": [row["_id"] for row in before]}}, sort=[("_id", 1)])
    assert after == before


async def test_a_compressed_file_is_the_same_file(file: Run, run: Run) -> None:
    """What counts is the content, so its doubles are told as doubles again."""
    path = file(person(1), person(1, username="other", email="other@example.org"))
    packed = path.with_name("people.csv.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    first, again = await run(path), await run(packed)
    assert (first.imported, first.rejected) == (1, 1)
    assert (again.imported, again.unchanged, again.rejected) == (0, 1, 1)


async def test_doubles_are_rejected_by_field(file: Run, run: Run, tmp_path: Path) -> None:
    """In one batch, across batches, and against who was there before the file; the first one wins."""
    await run(file(person(1), name="earlier.csv"))
    rows = [person(n) for n in range(10, 30)]
    rows[1] = person(11, username="Person10")
    rows[15] = person(25, email="PERSON10@example.org")
    rows[16] = person(10, username="someone.else", email="else@example.org")
    rows[17] = person(27, email="person1@example.org")
    summary = await run(file(*rows))
    expected = [(3, "username"), (17, "email"), (18, "id"), (19, "email")]
    assert report(tmp_path) == [{"line": line, "code": "TAKEN", "field": field} for line, field in expected]
    assert (summary.imported, summary.rejected, summary.codes) == (16, 4, {"TAKEN": 4})
    assert await run(file(*rows)) == Summary(0, 16, 4, {"TAKEN": 4}, ["shoeSize"], None, tmp_path / "rejects.jsonl")


@pytest.mark.parametrize("dry", [False, True])
async def test_a_name_that_looks_like_another_is_rejected(file: Run, run: Run, tmp_path: Path, dry: bool) -> None:
    """In one batch, and against who was there before."""
    await run(file(person(1, username="paypal"), name="earlier.csv"))
    rows = [person(2, username="PayPaI"), person(3, username="user1"), person(4, username="userl"), person(5)]
    summary = await run(file(*rows), dry=dry)
    assert (summary.imported, summary.codes) == (2, {"LOOKS_ALIKE": 2})
    assert report(tmp_path) == [{"line": line, "code": "LOOKS_ALIKE", "field": "username"} for line in (2, 4)]


async def test_a_dry_run_says_the_same_and_stores_nothing(
    any_database: Database, file: Run, run: Run, tmp_path: Path
) -> None:
    """Not even a checkpoint."""
    await run(file(person(1), name="earlier.csv"))
    path = file(person(2), person(3, username="person1"), person(4, birthDate="1.4.1990"))
    summary = await run(path, dry=True)
    assert (summary.imported, summary.rejected) == (1, 2)
    assert [(entry["line"], entry["field"]) for entry in report(tmp_path)] == [(3, "username"), (4, "birth_date")]
    assert await any_database.count(UserDocument, {}) == 1
    assert await any_database.count(ImportDocument, {}) == 1


async def test_nothing_of_a_rejected_row_is_in_any_report(
    file: Run, run: Run, tmp_path: Path, any_database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """Report, summary, checkpoint and log hold codes and fields; planted values are found in none of them."""
    caplog.set_level(logging.INFO)
    await run(file(person(1, email="planted-taken@example.org"), name="earlier.csv"))
    bad = [
        person(2, email="planted-mail"),
        person(3, birthDate="planted-date"),
        person(4, country="planted-country"),
        person(5, passwordHash="planted-password"),
        person(6, username="planted name"),
        person(7, fullName="planted" * 50),
        person(8, email="planted-taken@example.org"),
        [*person(9), "planted-extra"],
    ]
    summary = await run(file(*bad))
    state = await any_database.find(ImportDocument, {})
    shown = [(tmp_path / "rejects.jsonl").read_text(), str(summary), str(state), caplog.text]
    assert summary.rejected == len(bad)
    assert "planted" not in "".join(shown)


def failing_after(survived: int) -> Callable[..., Awaitable[int]]:
    """`Database.update_one` that fails once it has been called so many times: the checkpoint is not written."""
    real, calls = Database.update_one, count(1)

    async def update_one(self: Database, document: type[Document], filter: Raw, update: Raw, *, upsert: bool) -> int:  # noqa: A002 - MongoDB's own word
        if next(calls) > survived:
            raise DatabaseUnavailable
        return await real(self, document, filter, update, upsert=upsert)

    return update_one


async def test_a_run_that_broke_off_is_taken_up(
    any_database: Database, file: Run, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At any step: before the rows, between rows and checkpoint; counts and report come out as in one run."""
    path = file(*(person(n, birthDate="never" if n % 10 == 3 else "1990-01-01") for n in range(60)))
    for survived in (1, 2, 4):
        with monkeypatch.context() as patch:
            patch.setattr(Database, "update_one", failing_after(survived))
            with pytest.raises(DatabaseUnavailable):
                await run(path)
    summary = await run(path)
    assert summary.resumed_at is not None
    assert (summary.imported, summary.unchanged, summary.rejected) == (54, 0, 6)
    assert [entry["line"] for entry in report(tmp_path)] == [5, 15, 25, 35, 45, 55]
    assert await any_database.count(UserDocument, {}) == 54
