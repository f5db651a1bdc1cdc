"""Relay connections: `nodes` beside `edges`, and cursors that name a place in an order."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final, cast

import orjson
import strawberry

from graph.access import structural
from graph.context import Info
from graph.rows import Row, RowList
from graph.types.user import User
from models.errors import BadInput

_STRUCTURE: Final = "holds rows that are guarded themselves; the root needs the right to User.id"


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


def cursor_of(order: Order, row: Row) -> str:
    """The place of a row in an order, opaque to clients."""
    value = row.raw.get(order.path)
    moment = isinstance(value, datetime)
    packed = orjson.dumps([order.path, value, moment, row.raw["_id"]])
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


@strawberry.type
class PageInfo:
    """Where a page lies in its list."""

    STRUCTURAL: ClassVar[str] = "positions only"

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """People read together, and how the list goes on."""

    rows: RowList
    order: Order
    has_next: bool
    has_previous: bool
    filter: Mapping[str, Any]


@strawberry.type
class UserEdge:
    """A person and their place in the list."""

    STRUCTURAL: ClassVar[str] = _STRUCTURE

    node: User
    cursor: str


@strawberry.type
class UserConnection:
    """A page of people."""

    STRUCTURAL: ClassVar[str] = _STRUCTURE

    page: strawberry.Private[Page]

    @structural("The people of this page.")
    def nodes(self) -> list[User]:
        """The rows themselves."""
        return cast("list[User]", self.page.rows)

    @structural("The people of this page with their places.")
    def edges(self) -> list[UserEdge]:
        """Each row with its cursor."""
        order = self.page.order
        return [UserEdge(node=cast("User", row), cursor=cursor_of(order, row)) for row in self.page.rows]

    @structural("Where this page lies.")
    def page_info(self) -> PageInfo:
        """The ends of the page."""
        rows: Sequence[Row] = self.page.rows
        return PageInfo(
            has_next_page=self.page.has_next,
            has_previous_page=self.page.has_previous,
            start_cursor=cursor_of(self.page.order, rows[0]) if rows else None,
            end_cursor=cursor_of(self.page.order, rows[-1]) if rows else None,
        )

    @structural("How many people there are in all pages.")
    async def total_count(self, info: Info) -> int | None:
        """Counted only when asked for."""
        return await info.context.services.reader.count(self.page.filter)
