"""A file beside the databases that notes destroyed keys, so that no backup of them brings anybody back.

One line of JSON for each, only ever added to; it holds identifiers and moments, and nothing secret.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from models.crypto.private_file import FILE_MODE, FOLDER_MODE
from models.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Tomb:
    """Whose key was destroyed, and when."""

    person: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Journal:
    """The file at `path`."""

    path: Path

    async def add(self, person: str, at: datetime) -> None:
        """Note one; on return it is on the disk. Raises `ConfigurationError` when it cannot be written."""
        await asyncio.to_thread(self._add, json.dumps({"person": person, "at": at.isoformat()}))

    def read(self) -> list[Tomb]:
        """All that were noted; none where there is no file yet. Raises `ConfigurationError` for a damaged one."""
        try:
            text = self.path.read_text() if self.path.exists() else ""
        except (OSError, UnicodeError):
            raise self._problem("cannot be read") from None
        return list(self._tombs(text))

    def _tombs(self, text: str) -> Iterator[Tomb]:
        for number, line in enumerate(text.split("\n"), 1):
            if not line.endswith("}"):
                continue  # what a crash left of a line was not acknowledged to anybody
            try:
                noted = json.loads(line)
                yield Tomb(str(noted["person"]), datetime.fromisoformat(noted["at"]).astimezone(UTC))
            except (ValueError, KeyError, TypeError):
                raise self._problem(f"is damaged in line {number}") from None

    def _add(self, line: str) -> None:
        try:
            self.path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, FILE_MODE)
            data = f"\n{line}\n".encode()  # what may be left of a line ends here
            try:
                whole = os.write(descriptor, data) == len(data)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError:
            raise self._problem("cannot be written") from None
        if not whole:
            raise self._problem("cannot be written: the disk took a part of a line")

    def _problem(self, what: str) -> ConfigurationError:
        return ConfigurationError(
            f"The journal of destroyed keys {self.path} {what}. It keeps backups from undoing them."
        )
