"""Emergency access, as those see it who have opened it or review it."""

from __future__ import annotations

from datetime import datetime

import strawberry

from graph.access import guarded, personal
from models.break_glass import BreakGlassDocument
from models.vocabulary import ReviewVerdict


@guarded(BreakGlassDocument)
class BreakGlassGrant:
    """One emergency access: who opened it and why, how long it held, what was said of it."""

    id: strawberry.ID | None = personal("For `reviewBreakGlass`.", path="_id")
    person: strawberry.ID | None = personal("Who opened it.")
    justification: str | None = personal("Why, in their own words.")
    opened_at: datetime | None = personal("Since when.")
    expires_at: datetime | None = personal("Until when at the latest.")
    ended_at: datetime | None = personal("When it was given back before that time.")
    reviewed_by: strawberry.ID | None = personal("Who has reviewed it; null: nobody yet.")
    reviewed_at: datetime | None = personal("When it was reviewed.")
    verdict: ReviewVerdict | None = personal("What the reviewer found.")
    note: str | None = personal("What the reviewer said.")
