"""What the in-memory stand-in leaves out: partial indexes, and which unique index a write ran into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from beanie import Document
from pymongo import IndexModel

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


async def make_indexes(rows: Any, declared: Sequence[IndexModel]) -> None:  # noqa: ANN401
    """Make each index with its partial filter, which the mock's `create_indexes` would drop."""
    for index in declared:
        if _in_array(index):
            continue  # the mock would take the lists themselves for the values; see `refuse_taken_codes`
        options = dict(index.document)
        await rows.create_index(list(options.pop("key").items()), **options)


async def refuse_taken_codes(
    rows: Any,  # noqa: ANN401
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


async def taken_codes(rows: Any, document: type[Document], written: Sequence[Mapping[str, Any]]) -> dict[int, str]:  # noqa: ANN401
    """The places of new rows that have a code of a row that is there, or of one before them, with the index."""
    found: dict[int, str] = {}
    for index in filter(_in_array, unique_indexes(document)):
        [path] = index.document["key"]
        root = path.removesuffix(".mac")
        codes = [[code["mac"] for code in row.get(root, ())] for row in written]
        there = await rows.find({path: {"$in": [mac for each in codes for mac in each]}}, {root: 1}).to_list(None)
        owner = {code["mac"]: row["_id"] for row in there for code in row[root]}
        for place, row in enumerate(written):
            if any(owner.setdefault(mac, row["_id"]) != row["_id"] for mac in codes[place]):
                found.setdefault(place, str(index.document["name"]))
    return found


def _in_array(index: IndexModel) -> bool:
    return any(path.endswith(".mac") for path in index.document["key"])


def _codes(index: IndexModel, written: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for path in index.document["key"]:
        codes = written.get(path.removesuffix(".mac")) if path.endswith(".mac") else None
        if codes:
            found[path] = {"$in": [code["mac"] for code in codes]}
    return found
