"""Skeletons for people who were stored before names were compared by their looks; done once, at start."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from models.bookkeeping import MarkerDocument
from models.database import Database, Raw
from models.errors import Conflict
from models.lookalikes import skeleton
from models.user import UserDocument

_MARKER: Final = "username-skeletons"
BATCH: Final = 500
_AT_ONCE: Final = 16


async def fill_skeletons(database: Database) -> int:
    """Give everybody without one a skeleton; how many got one.

    Of two who look alike already one gets it: the other keeps their name, and nobody else can take one like
    it. Safe to call from several processes, and again after an interruption.
    """
    if await database.find_one(MarkerDocument, {"_id": _MARKER}) is not None:
        return 0
    filled, last = 0, ""
    while batch := await database.find(
        UserDocument,
        {"_id": {"$gt": last}, "username_skeleton": {"$exists": False}},
        projection={"username": 1},
        sort=[("_id", 1)],
        limit=BATCH,
    ):
        last = batch[-1]["_id"]
        for start in range(0, len(batch), _AT_ONCE):
            filled += sum(await asyncio.gather(*(_fill(database, row) for row in batch[start : start + _AT_ONCE])))
    with suppress(Conflict):  # another process was at it too
        await database.insert(MarkerDocument(id=_MARKER))
    return filled


async def _fill(database: Database, row: Raw) -> int:
    if "username" not in row:
        return 0
    unchanged = {"_id": row["_id"], "username": row["username"]}
    try:
        return await database.update_one(
            UserDocument, unchanged, {"$set": {"username_skeleton": skeleton(row["username"])}}
        )
    except Conflict:
        return 0
