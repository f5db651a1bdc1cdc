"""Nothing that is printed, copied, sent or traced back shows a key or a value."""

from __future__ import annotations

import copy
import pickle
import traceback
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from models.crypto.blind_index import BlindIndex, Pepper
from models.crypto.envelope import DataKey, DataKeys, Page, SealBroken
from models.crypto.keyring import Keyring, KeyringFile, RootKey
from models.crypto.wrapping import KeyKind, KeyName, WrappingKey
from models.errors import ConfigurationError
from tests.bindings import Binding, seal, unseal

SECRET: Final = b"0123456789 is the key of no one."
TEXT: Final = b"Rosencrantz and Guildenstern"
HERE: Final = Binding("eu", "users", "usr_eu_1", "usr_eu_1", "email")
NAME: Final = KeyName(KeyKind.DATA, "eu", 1, "usr_eu_1")
KEY, WRAPPING = DataKey(SECRET, 1), WrappingKey(SECRET, 1)
HOLDERS: Final[list[object]] = [
    KEY,
    DataKeys([KEY]),
    WRAPPING,
    Pepper(SECRET, 1),
    BlindIndex("eu", "users", "email", [Pepper(SECRET, 1)], str),
    RootKey(1, SECRET),
    Keyring((RootKey(1, SECRET),)),
    Page([], [DataKeys([KEY])]),
]
IDS: Final = [type(holder).__name__ for holder in HOLDERS]


def shows(text: str) -> bool:
    """Whether `text` has the key or the value, in any spelling that a program prints by itself."""
    spellings = []
    for secret in (SECRET, TEXT):
        spellings += [secret.decode(), secret.hex(), repr(secret)[2:-1], str(list(secret))[1:-1]]
        spellings += [b64encode(secret).decode().rstrip("="), urlsafe_b64encode(secret).decode().rstrip("=")]
    return any(spelling in text for spelling in spellings)


def test_the_detector_detects() -> None:
    """Or the tests below could not fail."""
    assert all(map(shows, [f"{SECRET!r}", TEXT.decode(), f"x{SECRET.hex()}", str([list(SECRET)])]))
    assert not shows(repr(KEY))


@pytest.mark.parametrize("holder", HOLDERS, ids=IDS)
def test_no_key_is_printed(holder: object) -> None:
    """Alone, in a list, in a log line."""
    assert not any(map(shows, [repr(holder), str(holder), f"{holder}", repr([holder]), f"{holder!a}"]))


@pytest.mark.parametrize("holder", HOLDERS, ids=IDS)
def test_no_key_is_copied_or_sent(holder: object) -> None:
    """To a queue, a cache or another process."""
    ways: list[Callable[[object], object]] = [pickle.dumps, copy.copy, copy.deepcopy]
    for way in ways:
        with pytest.raises(TypeError, match="not copied or pickled"):
            way(holder)


@pytest.mark.parametrize("holder", HOLDERS[:3], ids=IDS[:3])
def test_a_key_that_is_kept_has_no_bytes(holder: object) -> None:
    """A dump of Python's objects finds the cipher, not what it was made of."""
    seen: list[object] = [holder]
    for each in seen:
        names = [name for kind in type(each).__mro__ for name in getattr(kind, "__slots__", ())]
        inside = [getattr(each, name) for name in names] + (list(each.values()) if isinstance(each, dict) else [])
        seen += [one for one in inside if not any(one is other for other in seen)]
    assert len(seen) > 2
    assert SECRET not in seen


def traced(work: Callable[[], object], error: type[Exception]) -> str:
    """The traceback of what `work` raises, with the values of all variables but the test's own."""
    with pytest.raises(error) as caught:
        work()
    frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    frames.stack[:] = [frame for frame in frames.stack if frame.filename != __file__]
    assert caught.value.__context__ is None
    assert frames.stack
    return "".join(frames.format())


def test_a_value_that_does_not_open_shows_nothing() -> None:
    """Nor does what was wrapped; an error can be sent on."""
    sealed, wrapped = seal(KEY, HERE, TEXT), WRAPPING.wrap(NAME, SECRET)
    other = Binding("eu", "users", "usr_eu_2", "usr_eu_2", "email")
    assert not shows(traced(lambda: unseal(KEY, other, sealed), SealBroken))
    assert not shows(traced(lambda: DataKeys([KEY]).open_at(other.row, other.column, sealed), SealBroken))
    assert not shows(traced(lambda: WRAPPING.unwrap(KeyName(KeyKind.DATA, "us", 1), wrapped), SealBroken))
    again = pickle.loads(pickle.dumps(SealBroken()))  # noqa: S301 - made on the line itself
    assert (again.code, again.message) == ("SEAL_BROKEN", SealBroken().message)


def test_a_broken_file_shows_nothing(tmp_path: Path) -> None:
    """A keyring with one comma missing is a likely mistake of whoever edits it."""
    file = KeyringFile(tmp_path / "keys" / "root.json", apart_from=tmp_path / "data")
    file.load_or_create()
    path = tmp_path / "keys" / "root.json"
    path.write_bytes(Keyring((RootKey(1, SECRET),)).to_bytes()[:-1])
    assert not shows(traced(file.load, ConfigurationError))
    assert not shows(traced(lambda: file.change(Keyring.rotated), ConfigurationError))
