"""Reading people: `me`, `user`, `users`, `node`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any

import strawberry

from graph.access import Opens, Rows, free, ordering, reading, root
from graph.context import Context, Found, Info
from graph.gate import RootAccess
from graph.people import find_me, find_one, find_page
from graph.rows import Row, row_as
from graph.types.connection import UserConnection
from graph.types.user import Node, User
from models.errors import BadInput
from models.vocabulary import UserStatus


@strawberry.input(one_of=True, description="Names one person.")
class UserBy:
    """Exactly one of the fields."""

    id: strawberry.ID | None = reading("User.id", "Identifier.", exact=True)
    username: str | None = reading("User.username", "User name.", exact=True)
    email: str | None = reading("User.email", "Email address.", exact=True)


@strawberry.input(
    description="Narrows a list of people; all given fields must fit. Leaves out people whose row is withheld."
)
class UserFilter:
    """Equality, also with a telephone number as a whole, and ranges of time."""

    country: str | None = reading("User.country", "Country, ISO 3166-1 alpha-2.")
    locale: str | None = reading("User.locale", "Language and region, BCP 47.")
    age_band: str | None = reading("User.ageBand", "Coarse age.")
    status: UserStatus | None = reading("User.status", "Where the account is in its life.")
    phone: str | None = reading("User.phone", "Telephone, E.164, the whole number.", exact=True)
    created_from: datetime | None = reading("User.createdAt", "Made at this moment or later.")
    created_before: datetime | None = reading("User.createdAt", "Made before this moment.")


@strawberry.enum(description="What a list of people can be ordered by.")
class UserOrderField(Enum):
    """The stored path of each order."""

    USERNAME = ordering("username_key", "User.username")
    CREATED_AT = ordering("created_at", "User.createdAt")
    LAST_SEEN_AT = ordering("last_seen_at", "User.lastSeenAt")
    LOGIN_COUNT = ordering("login_count", "User.loginCount")


@strawberry.enum(description="Upwards or downwards.")
class OrderDirection(Enum):
    """Directions of an order."""

    ASC = "ASC"
    DESC = "DESC"


@strawberry.input(description="An order of people. Leaves out people whose row is withheld.")
class UserOrder:
    """By one field; equal values by identifier."""

    field: UserOrderField = free("Each value needs the right to read its field.")
    direction: OrderDirection = free("Upwards unless told.", default=OrderDirection.ASC)


@strawberry.type
class PeopleQuery:
    """Root fields that open rows of people. Each finds by its coerced arguments, see `graph.people`."""

    @root(Opens(Rows.OWN), "The signed-in person.")
    async def me(self, info: Info) -> User | None:
        """One's own row."""
        return row_as(User, await _row(info, find_me))

    @root(Opens(Rows.CHOSEN), "One person.")
    async def user(self, info: Info, by: UserBy) -> User | None:  # noqa: ARG002 - read from the coerced arguments
        """By exactly one key."""
        return row_as(User, await _row(info, find_one))

    @root(Opens(Rows.CHOSEN), "Anything by its identifier.")
    async def node(self, info: Info, id: strawberry.ID) -> Node | None:  # noqa: A002, ARG002 - Relay's name; as above
        """Relay's refetch; people are the only nodes."""
        return row_as(User, await _row(info, find_one))

    @root(
        Opens(Rows.MANY),
        "People in pages, in the order of `orderBy`, else of their making. Not for EMERGENCY, which opens one named "
        "person at a time.",
    )
    async def users(
        self,
        info: Info,
        first: int | None = 20,  # noqa: ARG002 - as above
        after: str | None = None,  # noqa: ARG002 - read from the coerced arguments
        filter: UserFilter | None = None,  # noqa: A002, ARG002 - the contract's name
        order_by: UserOrder | None = None,  # noqa: ARG002 - read from the coerced arguments
    ) -> UserConnection:
        """Keyset pages: stable while people come and go."""
        access = info.context.access(info)
        if access is None:
            raise BadInput("This list is not available.")
        return UserConnection(page=await find_page(info.context, access, info.context.arguments[access.key]))


async def _row(
    info: Info, find: Callable[[Context, RootAccess, Mapping[str, Any]], Awaitable[Found | None]]
) -> Row | None:
    access, context = info.context.access(info), info.context
    found = await find(context, access, context.arguments[access.key]) if access else None
    return Row(*found, access.judge, context.tally) if access and found else None
