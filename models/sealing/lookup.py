"""Look-ups by sealed fields: equality becomes equality of blind-index codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from models.database.query import any_of
from models.errors import FieldwardError
from models.keystore.ring import Ring
from models.sealing.plan import INDEX_SUFFIX, Plan

JOINING: Final = ("$and", "$or", "$nor")
_BARE: Final = {"$exists", "$type"}


def looked_up(plan: Plan, ring: Ring, filter: Mapping[str, Any]) -> dict[str, Any]:  # noqa: A002 - MongoDB's own word
    """`filter` with its look-ups by codes. Raises `FieldwardError` for whatever else is asked of a sealed value."""
    found: dict[str, Any] = {}
    for path, asked in filter.items():
        if path in JOINING:
            found[path] = [looked_up(plan, ring, part) for part in asked]
        elif root_of(path) not in plan.fields or (path in plan.fields and _asks_for_no_value(asked)):
            found[path] = asked
        else:
            found |= _codes(plan, ring, path, asked)
    return found


def root_of(path: str) -> str:
    """The field that a path begins with."""
    return path.partition(".")[0]


def _asks_for_no_value(asked: object) -> bool:
    """Whether it is about a sealed value as it is stored, or whether there is one."""
    return asked is None or isinstance(asked, bytes) or (isinstance(asked, dict) and asked.keys() <= _BARE)


def _codes(plan: Plan, ring: Ring, path: str, asked: object) -> dict[str, Any]:
    normalise = plan.looked_up.get(path)
    given = asked["$in"] if isinstance(asked, dict) and asked.keys() == {"$in"} else [asked]
    values = [value for value in given if isinstance(value, str)]
    if normalise is None or len(values) != len(given):
        raise FieldwardError(f"{plan.collection}.{path} is sealed, and nobody is looked up by it like that.")
    index = ring.index(plan.collection, path, normalise)
    codes = [entry["mac"] for value in values for entry in index.entries(value)]
    return {f"{path}{INDEX_SUFFIX}.mac": any_of(codes)}
