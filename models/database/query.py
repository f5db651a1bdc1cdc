"""What is asked of a collection: as a command for MongoDB, and by the driver's cursor, which does what is rare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from models.database.sealing import Raw


def any_of(values: Sequence[Any]) -> Any:  # noqa: ANN401 - whatever is compared
    """What a filter asks of a path that may have each of `values`.

    MongoDB takes a shorter way for one that stands by itself.
    """
    return values[0] if len(values) == 1 else {"$in": list(values)}


class Question(Protocol):
    """Something that has rows for an answer, at most `limit`; 0 stands for any number."""

    @property
    def limit(self) -> int:
        """How many rows there can be."""
        ...

    def command(self, collection: str) -> dict[str, Any]:
        """The command that has them all in its first batch, as far as they fit into one."""
        ...

    async def by_cursor(self, rows: Any) -> list[Raw]:  # noqa: ANN401 - the driver's collection, or the stand-in's
        """The rows by the driver's cursor: any number of batches, and once more after a failure that may pass."""
        ...


@dataclass(frozen=True, slots=True)
class Query:
    """What `find` is asked."""

    filter: Mapping[str, Any]
    projection: Mapping[str, Any] | None
    sort: Mapping[str, int]
    limit: int

    async def by_cursor(self, rows: Any, session: Any = None) -> list[Raw]:  # noqa: ANN401 - the driver's objects, or the stand-in's
        """See `Question`."""
        more = {"session": session} if session is not None else {}
        cursor = rows.find(self.filter, self.projection, sort=list(self.sort.items()) or None, limit=self.limit, **more)
        found: list[Raw] = await (cursor.batch_size(_batch(self.limit)) if self.limit else cursor).to_list(None)
        return found

    def command(self, collection: str) -> dict[str, Any]:
        """See `Question`."""
        command = {"find": collection, "filter": self.filter, "limit": self.limit, "batchSize": _batch(self.limit)}
        if self.projection:
            command["projection"] = self.projection
        if self.sort:
            command["sort"] = self.sort
        return command


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What `aggregate` is asked; not of the stand-in in memory."""

    stages: Sequence[Mapping[str, Any]]
    limit: int

    async def by_cursor(self, rows: Any) -> list[Raw]:  # noqa: ANN401 - the driver's collection
        """See `Question`."""
        cursor = await rows.aggregate(self.stages, batchSize=_batch(self.limit))
        found: list[Raw] = await cursor.to_list(None)
        return found

    def command(self, collection: str) -> dict[str, Any]:
        """See `Question`."""
        return {"aggregate": collection, "pipeline": self.stages, "cursor": {"batchSize": _batch(self.limit)}}


def _batch(limit: int) -> int:
    """One more than the limit: with an equal batch the server keeps the cursor open, which costs a trip."""
    return limit + 1
