"""Emergency access that staff have opened for themselves: what for, for how long, and what a reviewer said of it."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from pymongo import ASCENDING, IndexModel

from models.base import PersonalDocument, now
from models.fields import labelled
from models.vocabulary import Label, ReviewVerdict


class BreakGlassDocument(PersonalDocument):
    """One emergency access of `person`. It holds until `expires_at`, or until `ended_at` when it was ended before.

    `session` is the one it was opened in: no other carries it. Unreviewed as long as `reviewed_at` is absent.
    Kept when the person's account goes: whoever has looked at others' data cannot take the proof with them.
    """

    OUTLIVES_PERSON: ClassVar[bool] = True

    # Not UNIQUE_ID, which is public to whoever may read any field of a person's row.
    id: str = labelled(Label.BREAK_GLASS, alias="_id")
    person: str = labelled(Label.BREAK_GLASS)
    session: str = labelled(Label.BREAK_GLASS)
    justification: str = labelled(Label.BREAK_GLASS)
    opened_at: datetime = labelled(Label.BREAK_GLASS, default_factory=now)
    expires_at: datetime = labelled(Label.BREAK_GLASS)
    ended_at: datetime | None = labelled(Label.BREAK_GLASS, default=None)
    reviewed_by: str | None = labelled(Label.BREAK_GLASS_REVIEW, default=None)
    reviewed_at: datetime | None = labelled(Label.BREAK_GLASS_REVIEW, default=None)
    verdict: ReviewVerdict | None = labelled(Label.BREAK_GLASS_REVIEW, default=None)
    note: str | None = labelled(Label.BREAK_GLASS_REVIEW, default=None)

    class Settings:
        name = "break_glass"
        keep_nulls = False
        indexes: ClassVar = [
            # What is to be reviewed, and what was, oldest first.
            IndexModel([("reviewed_at", ASCENDING), ("_id", ASCENDING)], name="review"),
            IndexModel([("person", ASCENDING), ("_id", ASCENDING)], name="person"),
        ]
