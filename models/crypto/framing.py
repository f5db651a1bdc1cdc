"""Joining parts to one string of bytes so that no two lists of parts read the same."""

from __future__ import annotations

from typing import Final

LENGTH_BYTES: Final = 4


def framed(*parts: str | bytes) -> bytes:
    """Each part with its length in bytes before it (4 bytes, big-endian); text is UTF-8.

    What is framed can be read back in one way only, so different lists never give the same bytes, as plain
    concatenation would ("ab", "c" and "a", "bc"). `framed(a) + framed(b) == framed(a, b)`: what many lists
    begin with is framed once. Raises `UnicodeEncodeError` for a lone surrogate, `OverflowError` from 4 GiB on.
    """
    encoded = [part.encode() if isinstance(part, str) else part for part in parts]
    return b"".join([frame(part) + part for part in encoded])


def frame(part: bytes) -> bytes:
    """What stands before `part`."""
    return len(part).to_bytes(LENGTH_BYTES, "big")
