"""A query for rows, asked of the driver's collection in the way that costs least."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.database.sealing import Raw


def any_of(values: Sequence[Any]) -> Any:  # noqa: ANN401 - whatever is compared
    """What a filter asks of a path that may have each of `values`.

    MongoDB takes a shorter way for one that stands by itself.
    """
    return values[0] if len(values) == 1 else {"$in": list(values)}


@dataclass(frozen=True, slots=True)
class Query:
    """What `find` is asked; `limit` 0 stands for all rows."""

    filter: Mapping[str, Any]
    projection: Mapping[str, Any] | None
    sort: Mapping[str, int]
    limit: int

    async def by_cursor(self, rows: Any, session: Any = None) -> list[Raw]:  # noqa: ANN401 - the driver's objects, or the stand-in's
        """The rows by the driver's cursor, which asks once more after a failure that may pass."""
        more = {"session": session} if session is not None else {}
        cursor = rows.find(self.filter, self.projection, sort=list(self.sort.items()) or None, limit=self.limit, **more)
        # One more than the limit: with an equal batch the server keeps the cursor open, which costs a trip.
        found: list[Raw] = await (cursor.batch_size(self.limit + 1) if self.limit else cursor).to_list(None)
        return found

    def command(self, rows: Any, seconds: float) -> dict[str, Any]:  # noqa: ANN401 - the driver's collection
        """The same as a command for MongoDB itself, which is to end by then; for a query with a limit."""
        command = {
            "find": rows.name,
            "filter": self.filter,
            "limit": self.limit,
            "batchSize": self.limit + 1,
            "maxTimeMS": int(seconds * 1000),
            "$db": rows.database.name,
        }
        if self.projection:
            command["projection"] = self.projection
        if self.sort:
            command["sort"] = self.sort
        if rows.read_concern.level:
            command["readConcern"] = rows.read_concern.document
        return command
