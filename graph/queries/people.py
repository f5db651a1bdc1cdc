"""Reading people: `me`, `user`, `users`, `node`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any, Final

import strawberry
from strawberry import UNSET

from graph.access import Opens, Rows, free, ordering, reading, root
from graph.arguments import Chosen, choose
from graph.context import Info, page_size
from graph.rows import Row, row_as
from graph.types.connection import Order, Page, UserConnection, read_cursor
from graph.types.user import Node, User
from models.errors import BadInput
from models.vocabulary import UserStatus

_UNIQUE: Final = frozenset({"username_key"})


@strawberry.input(one_of=True, description="Names one person.")
class UserBy:
    """Exactly one of the fields."""

    id: strawberry.ID | None = reading("User.id", "Identifier.", exact=True)
    username: str | None = reading("User.username", "User name.", exact=True)
    email: str | None = reading("User.email", "Email address.", exact=True)


@strawberry.input(description="Narrows a list of people; all given fields must fit.")
class UserFilter:
    """Equality on fields that are stored in plain, and ranges of time."""

    country: str | None = reading("User.country", "Country, ISO 3166-1 alpha-2.")
    locale: str | None = reading("User.locale", "Language and region, BCP 47.")
    age_band: str | None = reading("User.ageBand", "Coarse age.")
    status: UserStatus | None = reading("User.status", "Where the account is in its life.")
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


@strawberry.input(description="An order of people.")
class UserOrder:
    """By one field; equal values by identifier."""

    field: UserOrderField = free("Each value needs the right to read its field.")
    direction: OrderDirection = free("Upwards unless told.", default=OrderDirection.ASC)


@strawberry.type
class PeopleQuery:
    """Root fields that open rows of people."""

    @root(Opens(Rows.OWN), "The signed-in person.")
    async def me(self, info: Info) -> User | None:
        """One's own row."""
        access, person = info.context.access(info), info.context.principal.person
        if access is None or person is None:
            return None
        return row_as(User, await info.context.person(access, {"_id": person}))

    @root(Opens(Rows.CHOSEN), "One person.")
    async def user(self, info: Info, by: UserBy) -> User | None:
        """By exactly one key."""
        keys = {name: value for name, value in vars(by).items() if value is not UNSET}
        return row_as(User, await _one(info, choose(keys)))

    @root(Opens(Rows.CHOSEN), "Anything by its identifier.")
    async def node(self, info: Info, id: strawberry.ID) -> Node | None:  # noqa: A002 - Relay's name
        """Relay's refetch; people are the only nodes."""
        return row_as(User, await _one(info, Chosen("_id", str(id))))

    @root(Opens(Rows.MANY), "People in pages of at most 100, in the order of `orderBy`, else of their making.")
    async def users(
        self,
        info: Info,
        first: int | None = 20,
        after: str | None = None,
        filter: UserFilter | None = None,  # noqa: A002 - the contract's name
        order_by: UserOrder | None = None,
    ) -> UserConnection:
        """Keyset pages: stable while people come and go."""
        access = info.context.access(info)
        if access is None:
            raise BadInput("This list is not available.")
        order, size = _order(order_by), page_size(first)
        narrowed = _filter(filter)
        place = [read_cursor(order, after)] if after is not None else []
        found = {"$and": [narrowed, *place]} if narrowed and place else (place[0] if place else narrowed)
        rows = await info.context.people(access, found, order.sort, size + 1)
        has_next = len(rows) > size
        del rows[size:]
        return UserConnection(page=Page(rows, order, has_next, after is not None, narrowed))


async def _one(info: Info, target: Chosen | None) -> Row | None:
    access = info.context.access(info)
    if access is None or target is None:
        return None
    return await info.context.person(access, target.filter)


def _order(given: UserOrder | None) -> Order:
    if given is None:
        return Order()
    path = given.field.value
    return Order(path, given.direction is OrderDirection.DESC, path in _UNIQUE)


def _filter(given: UserFilter | None) -> Mapping[str, Any]:
    """As MongoDB filters; every value is of a scalar type, so no operator can hide in it."""
    if given is None:
        return {}
    values = {name: value for name, value in vars(given).items() if value is not UNSET and value is not None}
    made: dict[str, Any] = {name: values[name] for name in ("country", "locale", "age_band") if name in values}
    if "status" in values:
        made["status"] = values["status"].value
    bounds = {
        operator: values[name]
        for operator, name in (("$gte", "created_from"), ("$lt", "created_before"))
        if name in values
    }
    return {**made, "created_at": bounds} if bounds else made
