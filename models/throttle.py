"""How often something was tried. Nothing here is personal data: an id is a keyed digest."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from beanie import Document
from pymongo import ASCENDING, IndexModel


class ThrottleDocument(Document):
    """Attempts that count together: `number` of them, and `until` when no further one is let in.

    Gone when `expires_at` is over.
    """

    id: str  # type: ignore[assignment]  # Beanie's own default is an ObjectId
    number: int
    until: datetime
    expires_at: datetime

    class Settings:
        name = "throttle"
        indexes: ClassVar = [IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0, name="expiry")]
