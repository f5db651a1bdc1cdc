"""The journal of destroyed keys: a line for each, on the disk when that is said, and read as long as it is whole."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from models.errors import ConfigurationError
from models.keystore.journal import Journal, Tomb

AT = datetime(2026, 3, 4, 5, 6, 7, 890000, tzinfo=UTC)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """In a folder that is not there yet."""
    return Journal(tmp_path / "apart" / "destroyed.jsonl")


def test_there_need_be_none(journal: Journal) -> None:
    """Before the first one is destroyed; reading makes no file."""
    assert journal.read() == []
    assert not journal.path.exists()


async def test_what_was_noted_is_read(journal: Journal) -> None:
    """In its order, with its moments, by whoever opens the file next."""
    await journal.add("usr_eu_a", AT)
    await journal.add("usr_eu_b", AT.astimezone(timezone(timedelta(hours=5))))
    assert Journal(journal.path).read() == [Tomb("usr_eu_a", AT), Tomb("usr_eu_b", AT)]


async def test_a_line_is_json_and_says_who_and_when(journal: Journal) -> None:
    """Nothing else: no key, no name."""
    await journal.add("usr_eu_a", AT)
    [line] = filter(None, journal.path.read_text().split("\n"))
    assert json.loads(line) == {"person": "usr_eu_a", "at": "2026-03-04T05:06:07.890000+00:00"}


async def test_others_cannot_read_it(journal: Journal) -> None:
    """It says who was a customer: mode 0600, in a folder of mode 0700."""
    await journal.add("usr_eu_a", AT)
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(journal.path.parent.stat().st_mode) == 0o700


async def test_it_is_on_the_disk_on_return(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written first, then flushed: a machine that stops right after has it."""
    seen: list[str] = []
    monkeypatch.setattr("models.keystore.journal.os.fsync", lambda _file: seen.append(journal.path.read_text()))
    await journal.add("usr_eu_a", AT)
    assert seen == [journal.path.read_text()]
    assert "usr_eu_a" in seen[0]


@pytest.mark.parametrize("left", ['{"person": "usr_eu_x", "at": "2026-03', '{"pers', "{", '{"person": "usr_eu_x"'])
async def test_a_torn_last_line_counts_for_nothing(journal: Journal, left: str) -> None:
    """A crash left it, so nobody was told of it; the next line is whole all the same."""
    await journal.add("usr_eu_a", AT)
    with journal.path.open("a") as file:
        file.write(left)
    assert [tomb.person for tomb in journal.read()] == ["usr_eu_a"]
    await journal.add("usr_eu_b", AT)
    assert [tomb.person for tomb in journal.read()] == ["usr_eu_a", "usr_eu_b"]


@pytest.mark.parametrize("size", range(1, 60))
async def test_wherever_it_is_cut_the_rest_is_read(journal: Journal, size: int) -> None:
    """The disk was full, say: what came before is there, and never somebody else."""
    await journal.add("usr_eu_a", AT)
    whole = journal.path.read_bytes()
    await journal.add("usr_eu_b", AT)
    journal.path.write_bytes(journal.path.read_bytes()[: len(whole) + size])
    assert [tomb.person for tomb in journal.read()] == ["usr_eu_a"]


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        '{"person": "usr_eu_x"}',
        '{"at": "2026-03-04T05:06:07+00:00"}',
        '{"person": "usr_eu_x", "at": "yesterday"}',
        '{"person": "usr_eu_x", "at": 7}',
        '{"person" "usr_eu_x", "at": "2026-03-04T05:06:07+00:00"}',
    ],
)
async def test_a_damaged_line_is_said(journal: Journal, line: str) -> None:
    """A whole line that cannot be read may be anybody's: nothing goes on, the place is named, its content is not."""
    await journal.add("usr_eu_a", AT)
    with journal.path.open("a") as file:
        file.write(f"{line}\n")
    await journal.add("usr_eu_b", AT)
    with pytest.raises(ConfigurationError, match="is damaged in line 3") as caught:
        journal.read()
    assert str(journal.path) in caught.value.message
    assert "usr_eu_x" not in caught.value.message
    assert caught.value.__cause__ is None


async def test_many_at_once_keep_apart(journal: Journal) -> None:
    """Workers and commands note at the same moment; every line comes out whole."""
    people = [f"usr_eu_{number:026}" for number in range(200)]
    await asyncio.gather(*(Journal(journal.path).add(person, AT) for person in people))
    assert sorted(tomb.person for tomb in journal.read()) == people


async def test_one_that_cannot_be_written_or_read_is_said(tmp_path: Path) -> None:
    """What stands in its place is no folder, and no file of text."""
    (tmp_path / "apart").write_text("a file")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        await Journal(tmp_path / "apart" / "destroyed.jsonl").add("usr_eu_a", AT)
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Journal(tmp_path / "folder").read()
    (tmp_path / "bytes").write_bytes(b"\xff\xfe{}")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Journal(tmp_path / "bytes").read()


async def test_half_a_line_is_no_line(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk took a part of it only: that is said, as the person would come back with a backup."""
    real = os.write
    monkeypatch.setattr("models.keystore.journal.os.write", lambda file, data: real(file, data[: len(data) // 2]))
    with pytest.raises(ConfigurationError, match="cannot be written"):
        await journal.add("usr_eu_a", AT)


async def test_it_is_only_ever_added_to(journal: Journal) -> None:
    """What was there stays byte for byte, also what it does not understand."""
    await journal.add("usr_eu_a", AT)
    before = journal.path.read_bytes()
    await journal.add("usr_eu_a", AT)
    assert journal.path.read_bytes().startswith(before)
    assert len(journal.read()) == 2
