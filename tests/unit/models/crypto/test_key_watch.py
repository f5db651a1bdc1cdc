"""The key file is changed while the service runs."""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from models.crypto.key_file import KeyWatch, change, load_or_create
from models.crypto.signing import SigningKey, SigningRing
from models.errors import BadInput, ConfigurationError

AHEAD, OVERLAP = timedelta(hours=1), timedelta(minutes=15)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with one key."""
    file = tmp_path / "keys" / "signing.json"
    load_or_create(file)
    return file


def rotated(ring: SigningRing) -> SigningRing:
    """With one key more."""
    return ring.rotated(datetime.now(UTC), ahead=AHEAD, overlap=OVERLAP)


def added(ring: SigningRing) -> SigningRing:
    """With another key in front."""
    return SigningRing((SigningKey.generate(), *ring.keys))


def test_a_change_is_read_back_with_its_times(path: Path) -> None:
    """Mode and folder stay as they were."""
    written, read = change(path, rotated), load_or_create(path)
    times = [(key.kid, key.signs_from, key.retires_at) for key in written.keys]
    assert [(key.kid, key.signs_from, key.retires_at) for key in read.keys] == times
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_changes_at_once_all_count(path: Path) -> None:
    """Each waits for the one before it."""
    threads = [threading.Thread(target=change, args=(path, added)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(load_or_create(path).keys) == 13


def test_a_change_that_is_refused_leaves_the_file(path: Path) -> None:
    """With nothing beside it."""
    change(path, rotated)
    before = path.read_bytes()
    with pytest.raises(BadInput):
        change(path, rotated)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("time", ["soon", "2026-03-01T12:00:00", 7, None, {}])
def test_a_time_that_is_none_stops_the_start(path: Path, time: object) -> None:
    """Also one without a zone."""
    keys = json.loads(path.read_text())["keys"]
    path.write_text(json.dumps({"keys": [{**keys[0], "retires_at": time}]}))
    with pytest.raises(ConfigurationError, match="not a ring"):
        load_or_create(path)


async def test_what_has_changed_is_handed_on_once(path: Path) -> None:
    """And what has not is not read."""
    seen: list[SigningRing] = []
    watch = KeyWatch(path, seen.append)
    for _ in range(3):
        await watch.look()
    assert len(seen) == 1
    ring = change(path, rotated)
    for _ in range(3):
        await watch.look()
    assert len(seen) == 2
    assert seen[1].jwks() == ring.jwks()


def spoil(path: Path, content: str | None) -> bytes:
    """Make the file unusable: by another content, or by letting others read it. Returns what it held."""
    good = path.read_bytes()
    path.write_bytes(good + b" " if content is None else content.encode())
    path.chmod(0o644 if content is None else 0o600)
    return good


def mend(path: Path, good: bytes) -> None:
    """Make it usable again, and not quite the same."""
    path.chmod(0o600)
    path.write_bytes(good + b"  ")


@pytest.mark.parametrize("content", ["", "{", '{"keys": []}', None], ids=str)
async def test_a_file_that_cannot_be_used_leaves_the_keys(path: Path, content: str | None) -> None:
    """They are read again as soon as it can."""
    seen: list[SigningRing] = []
    twice = asyncio.Event()

    def use(ring: SigningRing) -> None:
        seen.append(ring)
        if len(seen) == 2:
            twice.set()

    watch = KeyWatch(path, use, seconds=0.01)
    await watch.look()
    good = spoil(path, content)
    with pytest.raises(ConfigurationError):
        await watch.look()
    await watch.start()
    mend(path, good)
    async with asyncio.timeout(30):
        await twice.wait()
    await watch.stop()
    assert seen[1].jwks() == seen[0].jwks()


async def test_a_missing_file_leaves_the_keys(tmp_path: Path) -> None:
    """It may be on its way."""
    seen: list[SigningRing] = []
    await KeyWatch(tmp_path / "none", seen.append).look()
    assert seen == []
