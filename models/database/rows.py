"""Reading and writing rows: plain maps as stored, found by document class."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from beanie import Document
from pymongo import ReturnDocument
from pymongo import errors as driver

from models.database.connection import Raw, Session
from models.database.encoding import to_bson
from models.database.failures import DUPLICATE, taken_index
from models.database.memory import colliding_index, insert_each, refuse_taken_codes
from models.database.query import Pipeline, Query
from models.database.sealed import SealedConnection
from models.database.sealing import SealedRows
from models.errors import Conflict, DatabaseUnavailable, FieldwardError

T = TypeVar("T")


class Database(SealedConnection):
    """One MongoDB database. A document class names its collection.

    Sealed fields are sealed on the way in, by `sealing`, and stay so on the way out: see `opened`. Filters may ask
    for equality of those that people are looked up by. Without `sealing` no such document is written.

    Every method raises `DatabaseUnavailable` when no answer comes in time, `BadInput` for a value
    that BSON cannot hold, and `FieldwardError` (without the server's text) for anything else.
    """

    async def find(
        self,
        document: type[Document],
        filter: Mapping[str, Any],  # noqa: A002 - MongoDB's own word
        *,
        projection: Mapping[str, Any] | None = None,
        sort: Sequence[tuple[str, int]] = (),
        limit: int = 0,
        naive: bool = False,
        session: Session | None = None,
    ) -> list[Raw]:
        """The matching rows, at most `limit` (0: all), with only the projected paths.

        `naive`: moments come without a zone (they are in UTC), which saves making one of each.
        """
        query = Query(await self._asked(document, filter), projection, dict(sort), limit)
        if session is None:
            return await self._read(document, naive, query)
        rows = self._of(document)
        return await self._call(lambda: query.by_cursor(rows, session))

    async def find_one(
        self,
        document: type[Document],
        filter: Mapping[str, Any],  # noqa: A002 - MongoDB's own word
        *,
        projection: Mapping[str, Any] | None = None,
        naive: bool = False,
        session: Session | None = None,
    ) -> Raw | None:
        """The first matching row, or None; `naive` as in `find`."""
        found = await self.find(document, filter, projection=projection, limit=1, naive=naive, session=session)
        return found[0] if found else None

    async def aggregate(
        self, document: type[Document], stages: Sequence[Mapping[str, Any]], limit: int, *, naive: bool = False
    ) -> list[Raw]:
        """The rows that a pipeline yields, of which there are at most `limit`; `naive` as in `find`. Not in memory."""
        return await self._read(document, naive, Pipeline(stages, limit))

    async def count(self, document: type[Document], filter: Mapping[str, Any]) -> int:  # noqa: A002 - MongoDB's own word
        """The number of matching rows."""
        rows, asked = self._of(document), await self._asked(document, filter)
        return await self._call(lambda: rows.count_documents(asked))

    async def insert(self, document: Document, *, session: Session | None = None) -> None:
        """Store a new document. Raises `Conflict` naming the unique index that is taken."""
        kind, rows = type(document), self._of(type(document))
        sealed = await self._sealed(kind, [to_bson(document)])
        [raw] = sealed.rows
        try:
            await self._write(kind, raw, {}, lambda: rows.insert_one(raw, session=session))
        except Conflict as conflict:
            if conflict.field != "id":
                await self._forget(sealed)
            raise

    async def insert_many(self, document: type[Document], raw: Sequence[Raw]) -> list[tuple[int, str]]:
        """Store many rows. Returns (position, unique index) of those that were taken already."""
        sealed = await self._sealed(document, raw)
        raw = sealed.rows
        if self.in_memory:
            found = await self._call(lambda: insert_each(self._of(document), document, raw))
        else:
            found = await self._insert_together(document, raw)
        refused = {raw[place]["_id"] for place, index in found if index != "id"}
        await self._forget(SealedRows([], sealed.newcomers & refused))
        return sorted(found)

    async def update_one(
        self,
        document: type[Document],
        filter: Mapping[str, Any],  # noqa: A002 - MongoDB's own word
        update: Mapping[str, Any],
        *,
        upsert: bool = False,
        session: Session | None = None,
    ) -> int:
        """Change the first matching row; the number that matched. Raises `Conflict`."""
        rows, asked = self._of(document), await self._asked(document, filter)
        sealed = await self._changed(document, filter, update)
        if sealed is None:
            return 0
        changed = await self._write(
            document, sealed.get("$set", {}), asked, lambda: rows.update_one(asked, sealed, upsert, session=session)
        )
        return int(changed.matched_count)

    async def find_one_and_update(
        self,
        document: type[Document],
        filter: Mapping[str, Any],  # noqa: A002 - MongoDB's own word
        update: Mapping[str, Any],
        *,
        projection: Mapping[str, Any] | None = None,
        session: Session | None = None,
    ) -> Raw | None:
        """Change the first matching row and return it as it is afterwards, or None. Raises `Conflict`."""
        rows, asked = self._of(document), await self._asked(document, filter)
        sealed, after = await self._changed(document, filter, update), ReturnDocument.AFTER
        if sealed is None:
            return None
        return await self._write(
            document,
            sealed.get("$set", {}),
            asked,
            lambda: rows.find_one_and_update(asked, sealed, projection, return_document=after, session=session),
        )

    async def delete_one(
        self,
        document: type[Document],
        filter: Mapping[str, Any],  # noqa: A002 - MongoDB's own word
        *,
        session: Session | None = None,
    ) -> int:
        """Remove the first matching row; how many went."""
        rows, asked = self._of(document), await self._asked(document, filter)
        return int((await self._call(lambda: rows.delete_one(asked, session=session))).deleted_count)

    async def delete_many(
        self,
        document: type[Document],
        filter: Mapping[str, Any],  # noqa: A002 - MongoDB's own word
        *,
        session: Session | None = None,
    ) -> int:
        """Remove all matching rows; how many went."""
        rows, asked = self._of(document), await self._asked(document, filter)
        return int((await self._call(lambda: rows.delete_many(asked, session=session))).deleted_count)

    async def exchange(
        self,
        document: type[Document],
        row: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        gone: Iterable[str] = (),
    ) -> bool:
        """Put stored values as they are (sealed, or codes) in the place of others, if those are still there.

        For sealing anew. `gone` are paths that go along.
        """
        made = {"$set": dict(after), "$unset": dict.fromkeys(gone, "")}
        rows, update = self._of(document), {operator: paths for operator, paths in made.items() if paths}
        changed = await self._call(lambda: rows.update_one({"_id": row, **before}, update), document)
        return bool(changed.matched_count)

    async def _insert_together(self, document: type[Document], raw: Sequence[Raw]) -> list[tuple[int, str]]:
        rows = self._of(document)

        async def failures() -> Mapping[str, Any]:
            try:
                await rows.insert_many(raw, ordered=False)
            except driver.BulkWriteError as error:
                return error.details or {}
            return {}

        details = await self._call(failures) if raw else {}
        if details.get("writeConcernErrors"):
            raise DatabaseUnavailable
        failed = details.get("writeErrors", ())
        if any(failure["code"] != DUPLICATE for failure in failed):
            raise FieldwardError("The database refused a row.")
        return [(failure["index"], taken_index(document, failure)) for failure in failed]

    async def _write(
        self,
        document: type[Document],
        written: Mapping[str, Any],
        target: Mapping[str, Any],
        operation: Callable[[], Awaitable[T]],
    ) -> T:
        if self.in_memory:
            await refuse_taken_codes(self._of(document), document, written, target)
        try:
            return await self._call(operation, document)
        except Conflict:
            if not self.in_memory:
                raise
        raise Conflict(await colliding_index(self._of(document), document, written, target))
