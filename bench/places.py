"""Whom the requests ask for: ids from the database, cursors from the API as a client gets them."""

from __future__ import annotations

from typing import Final

import orjson

from bench.servers import Running, ServerFailed, post
from bench.workloads import Places
from bench.world import World
from models.vocabulary import Role

_PAGE: Final = "query($after: String) { users(first: 100, after: $after) { pageInfo { hasNextPage endCursor } } }"


def find_places(world: World, fieldward: Running) -> Places:
    """Everybody's id, and the cursors between the pages of all people."""
    token = world.staff_tokens(Role.SUPPORT, 1)[0]
    cursors: list[str] = []
    while True:
        variables = {"after": cursors[-1] if cursors else None}
        _, answer = post(fieldward.port, orjson.dumps({"query": _PAGE, "variables": variables}), token)
        page = orjson.loads(answer).get("data", {}).get("users", {}).get("pageInfo")
        if page is None:
            raise ServerFailed(f"Fieldward gave no page: {answer[:300]}")
        if not page["hasNextPage"]:
            return Places(world.ids(), cursors)
        cursors.append(page["endCursor"])
