"""What the service notes about its own work. Nothing here is personal data."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from beanie import Document
from pydantic import Field
from pymongo import IndexModel

from models.base import now


class MarkerDocument(Document):
    """Something that is done once, or in turns (`times`), and when it was first; `id` says what."""

    id: str  # type: ignore[assignment]  # Beanie's own default is an ObjectId
    at: datetime = Field(default_factory=now)
    times: int = 1

    class Settings:
        name = "markers"
        indexes: ClassVar[list[IndexModel]] = []


class ImportDocument(Document):
    """How far one import has come; `id` is a digest of the file's content and of how it is read.

    `offset` (bytes, decompressed) and `line` are where the next row starts, `rejects_size` is the
    length of the report so far, `repeated` says that the file was imported before. Counts are rows;
    `codes` counts rejections by code.
    """

    id: str  # type: ignore[assignment]  # Beanie's own default is an ObjectId
    offset: int = 0
    line: int = 1
    imported: int = 0
    unchanged: int = 0
    rejected: int = 0
    codes: dict[str, int] = Field(default_factory=dict)
    rejects_size: int = 0
    repeated: bool = False
    started_at: datetime = Field(default_factory=now)
    updated_at: datetime = Field(default_factory=now)
    finished_at: datetime | None = None

    class Settings:
        name = "imports"
        indexes: ClassVar[list[IndexModel]] = []
