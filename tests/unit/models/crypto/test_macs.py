"""The key for authentication codes: made once, kept from others, and never shown."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.crypto.macs import MacKey, load_or_create_mac_key
from models.errors import ConfigurationError

KEY = MacKey.generate()
PARTS = st.lists(st.text(max_size=5), max_size=4)


@given(PARTS, PARTS)
def test_other_parts_have_another_code(one: list[str], other: list[str]) -> None:
    """Wherever the borders between them are."""
    assert (KEY.mac(*one) == KEY.mac(*other)) == (one == other)


def test_another_key_makes_another_code() -> None:
    """43 characters of base64url."""
    code = KEY.mac("a", "\ud800")
    assert len(code) == 43
    assert MacKey.generate().mac("a", "\ud800") != code


def test_workers_that_start_together_have_one_key(tmp_path: Path) -> None:
    """In a file that only its owner reads."""
    path = tmp_path / "keys" / "throttle.key"
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: load_or_create_mac_key(path), range(16)))
    assert len({key.mac("x") for key in keys}) == 1
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)) == (0o600, 0o700)
    assert os.listdir(path.parent) == ["throttle.key"]  # noqa: PTH208 - names are what counts


@pytest.mark.parametrize("content", [b"", b"short", b"A" * 44, b"\xff\xfe", b"A" * 42 + b"!"])
def test_what_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    """Before anything is counted by it; the message holds nothing of the file."""
    path = tmp_path / "throttle.key"
    tmp_path.chmod(0o700)
    path.touch(0o600)
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as refused:
        load_or_create_mac_key(path)
    assert "holds no key" in refused.value.message


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """With what to do about it."""
    path = tmp_path / "keys" / "throttle.key"
    load_or_create_mac_key(path)
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        load_or_create_mac_key(path)


def test_a_key_does_not_show() -> None:
    """Neither in a log nor in an error."""
    assert repr(KEY) == str(KEY) == "MacKey()"
