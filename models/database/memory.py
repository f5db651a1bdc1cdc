"""What the in-memory stand-in leaves out: partial indexes, and which unique index a write ran into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from beanie import Document
from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from models.database.failures import unique_indexes
from models.errors import Conflict


async def colliding_index(
    rows: Any,  # noqa: ANN401 - a mock that no type describes
    document: type[Document],
    written: Mapping[str, Any],
    target: Mapping[str, Any],
) -> str:
    """The name of the unique index by which `written` meets a row other than `target` (an empty filter: a new row)."""
    others = {"$nor": [target]} if target else {}
    for index in unique_indexes(document):
        values = {path: written[path] for path in index.document["key"] if path in written}
        values |= _codes(index, written)
        if values and await rows.count_documents({**others, **values}):
            return str(index.document["name"])
    return "id"


async def make_indexes(rows: Any, declared: Sequence[IndexModel]) -> None:  # noqa: ANN401 - the driver's own, or the stand-in's
    """Make each index with its partial filter, which the mock's `create_indexes` would drop."""
    for index in declared:
        if _in_array(index):
            continue  # the mock would take the lists themselves for the values; see `refuse_taken_codes`
        options = dict(index.document)
        await rows.create_index(list(options.pop("key").items()), **options)


async def refuse_taken_codes(
    rows: Any,  # noqa: ANN401 - the driver's own, or the stand-in's
    document: type[Document],
    written: Mapping[str, Any],
    target: Mapping[str, Any],
) -> None:
    """Raise `Conflict` where `written` has a code that is another row's: the mock looks into no lists."""
    others = {"$nor": [target]} if target else {}
    for index in unique_indexes(document):
        codes = _codes(index, written)
        if codes and await rows.count_documents({**others, **codes}):
            raise Conflict(str(index.document["name"]))


async def insert_each(
    rows: Any,  # noqa: ANN401 - the driver's own, or the stand-in's
    document: type[Document],
    raws: Sequence[Mapping[str, Any]],
) -> list[tuple[int, str]]:
    """Store many rows one by one, codes compared as well; (position, unique index) of those that were taken."""
    kept = await _kept_codes(rows, document, raws)
    taken: list[tuple[int, str]] = []
    for place, raw in enumerate(raws):
        codes = _pairs(document, raw)
        try:
            if codes & kept:
                raise DuplicateKeyError("")
            await rows.insert_one(raw)
        except DuplicateKeyError:
            taken.append((place, await colliding_index(rows, document, raw, {})))
        else:
            kept |= codes
    return taken


async def _kept_codes(
    rows: Any,  # noqa: ANN401 - the driver's own, or the stand-in's
    document: type[Document],
    raws: Sequence[Mapping[str, Any]],
) -> set[tuple[str, bytes]]:
    """Those codes of new rows that stored ones have: one look per index, however many rows there are."""
    wanted = {pair for raw in raws for pair in _pairs(document, raw)}
    kept: set[tuple[str, bytes]] = set()
    for path in {path for path, _ in wanted}:
        asked = [mac for its, mac in wanted if its == path]
        for row in await rows.find({path: {"$in": asked}}).to_list(None):
            kept |= _pairs(document, row)
    return kept


def _pairs(document: type[Document], row: Mapping[str, Any]) -> set[tuple[str, bytes]]:
    """The codes of a row that are unique, each with its path."""
    codes = [_codes(index, row) for index in unique_indexes(document)]
    return {(path, mac) for each in codes for path, asked in each.items() for mac in asked["$in"]}


def _in_array(index: IndexModel) -> bool:
    return any(path.endswith(".mac") for path in index.document["key"])


def _codes(index: IndexModel, written: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for path in index.document["key"]:
        codes = written.get(path.removesuffix(".mac")) if path.endswith(".mac") else None
        if codes:
            found[path] = {"$in": [code["mac"] for code in codes]}
    return found
