"""The limit in Python: Starlette without GraphQL. It checks the token, reads the same paths, masks, and writes JSON."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.peers.python.common import MASKS, Access, Callers, People, Raw, Shared, serve

_OPTIONS: Final = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z


def application() -> Starlette:
    """The application, from the environment."""
    shared = Shared.load()
    callers, people = Callers(shared), People(shared, tz_aware=False)
    fields: Mapping[str, Any] = orjson.loads(os.environ["BENCH_FIELDS"])

    async def answer(request: Request) -> Response:
        access = callers.access(request)
        asked = orjson.loads(await request.body())
        wanted, variables = fields[asked["operationName"]], asked["variables"]
        names, first = wanted["names"], wanted.get("first")
        data: dict[str, Any]
        if first is None:
            raw = await people.one(variables["id"], names, access)
            data = {"user": raw and _show([raw], names, access, shared)[0]}
        else:
            rows = await people.many(first, variables["after"], names, access)
            data = {"users": {"nodes": _show(rows, names, access, shared)}}
        return Response(orjson.dumps({"data": data}, option=_OPTIONS), media_type="application/json")

    return Starlette(routes=[Route("/graphql", answer, methods=["POST"])])


def _mask_address(value: Raw) -> Raw:
    return {"city": MASKS["Address.city"](value["city"]) if "city" in value else None}


_MASKS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "email": MASKS["User.email"],
    "phone": MASKS["User.phone"],
    "address": _mask_address,
}


def _show(rows: list[Raw], names: list[str], access: Access, shared: Shared) -> list[Raw]:
    pairs = [(name, shared.paths[f"User.{name}"]) for name in names]
    masks = [(name, _MASKS[name]) for name in names if access.masked(f"User.{name}")]
    shown = []
    for raw in rows:
        get = raw.get
        row = {name: get(path) for name, path in pairs}
        for name, mask in masks:
            if row[name] is not None:
                row[name] = mask(row[name])
        shown.append(row)
    return shown


if __name__ == "__main__":
    serve(application())
