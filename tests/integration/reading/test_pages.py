"""Pages: every person exactly once, in order, whatever the order and however small the page."""

from __future__ import annotations

import pytest

from auth.principal import Principal
from models.user import UserDocument
from models.vocabulary import Purpose, Role
from tests.integration.reading.world import Maker, World

LIST = """query($n: Int!, $after: String, $o: UserOrder) {
  users(first: $n, after: $after, orderBy: $o) {
    nodes { id } edges { cursor node { id } } totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""


async def pages(world: World, who: Principal, size: int, order: dict[str, str] | None) -> list[str]:
    """All identifiers, page by page."""
    seen: list[str] = []
    after = None
    while True:
        answer = await world.ask(who, LIST, Purpose.SUPPORT, n=size, after=after, o=order)
        found = answer.body["data"]["users"]
        assert [edge["node"]["id"] for edge in found["edges"]] == [node["id"] for node in found["nodes"]]
        assert found["pageInfo"]["hasPreviousPage"] == (after is not None)
        seen += [node["id"] for node in found["nodes"]]
        if not found["pageInfo"]["hasNextPage"]:
            return seen
        assert found["pageInfo"]["endCursor"] == found["edges"][-1]["cursor"]
        after = found["pageInfo"]["endCursor"]


@pytest.mark.parametrize("size", [1, 7, 40, 100])
@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize(
    ("field", "path"),
    [
        ("CREATED_AT", "created_at"),
        ("LAST_SEEN_AT", "last_seen_at"),
        ("LOGIN_COUNT", "login_count"),
        ("USERNAME", "username_key"),
    ],
)
async def test_every_person_comes_once_and_in_order(
    world: World, person: Maker, field: str, path: str, direction: str, size: int
) -> None:
    """Ties and missing values included."""
    if field in ("LAST_SEEN_AT", "LOGIN_COUNT"):
        await world.database.update_one(UserDocument, {"_id": world.ids[3]}, {"$unset": {"last_seen_at": ""}})
        await world.database.update_one(UserDocument, {"_id": world.ids[6]}, {"$unset": {"last_seen_at": ""}})
        await world.database.update_one(UserDocument, {"_id": world.ids[8]}, {"$set": {"login_count": 3}})
        await world.database.update_one(UserDocument, {"_id": world.ids[4]}, {"$set": {"login_count": 3}})
    who = person(world.ids[0], Role.SUPPORT)
    seen = await pages(world, who, size, {"field": field, "direction": direction})
    assert sorted(seen) == world.ids
    values = [(await world.row(identifier)).get(path) for identifier in seen]
    present = [value for value in values if value is not None]
    assert present == sorted(present, reverse=direction == "DESC")
    missing_first = direction == "ASC"
    gaps = [value is None for value in values]
    assert gaps == sorted(gaps, reverse=missing_first)


async def test_without_an_order_people_come_as_they_were_made(world: World, person: Maker) -> None:
    """By identifier, which begins with the time of making."""
    assert await pages(world, person(world.ids[0], Role.SUPPORT), 9, None) == world.ids


@pytest.mark.parametrize(
    "after",
    [
        "",
        "x",
        "!!!",
        "W10",
        "bnVsbA",
        "WyJfaWQiLHsiJGd0IjoiIn0sZmFsc2UsIngiXQ",
        "WyJ1c2VybmFtZV9rZXkiLCJhIixmYWxzZSwieCJd",
    ],
)
async def test_a_foreign_cursor_is_refused(world: World, person: Maker, after: str) -> None:
    """Broken ones, ones with an operator inside, ones of another order."""
    answer = await world.ask(person(world.ids[0], Role.SUPPORT), LIST, Purpose.SUPPORT, n=2, after=after)
    assert answer.body["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_total_count_follows_the_filter(world: World, person: Maker) -> None:
    """The count is of all pages, under the same filter."""
    expected = await world.database.count(UserDocument, {"status": "ACTIVE"})
    answer = await world.ask(
        person(world.ids[0], Role.SUPPORT),
        "{ users(first: 1, filter: {status: ACTIVE}) { totalCount nodes { id } } }",
        Purpose.SUPPORT,
    )
    assert answer.body["data"]["users"]["totalCount"] == expected
