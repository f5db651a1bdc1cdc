"""An import seals what it brings, and brings nobody back who was erased (E1, E5, U5)."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
from rich.console import Console

from graph.commands.importing import ImportOptions, import_people
from models.base import PersonalDocument
from models.crypto.envelope import is_sealed
from models.database import Database
from models.importing.mapping import ColumnMapping
from models.importing.runner import Summary
from models.keystore.documents import DataKeyDocument
from models.keystore.keys import Keys
from models.registry import DOCUMENTS
from models.user import UserDocument
from tests.integration.sealing.holdings import HASH, raw
from tests.stores import clear, keys_of

HEAD: Final = ["id", "username", "email", "fullName", "birthDate", "passwordHash"]
_FILES: Final = count()


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """Writes a file of people whose names nobody else has."""

    def write(size: int, email: str | None = None) -> Path:
        name, text = f"f{next(_FILES)}", io.StringIO()
        rows = [
            [f"crm-{name}-{n}", f"{name}p{n}", email or f"{name}.{n}@old.example", f"P {n}", "1990-04-01"]
            for n in range(size)
        ]
        csv.writer(text).writerows([HEAD, *([*row, HASH] for row in rows)])
        path = tmp_path / f"{name}.csv"
        path.write_text(text.getvalue())
        return path

    return write


async def run(database: Database, path: Path, batch: int = 7) -> Summary:
    """Import a file."""
    options = ImportOptions(path, ColumnMapping(), path.with_suffix(".rejects"), batch=batch)
    return await import_people(database, options, region="eu", console=Console(file=io.StringIO()))


async def everybody(database: Database, path: Path) -> list[dict[str, Any]]:
    """The people that a file brought, as they are stored."""
    rows = raw(database, UserDocument).find({"username_key": {"$regex": f"^{path.stem}p"}})
    found: list[dict[str, Any]] = await rows.to_list(None)
    return found


async def test_what_is_imported_is_sealed(sealed: Database, file: Callable[..., Path]) -> None:
    """Every field of it that has to be, the key of their system of origin included."""
    path = file(3)
    await run(sealed, path)
    rows = await everybody(sealed, path)
    for row in rows:
        assert {name for name, value in row.items() if is_sealed(value)} == {
            "email",
            "full_name",
            "birth_date",
            "password_hash",
            "import_key",
        }
        assert "crm-" not in repr(row)
        await clear(sealed, UserDocument, row)
    assert {row["import_key"].rpartition("-")[2] for row in rows} == {"0", "1", "2"}
    assert {row["password_hash"] for row in rows} == {HASH}


async def test_keys_are_made_by_the_batch(
    sealed: Database, file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One write to the key store for each batch of people, not for each of them."""
    made: list[int] = []
    real = Keys.make

    async def make(self: Keys, people: list[str]) -> frozenset[str]:
        made.append(len(people))
        return await real(self, people)

    monkeypatch.setattr(Keys, "make", make)
    await run(sealed, file(20), batch=8)
    assert made == [8, 8, 4]


async def test_who_is_rejected_has_no_key(sealed: Database, file: Callable[..., Path]) -> None:
    """Keys are there for people only."""
    await run(sealed, file(1, email="taken.once@old.example"))
    before = await keys_of(sealed).database.count(DataKeyDocument, {})
    summary = await run(sealed, file(3, email="Taken.Once@old.example"))
    assert (summary.imported, summary.rejected) == (0, 3)
    assert await keys_of(sealed).database.count(DataKeyDocument, {}) == before


async def test_the_same_people_are_known_again(sealed: Database, file: Callable[..., Path]) -> None:
    """By their sealed key: the file may be run as often as one likes."""
    path = file(10)
    first, again = await run(sealed, path), await run(sealed, path)
    assert (first.imported, again.imported, again.unchanged) == (10, 0, 10)


async def test_who_was_erased_is_not_brought_back(sealed: Database, file: Callable[..., Path]) -> None:
    """By running the same file again: neither their row nor a key of theirs."""
    path = file(5)
    await run(sealed, path)
    ann = (await everybody(sealed, path))[2]["_id"]
    for kind in DOCUMENTS:
        if issubclass(kind, PersonalDocument):
            await sealed.delete_many(kind, {kind.PERSON: ann})
    assert sealed.sealing is not None
    await sealed.sealing.erase(ann)
    summary = await run(sealed, path)
    assert (summary.imported, summary.unchanged, summary.rejected) == (0, 5, 0)
    assert ann not in {row["_id"] for row in await everybody(sealed, path)}
    assert await keys_of(sealed).database.count(DataKeyDocument, {"_id": ann}) == 0
