"""Finding people for the root fields that read them, from the coerced arguments.

Shared by the resolvers and by `graph.direct`: there is one way to find a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graph.arguments import choose
from graph.context import Context, Found, page_size
from graph.gate import RootAccess
from graph.paging import Order, read_cursor
from models.conditions import shown_filter
from models.errors import BadInput
from models.importing.rejection import Refused
from models.importing.values import phone
from models.reading import Loaded
from models.vocabulary import Relation

Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """People read together, and how the list goes on."""

    access: RootAccess
    loaded: Loaded
    order: Order
    has_next: bool
    has_previous: bool
    filter: Mapping[str, Any]


async def find_me(context: Context, access: RootAccess, _arguments: Arguments) -> Found | None:
    """The signed-in person; None for a service, which has no data of its own."""
    person = context.principal.person
    return await context.find(access, {"_id": person}) if person is not None else None


async def find_one(context: Context, access: RootAccess, arguments: Arguments) -> Found | None:
    """The person whom the arguments of `user` or `node` name.

    Looking somebody up by a field is reading it: a row that withholds it is counted and not found.
    """
    if access.relation is Relation.SELF:
        # The name was found on the caller's own row; by now it may be another's.
        return await find_me(context, access, arguments)
    target = choose(arguments.get("by") or arguments)
    found = await context.find(access, target.filter) if target is not None else None
    if target is None or found is None or target.path not in _LOOKED_UP:
        return found
    _raw, (_relation, blocked) = found
    if blocked is None:
        return found
    context.tally[_LOOKED_UP[target.path], blocked] += 1
    return None


async def find_page(context: Context, access: RootAccess, arguments: Arguments) -> Page:
    """A keyset page: stable while people come and go. Raises `BadInput`.

    Narrowed or ordered by what is stored of people, it leaves out those whose rows are withheld: their
    being there, their place and their cursor would tell what no field of theirs shows.
    """
    order = _order(arguments.get("orderBy"))
    size = page_size(arguments.get("first"), context.services.max_page)
    after = arguments.get("after")
    narrowed = _filter(arguments.get("filter") or {})
    shown = shown_filter(access.grant.conditions[Relation.OTHER])
    if shown and (narrowed or arguments.get("orderBy")):
        narrowed = {"$and": [narrowed, shown]} if narrowed else shown
    place = [read_cursor(order, after)] if after is not None else []
    found = {"$and": [narrowed, *place]} if narrowed and place else (place[0] if place else narrowed)
    looks_ahead = any(
        child.coordinate == "UserConnection.pageInfo"
        for fields in access.root.field.children.values()
        for child in fields.values()
    )
    loaded = await context.load(access, found, order.sort, size + looks_ahead)
    has_next = len(loaded.raws) > size
    if has_next:
        loaded = loaded.first(size)
    return Page(access, loaded, order, has_next, after is not None, narrowed)


def _order(given: Arguments | None) -> Order:
    if not given:
        return Order()
    path = given["field"].value
    return Order(path, given["direction"].value == "DESC", unique=path == "username_key")


def _filter(given: Arguments) -> Mapping[str, Any]:
    """As MongoDB filters; every value is of a scalar type, so no operator can hide in it."""
    values = {name: value for name, value in given.items() if value is not None}
    made: dict[str, Any] = {path: values[name] for name, path in _EQUAL.items() if name in values}
    if "status" in values:
        made["status"] = values["status"].value
    if "phone" in values:
        made["phone"] = _phone(values["phone"])
    bounds = {operator: values[name] for operator, name in _BOUNDS.items() if name in values}
    return {**made, "created_at": bounds} if bounds else made


def _phone(text: str) -> str:
    try:
        return phone(text)
    except Refused:
        raise BadInput("This is not a telephone number in the form of E.164.", path=("filter", "phone")) from None


_LOOKED_UP = {"username_key": "User.username", "email": "User.email"}
_EQUAL = {"country": "country", "locale": "locale", "ageBand": "age_band"}
_BOUNDS = {"$gte": "createdFrom", "$lt": "createdBefore"}
