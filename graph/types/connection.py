"""Relay connections: `nodes` beside `edges`, and cursors that name a place in an order."""

from __future__ import annotations

from typing import ClassVar, Final, cast

import strawberry

from graph.access import structural
from graph.context import Info
from graph.paging import cursor_of
from graph.people import Page
from graph.types.user import User

_STRUCTURE: Final = "holds rows that are guarded themselves; the root needs the right to User.id"


@strawberry.type
class PageInfo:
    """Where a page lies in its list."""

    STRUCTURAL: ClassVar[str] = "positions only"

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


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
    def nodes(self, info: Info) -> list[User]:
        """The rows themselves."""
        return cast("list[User]", info.context.rows(self.page.access, self.page.loaded))

    @structural("The people of this page with their places.")
    def edges(self, info: Info) -> list[UserEdge]:
        """Each row with its cursor."""
        rows = info.context.rows(self.page.access, self.page.loaded)
        return [UserEdge(node=cast("User", row), cursor=cursor_of(self.page.order, row.raw)) for row in rows]

    @structural("Where this page lies.")
    def page_info(self) -> PageInfo:
        """The ends of the page."""
        raws, order = self.page.loaded.raws, self.page.order
        return PageInfo(
            has_next_page=self.page.has_next,
            has_previous_page=self.page.has_previous,
            start_cursor=cursor_of(order, raws[0]) if raws else None,
            end_cursor=cursor_of(order, raws[-1]) if raws else None,
        )

    @structural("How many people there are in all pages.")
    async def total_count(self, info: Info) -> int | None:
        """Counted only when asked for."""
        return await info.context.services.reader.count(self.page.filter)
