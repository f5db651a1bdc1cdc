"""The physical lines of a file, one at a time, each of bounded length and with its place."""

from __future__ import annotations

import gzip
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, TypeVar, cast

from models.errors import BadInput

T = TypeVar("T")

MAX_LINE: Final = 65_536  # bytes; a person with all fields has about a thousand
_BUFFER: Final = 1 << 18
_UTF8_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its number (from 1), its bytes with the line end (None: too long), where the next one starts."""

    number: int
    data: bytes | None
    end: int


class Lines:
    """Reads lines from a stream and takes lines back that turned out not to belong to a row."""

    def __init__(self, stream: BinaryIO, *, offset: int = 0, number: int = 1) -> None:
        self._stream = stream
        self._offset = offset
        self._number = number
        self._returned: deque[Line] = deque()

    def next(self) -> Line | None:
        """The next line, or None at the end."""
        if self._returned:
            return self._returned.popleft()
        data = _guarded(lambda: self._stream.readline(MAX_LINE + 1))
        if not data:
            return None
        self._offset += len(data)
        line = Line(self._number, self._skip_rest(data), self._offset)
        self._number += 1
        return line

    def give_back(self, lines: list[Line]) -> None:
        """Put lines back in front, in their order."""
        self._returned.extendleft(reversed(lines))

    def _skip_rest(self, data: bytes) -> bytes | None:
        if len(data) <= MAX_LINE or data.endswith(b"\n"):
            return data
        while data and not data.endswith(b"\n"):
            data = _guarded(lambda: self._stream.readline(MAX_LINE))
            self._offset += len(data)
        return None


def open_stream(path: Path, *, compressed: bool) -> tuple[BinaryIO, BinaryIO]:
    """The content of the file from its start (after a UTF-8 mark), and the file as it is stored.

    Raises `BadInput` for UTF-16.
    """
    raw = path.open("rb", buffering=_BUFFER)
    stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if compressed else raw
    start = _guarded(lambda: stream.read(len(_UTF8_MARK)))
    if start.startswith(_UTF16_MARKS):
        raw.close()
        raise BadInput("The file is in UTF-16. Save it as UTF-8.")
    seek(stream, len(_UTF8_MARK) if start == _UTF8_MARK else 0)
    return stream, raw


def seek(stream: BinaryIO, offset: int) -> None:
    """Go to a place in the (decompressed) content."""
    _guarded(lambda: stream.seek(offset))


def read_block(stream: BinaryIO, size: int) -> bytes:
    """At most `size` bytes of the content; none at its end."""
    return _guarded(lambda: stream.read(size))


def is_compressed(path: Path) -> bool:
    """Whether the file starts like gzip (RFC 1952)."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _guarded(read: Callable[[], T]) -> T:
    try:
        return read()
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise BadInput("The compressed file is damaged or cut off.") from None
