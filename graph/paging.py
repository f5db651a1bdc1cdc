"""Orders of people, and cursors that name a place in one."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from models.database import Raw
from models.errors import BadInput


@dataclass(frozen=True, slots=True)
class Order:
    """By one stored path; people with equal values by their id, so that no place is twice.

    Ascending goes with descending ids and the other way round: one index serves both directions.
    """

    path: str = "_id"
    descending: bool = False
    unique: bool = True

    @property
    def sort(self) -> list[tuple[str, int]]:
        """As MongoDB sorts."""
        direction = -1 if self.descending else 1
        return [(self.path, direction)] if self.unique else [(self.path, direction), ("_id", -direction)]

    def after(self, value: Any, identifier: str) -> Mapping[str, Any]:  # noqa: ANN401 - any stored value
        """A filter for what comes after a place. A missing value sorts below every other."""
        beyond = "$lt" if self.descending else "$gt"
        if self.unique:
            return {self.path: {beyond: value}}
        tied = {self.path: value, "_id": {"$gt" if self.descending else "$lt": identifier}}
        if value is None:
            return tied if self.descending else {"$or": [tied, {self.path: {"$ne": None}}]}
        further: list[Mapping[str, Any]] = [tied, {self.path: {beyond: value}}]
        if self.descending:
            further.append({self.path: None})
        return {"$or": further}


def cursor_of(order: Order, raw: Raw) -> str:
    """The place of a row in an order, opaque to clients."""
    value = raw.get(order.path)
    moment = isinstance(value, datetime)
    packed = orjson.dumps([order.path, value, moment, raw["_id"]])
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read_cursor(order: Order, cursor: str) -> Mapping[str, Any]:
    """A filter for what comes after `cursor`. Raises `BadInput` for one of another order, or none."""
    try:
        packed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        path, value, moment, identifier = orjson.loads(packed)
        if path != order.path or not isinstance(identifier, str) or not isinstance(value, str | int | None):
            raise ValueError
        return order.after(datetime.fromisoformat(value) if moment and isinstance(value, str) else value, identifier)
    except (ValueError, TypeError):
        raise BadInput('"after" is not a cursor of this list in this order.', path=("after",)) from None
