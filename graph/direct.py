"""The short way for queries that only read people: from the finders to the answer, without an executor.

Most of what an executor does for such a query was done when it was planned: which fields, in which
order, by which decision. An operation takes this way when every root field is known here and every
selection has a renderer; any other is executed in the ordinary way, with the same answer
(`tests/integration/reading/test_both_ways.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from weakref import WeakKeyDictionary

from graphql.error import located_error

from graph.context import Context, Found
from graph.errors import ErrorMap, format_error
from graph.gate import Admission, RootAccess
from graph.paging import cursor_of
from graph.people import Arguments, Page, find_me, find_one, find_page
from graph.plan import TYPENAME, Plan, PlanField

_PERSON: Final = "User"
Read = Callable[[Context, RootAccess], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class DirectRoot:
    """One root field: how it is read, and whether null is an answer."""

    key: str
    field: PlanField
    access: RootAccess
    read: Read
    nullable: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """`data` as a response holds it, and the errors of root fields."""

    data: dict[str, Any] | None
    errors: list[ErrorMap]


class Directs:
    """The direct ways of admitted operations, each prepared once and forgotten with its admission."""

    def __init__(self) -> None:
        self._prepared: WeakKeyDictionary[Admission, tuple[DirectRoot, ...] | None] = WeakKeyDictionary()

    def get(self, admission: Admission) -> tuple[DirectRoot, ...] | None:
        """The direct way, or None when the operation has to be executed."""
        try:
            return self._prepared[admission]
        except KeyError:
            return self._prepared.setdefault(admission, _prepare(admission.plan, admission))


def _prepare(plan: Plan, admission: Admission) -> tuple[DirectRoot, ...] | None:
    roots = []
    for root in plan.roots:
        access = admission.roots.get(root.field.key)
        read = _reader(root.field) if access is not None and plan.is_query else None
        if access is None or read is None:
            return None
        roots.append(DirectRoot(root.field.key, root.field, access, read, root.field.coordinate != "Query.users"))
    return tuple(roots)


async def run(roots: tuple[DirectRoot, ...], context: Context) -> Outcome:
    """Read all roots; a failure nulls its root, or everything where null is no answer."""
    if len(roots) == 1:
        results = [await _settled(roots[0], context)]
    else:
        results = await asyncio.gather(*(_settled(root, context) for root in roots))
    data: dict[str, Any] = {}
    errors: list[ErrorMap] = []
    whole = True
    for root, result in zip(roots, results, strict=True):
        failed = isinstance(result, Exception)
        data[root.key] = None if failed else result
        if failed:
            errors.append(format_error(located_error(result, root.field.nodes, [root.key])))
            whole = whole and root.nullable
    return Outcome(data if whole else None, errors)


async def _settled(root: DirectRoot, context: Context) -> Any:  # noqa: ANN401 - an answer, or the exception
    if root.access.closed:
        return None
    try:
        return await root.read(context, root.access)
    except Exception as error:  # noqa: BLE001 - becomes the root's error, as in an executor
        return error


def _reader(field: PlanField) -> Read | None:
    match field.coordinate:
        case "Query.me":
            return partial(_person, find_me) if _renders(field) else None
        case "Query.user" | "Query.node":
            return partial(_person, find_one) if _renders(field) else None
        case "Query.users":
            fields = field.children["UserConnection"]
            return partial(_page, fields) if all(map(_renders_part, fields.values())) else None
        case _:
            return None


def _renders(field: PlanField) -> bool:
    """Whether renderers know all that is selected beneath."""
    return all(
        child.coordinate.endswith(f".{TYPENAME}")
        or (child.spec is not None and (not child.children or _renders(child)))
        for fields in field.children.values()
        for child in fields.values()
    )


def _renders_part(part: PlanField) -> bool:
    if part.coordinate == "UserConnection.nodes":
        return _renders(part)
    if part.coordinate == "UserConnection.edges":
        nodes = (e for e in part.children["UserEdge"].values() if e.coordinate == "UserEdge.node")
        return all(map(_renders, nodes))
    return True


async def _person(
    find: Callable[[Context, RootAccess, Arguments], Awaitable[Found | None]], context: Context, access: RootAccess
) -> dict[str, Any] | None:
    found = await find(context, access, context.arguments[access.key])
    if found is None:
        return None
    raw, variant = found
    renderer = access.renderer((access.key,), _PERSON, variant)
    if renderer is None:
        raise RuntimeError("a direct read was prepared without its renderer")
    return renderer.row(raw, context.tally)


async def _page(fields: Mapping[str, PlanField], context: Context, access: RootAccess) -> dict[str, Any]:
    page = await find_page(context, access, context.arguments[access.key])
    return {key: await _part(field, page, context) for key, field in fields.items()}


async def _part(field: PlanField, page: Page, context: Context) -> Any:  # noqa: ANN401 - any part of a connection
    match field.coordinate:
        case "UserConnection.nodes":
            return context.render_all(page.loaded, field.path)
        case "UserConnection.edges":
            return _edges(field, page, context)
        case "UserConnection.pageInfo":
            return _page_info(field, page)
        case "UserConnection.totalCount":
            return await context.services.reader.count(page.filter)
        case _:
            return "UserConnection"


def _edges(field: PlanField, page: Page, context: Context) -> list[dict[str, Any]]:
    raws = page.loaded.raws
    columns: dict[str, Any] = {}
    for key, entry in field.children["UserEdge"].items():
        match entry.coordinate:
            case "UserEdge.node":
                columns[key] = context.render_all(page.loaded, entry.path)
            case "UserEdge.cursor":
                columns[key] = [cursor_of(page.order, raw) for raw in raws]
            case _:
                columns[key] = ["UserEdge"] * len(raws)
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _page_info(field: PlanField, page: Page) -> dict[str, Any]:
    raws = page.loaded.raws
    values: dict[str, Callable[[], Any]] = {
        "hasNextPage": lambda: page.has_next,
        "hasPreviousPage": lambda: page.has_previous,
        "startCursor": lambda: cursor_of(page.order, raws[0]) if raws else None,
        "endCursor": lambda: cursor_of(page.order, raws[-1]) if raws else None,
        TYPENAME: lambda: "PageInfo",
    }
    entries = field.children["PageInfo"].items()
    return {key: values[entry.coordinate.partition(".")[2]]() for key, entry in entries}
