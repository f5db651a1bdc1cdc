"""The report of rejected rows: JSON Lines with line, code and field, and never a value."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import orjson

from models.errors import BadInput
from models.importing.rejection import Rejection


class RejectsFile:
    """Written as the import goes; made when there is something to report.

    `size` is how much of it a resumed run keeps: what was written after the last checkpoint is cut
    off, since those rows are read again. Raises `BadInput` when the place cannot be written to.
    """

    def __init__(self, path: Path, *, size: int = 0) -> None:
        self.path = path
        self._file: BinaryIO | None = None
        with _writable():
            self.size = min(size, path.stat().st_size) if path.exists() else 0
            if path.exists():
                os.truncate(path, self.size)

    def write(self, rejections: Iterable[Rejection]) -> None:
        """Append, and return when it is on the disk."""
        text = b"".join(orjson.dumps(_entry(rejection)) + b"\n" for rejection in rejections)
        if not text:
            return
        with _writable():
            if self._file is None:
                self._file = self.path.open("ab")
            self._file.write(text)
            self._file.flush()
            os.fsync(self._file.fileno())
        self.size += len(text)

    def close(self) -> None:
        """Let go of the file; one that stayed empty is removed."""
        if self._file is not None:
            self._file.close()
        elif self.size == 0:
            self.path.unlink(missing_ok=True)


@contextmanager
def _writable() -> Iterator[None]:
    try:
        yield
    except OSError:
        raise BadInput("The report of rejected rows cannot be written. Choose another place: --rejects FILE.") from None


def _entry(rejection: Rejection) -> dict[str, object]:
    entry: dict[str, object] = {"line": rejection.line, "code": rejection.code.value}
    if rejection.field is not None:
        entry["field"] = "id" if rejection.field == "import_key" else rejection.field
    return entry
