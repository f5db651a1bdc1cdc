"""How a record of emergency access becomes a part of an answer."""

from __future__ import annotations

from typing import Final, cast

from graph.context import Context, Info
from graph.gate import RootAccess
from graph.rows import Row
from graph.types.break_glass import BreakGlassGrant
from models.break_glass import BreakGlassDocument
from models.database import Raw
from models.vocabulary import Relation

_TYPE: Final = "BreakGlassGrant"


def row_of(context: Context, access: RootAccess, raw: Raw, relation: Relation) -> BreakGlassGrant:
    """A record that was read under `access`, in the place of its Strawberry type."""
    return cast("BreakGlassGrant", Row(raw, (relation, None), access.judge, context.tally, _TYPE))


async def read_one(info: Info, identifier: str) -> BreakGlassGrant | None:
    """The record of this identifier as a mutation's payload selects it; None when it selects none."""
    access, context = info.context.access(info), info.context
    if access is None or not access.root.positions:
        return None
    relation = access.relation or Relation.OTHER
    found = await context.services.reader.documents(
        BreakGlassDocument, access.reading, relation, {"_id": identifier}, [], 1
    )
    return row_of(context, access, found[0], relation) if found else None
