"""Who was erased. It says no more of a person than an identifier that nobody has any longer."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from beanie import Document
from pydantic import Field
from pymongo import IndexModel

from models.base import now


class ErasureDocument(Document):
    """That the rows of the person `id` were deleted, written along with that; their key goes next.

    Kept for ever: after an older backup was put back it says who must not come back.
    """

    id: str  # type: ignore[assignment]  # Beanie's own default is an ObjectId
    at: datetime = Field(default_factory=now)

    class Settings:
        name = "erasures"
        indexes: ClassVar[list[IndexModel]] = []
