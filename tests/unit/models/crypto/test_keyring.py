"""The file of root keys: made once, kept private, apart from the data, read anew for each use."""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path
from typing import Final

import pytest

from models.crypto.envelope import SealBroken
from models.crypto.keyring import Keyring, KeyringFile
from models.crypto.roots import RootKeyMissing, RootKeys, RootKeysUnavailable, Wrapped
from models.crypto.wrapping import KeyKind, KeyName
from models.errors import BadInput, ConfigurationError

NAME: Final = KeyName(KeyKind.ENCRYPTION, "eu", 1)
SECRET: Final = bytes(range(32))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the root keys of a fresh installation go."""
    return tmp_path / "keyring" / "root.json"


@pytest.fixture
def file(path: Path, tmp_path: Path) -> KeyringFile:
    """The provider, not started yet."""
    return KeyringFile(path, apart_from=tmp_path / "data")


def test_the_first_start_makes_a_key_that_stays(file: KeyringFile, path: Path) -> None:
    """Mode 0600 inside 0700, with no leftovers beside it."""
    assert file.load_or_create().to_bytes() == file.load_or_create().to_bytes() == file.load().to_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_a_later_start_makes_none(file: KeyringFile, path: Path) -> None:
    """A new root key opens nothing that was wrapped before: a missing file is said, not replaced."""
    with pytest.raises(ConfigurationError, match="cannot be read"):
        file.load()
    assert not path.exists()


def test_workers_that_start_together_end_with_one_key(file: KeyringFile, path: Path) -> None:
    """Sixteen at once, from an empty folder."""
    rings: list[Keyring] = []
    barrier = threading.Barrier(16)

    def start() -> None:
        barrier.wait()
        rings.append(file.load_or_create())

    threads = [threading.Thread(target=start) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rings) == 16
    assert len({ring.to_bytes() for ring in rings}) == 1
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "inside", ["data/root.json", "data/keys/root.json", "data/../data/root.json", "link/root.json"]
)
def test_inside_the_data_folder_it_is_refused(tmp_path: Path, inside: str) -> None:
    """Also by a detour or a link: a copy of the data would bring its key along."""
    data = tmp_path / "data"
    data.mkdir()
    (tmp_path / "link").symlink_to(data)
    file = KeyringFile(tmp_path / inside, apart_from=data)
    for work in (file.load, file.load_or_create, lambda: file.change(Keyring.rotated)):
        with pytest.raises(ConfigurationError, match="inside the data folder"):
            work()
    assert list(data.iterdir()) == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
async def test_a_file_that_others_reach_is_refused(file: KeyringFile, path: Path, mode: int) -> None:
    """At the start and later; the message has the mending command."""
    file.load_or_create()
    os.chmod(path, mode)  # noqa: PTH101 - like its method, which may not be called from a coroutine
    with pytest.raises(ConfigurationError, match=f"chmod 600 {path}"):
        file.load_or_create()
    with pytest.raises(RootKeysUnavailable, match=f"chmod 600 {path}"):
        await file.wrap(NAME, SECRET)


@pytest.mark.parametrize("mode", [0o750, 0o707, 0o777])
def test_a_folder_that_others_reach_is_refused(file: KeyringFile, path: Path, mode: int) -> None:
    """Whoever writes in the folder could put another file there."""
    file.load_or_create()
    path.parent.chmod(mode)
    with pytest.raises(ConfigurationError, match=f"chmod 700 {path.parent}"):
        file.load_or_create()


def spoiled(content: str) -> list[str]:
    """Contents that are no keyring, from one that is."""
    [key] = json.loads(content)["keys"]
    other = json.loads(Keyring.from_bytes(content.encode()).rotated().to_bytes())["keys"][1]
    records: list[object] = [
        {**key, "k": other["k"]},
        {**key, "k": key["k"][:-4]},
        {**key, "kty": "OKP"},
        {**key, "kid": "2" + key["kid"][1:]},
        {**key, "kid": "0" + key["kid"][1:]},
        {**key, "kid": "x"},
        {**key, "kid": 7},
        {name: value for name, value in key.items() if name != "k"},
        "x",
        None,
    ]
    lists: list[object] = [[], [key, key], "x", None, *([record] for record in records)]
    return ["", "{", "[]", "null", "\ud800", *(json.dumps({"keys": each}) for each in lists)]


def test_a_broken_file_stops_the_start_and_stays(file: KeyringFile, path: Path) -> None:
    """It is never replaced in silence: what is encrypted would be lost. No message shows a key."""
    content = file.load_or_create().to_bytes().decode()
    for spoil in spoiled(content):
        path.write_text(spoil, "utf-8", errors="surrogatepass")
        with pytest.raises(ConfigurationError, match="not a ring of root keys") as caught:
            file.load_or_create()
        assert caught.value.__context__ is None
        assert path.read_bytes() == spoil.encode("utf-8", "surrogatepass")


async def test_what_it_wraps_it_unwraps(file: KeyringFile) -> None:
    """As any provider does."""
    provider: RootKeys = file
    file.load_or_create()
    wrapped = await provider.wrap(NAME, SECRET)
    versions = await provider.versions()
    assert (wrapped.root, versions.alive) == (versions.current, (versions.current,))
    assert await provider.unwrap(NAME, wrapped) == SECRET
    for name in (
        KeyName(KeyKind.ENCRYPTION, "eu", 2),
        KeyName(KeyKind.ENCRYPTION, "us", 1),
        KeyName(KeyKind.DATA, "eu", 1),
    ):
        with pytest.raises(SealBroken):
            await provider.unwrap(name, wrapped)


async def test_a_rotation_is_seen_at_once_and_retires_later(file: KeyringFile, path: Path, tmp_path: Path) -> None:
    """By a worker that started before it, too."""
    file.load_or_create()
    before = await file.wrap(NAME, SECRET)
    KeyringFile(path, apart_from=tmp_path / "data").change(Keyring.rotated)
    after = await file.wrap(NAME, SECRET)
    versions = await file.versions()
    assert versions.alive == (before.root, after.root)
    assert versions.current == after.root
    assert [await file.unwrap(NAME, each) for each in (before, after)] == [SECRET, SECRET]
    file.change(lambda ring: ring.without(before.root))
    assert await file.unwrap(NAME, after) == SECRET
    with pytest.raises(RootKeyMissing, match=before.root):
        await file.unwrap(NAME, before)


def test_the_key_in_use_is_not_retired(file: KeyringFile, path: Path) -> None:
    """Nor one that is not there; the file stays."""
    ring = file.load_or_create()
    before = path.read_bytes()
    for name in (ring.keys[0].name, "9-00000000"):
        with pytest.raises(BadInput):
            file.change(lambda ring, name=name: ring.without(name))  # type: ignore[misc]  # mypy sees no defaults
    assert path.read_bytes() == before


async def test_another_installations_first_key_is_not_taken_for_this_one(file: KeyringFile, tmp_path: Path) -> None:
    """Both are version 1; the error says which one is missing and where it was looked for."""
    file.load_or_create()
    other = KeyringFile(tmp_path / "other" / "root.json", apart_from=tmp_path / "data")
    other.load_or_create()
    wrapped = await other.wrap(NAME, SECRET)
    with pytest.raises(RootKeyMissing, match=f"{wrapped.root}.*{tmp_path}"):
        await file.unwrap(NAME, wrapped)
    mine = (await file.versions()).current
    with pytest.raises(SealBroken):
        await file.unwrap(NAME, Wrapped(mine, wrapped.blob))


async def test_a_file_that_goes_away_is_said(file: KeyringFile, path: Path) -> None:
    """With a code of its own, and works again when it is back."""
    file.load_or_create()
    os.rename(path, f"{path}.away")  # noqa: PTH104 - like its method, which may not be called from a coroutine
    for work in (file.versions(), file.wrap(NAME, SECRET), file.unwrap(NAME, Wrapped("1-00000000", b""))):
        with pytest.raises(RootKeysUnavailable) as caught:
            await work
        assert caught.value.code == "KEYS_UNAVAILABLE"
    os.rename(f"{path}.away", path)  # noqa: PTH104 - like its method, which may not be called from a coroutine
    await file.versions()
