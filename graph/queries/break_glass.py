"""Emergency access that waits for a review, and that was reviewed."""

from __future__ import annotations

from typing import Any

import strawberry

from graph.access import Opens, Rows, root
from graph.break_glass import row_of
from graph.context import Info, page_size
from graph.types.break_glass import BreakGlassGrant
from models.break_glass import BreakGlassDocument
from models.errors import BadInput
from models.vocabulary import Label, Relation


@strawberry.type
class BreakGlassQuery:
    """Root fields for reviewers."""

    @root(
        Opens(Rows.MANY, reads=(Label.BREAK_GLASS,)),
        "Emergency access that nobody has reviewed yet, or with `reviewed: true` what was, oldest first. "
        "`after` is the `id` of the last one of the page before.",
    )
    async def break_glass_grants(
        self,
        info: Info,
        reviewed: bool = False,
        first: int | None = 20,
        after: strawberry.ID | None = None,
    ) -> list[BreakGlassGrant]:
        """Identifiers sort by time."""
        access, context = info.context.access(info), info.context
        if access is None:
            raise BadInput("This list is not available.")
        wanted: dict[str, Any] = {"reviewed_at": {"$ne": None} if reviewed else None}
        if after is not None:
            wanted["_id"] = {"$gt": str(after)}
        found = await context.services.reader.documents(
            BreakGlassDocument,
            access.reading,
            Relation.OTHER,
            wanted,
            [("_id", 1)],
            page_size(first, context.services.max_page),
        )
        return [row_of(context, access, raw, Relation.OTHER) for raw in found]
