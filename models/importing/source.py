"""Rows of a CSV or JSON Lines file, one at a time; a broken line is a rejection, not the end.

CSV is that of RFC 4180 with the separators comma, semicolon, tab or bar. A quote that is opened and
not closed would swallow the rest of the file: when a row of several lines does not hold together,
only its first line is rejected and reading goes on with the second.
"""

from __future__ import annotations

import csv
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Self

import orjson

from models.errors import BadInput
from models.importing.lines import MAX_LINE, Line, Lines, is_compressed, open_stream, seek
from models.importing.mapping import ColumnMapping
from models.importing.rejection import Refused, RejectCode

MAX_ROW_LINES: Final = 50
_SEPARATORS: Final = ",;\t|"
_UNFINISHED: Final = "unexpected end of data"  # what csv says when a quoted cell is still open


class Format(StrEnum):
    """The formats that can be read."""

    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class Record:
    """One row: the line it starts at, its cells by field, or why it cannot be read; and where the next one starts.

    `twice` names the field that two keys of the row mean.
    """

    line: int
    cells: Mapping[str, Any] | None
    problem: RejectCode | None
    offset: int
    next_line: int
    twice: str | None = None


class Source(ABC):
    """An open file of `size` bytes as stored."""

    def __init__(self, path: Path, mapping: ColumnMapping) -> None:
        self.size = path.stat().st_size
        self.mapping = mapping
        self._stream, self._stored = open_stream(path, compressed=is_compressed(path))
        self._lines = Lines(self._stream, offset=self._stream.tell())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._stream.close()
        self._stored.close()

    def position(self) -> int:
        """How many bytes of the stored file have been read, ahead of the rows by a buffer."""
        return self._stored.tell()

    def resume(self, offset: int, line: int) -> None:
        """Go on at the row that starts at `offset`, on line `line`."""
        seek(self._stream, offset)
        self._lines = Lines(self._stream, offset=offset, number=line)

    def records(self) -> Iterator[Record]:
        """The rows from here on; empty lines are passed over."""
        while (line := self._lines.next()) is not None:
            if line.data is None:
                yield _broken(line, RejectCode.LINE_TOO_LONG)
            elif b"\x00" in line.data:
                yield _broken(line, RejectCode.NUL_BYTE)
            elif line.data.strip():
                yield self._record(line, line.data)

    @abstractmethod
    def _record(self, line: Line, data: bytes) -> Record:
        """The row that starts with `line`."""


class JsonLinesSource(Source):
    """One JSON object per line; objects one level down are read as `address.city`."""

    def _record(self, line: Line, data: bytes) -> Record:
        try:
            row = orjson.loads(data)
        except orjson.JSONDecodeError:
            return _broken(line, RejectCode.BAD_JSON if _is_utf8(data) else RejectCode.BAD_ENCODING)
        if not isinstance(row, dict):
            return _broken(line, RejectCode.NOT_AN_OBJECT)
        cells: dict[str, Any] = {}
        for name, value in _flat(row):
            target = self.mapping.target(name)
            if target is None:
                continue
            if target in cells:
                return _broken(line, RejectCode.AMBIGUOUS, target)
            cells[target] = value
        return Record(line.number, cells, None, line.end, line.number + 1)


class CsvSource(Source):
    """Rows under a first line that names the columns."""

    def __init__(self, path: Path, mapping: ColumnMapping) -> None:
        super().__init__(path, mapping)
        first = self._lines.next()
        try:
            header = (first.data if first and first.data else b"").decode()
            self._separator = max(_SEPARATORS, key=header.count)
            names = self._parse([header])
        except (UnicodeDecodeError, Refused):
            self.close()
            raise BadInput("The first line is no list of column names in UTF-8.") from None
        self._width = len(names)
        try:
            self._columns = mapping.columns(names)
        except BadInput:
            self.close()
            raise

    def _record(self, line: Line, data: bytes) -> Record:
        try:
            row = self._parse([data.decode()])
        except UnicodeDecodeError:
            return _broken(line, RejectCode.BAD_ENCODING)
        except Refused as refused:
            if refused.code is RejectCode.UNBALANCED_QUOTES:
                return self._long_record(line)
            return _broken(line, refused.code)
        if len(row) != self._width:
            return _broken(line, RejectCode.WRONG_COLUMN_COUNT)
        return self._mapped(line, line, row)

    def _long_record(self, first: Line) -> Record:
        """The row of several lines that starts with `first`, or its rejection with the other lines given back."""
        taken: list[Line] = []
        texts = [(first.data or b"").decode()]
        size = len(texts[0])
        while len(taken) < MAX_ROW_LINES and size <= MAX_LINE and (line := self._lines.next()) is not None:
            taken.append(line)
            text = _text(line)
            if text is None:
                break
            texts.append(text)
            size += len(text)
            if '"' not in text:
                continue  # cannot end a quoted cell
            try:
                row = self._parse(texts)
            except Refused as refused:
                if refused.code is RejectCode.UNBALANCED_QUOTES:
                    continue
                break
            if len(row) == self._width:
                return self._mapped(first, line, row)
            break
        self._lines.give_back(taken)
        return _broken(first, RejectCode.UNBALANCED_QUOTES)

    def _parse(self, texts: list[str]) -> list[str]:
        try:
            rows = list(csv.reader(texts, delimiter=self._separator, strict=True))
        except csv.Error as error:
            unfinished = str(error) == _UNFINISHED
            raise Refused(RejectCode.UNBALANCED_QUOTES if unfinished else RejectCode.BAD_CSV) from None
        if len(rows) != 1:
            raise Refused(RejectCode.BAD_CSV)
        return rows[0]

    def _mapped(self, first: Line, last: Line, row: list[str]) -> Record:
        cells = {target: row[position] for position, target in self._columns}
        return Record(first.number, cells, None, last.end, last.number + 1)


def open_source(path: Path, mapping: ColumnMapping, format: Format | None = None) -> Source:  # noqa: A002 - the option's own word
    """Open a file by its format, or by its name (`.csv`, `.jsonl`, `.ndjson`, each also with `.gz`).

    Raises `BadInput` when the format is unknown or the file cannot be read as it.
    """
    name = path.name.lower().removesuffix(".gz")
    if format is Format.CSV or (format is None and name.endswith((".csv", ".tsv"))):
        return CsvSource(path, mapping)
    if format is Format.JSONL or (format is None and name.endswith((".jsonl", ".ndjson", ".json"))):
        return JsonLinesSource(path, mapping)
    raise BadInput("The name of the file does not say its format. Say it: --format csv or --format jsonl.")


def _broken(line: Line, problem: RejectCode, twice: str | None = None) -> Record:
    return Record(line.number, None, problem, line.end, line.number + 1, twice)


def _text(line: Line) -> str | None:
    if line.data is None or b"\x00" in line.data:
        return None
    try:
        return line.data.decode()
    except UnicodeDecodeError:
        return None


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _flat(row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{inner}", item) for inner, item in value.items())
        else:
            yield name, value
