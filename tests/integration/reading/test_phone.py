"""People are found by a telephone number as a whole, though it is sealed."""

from __future__ import annotations

from models.vocabulary import Purpose, Role
from tests.integration.reading.world import Maker, World

FIND = "query ($n: String!) { users(filter: {phone: $n}) { nodes { id phone } totalCount } }"


async def test_a_number_finds_who_has_it(world: World, person: Maker) -> None:
    """In any spelling that means the same; support sees the masked one, which is right enough for an exact look-up."""
    target = next(row for row in [await world.row(identifier) for identifier in world.ids] if row.get("phone"))
    number = target["phone"]
    for spelling in (number, f"{number[:4]} {number[4:7]}-{number[7:]}", f"00{number[1:]}"):
        answer = await world.ask(person(world.ids[0], Role.SUPPORT), FIND, Purpose.SUPPORT, n=spelling)
        found = answer.body["data"]["users"]
        assert target["_id"] in [node["id"] for node in found["nodes"]]
        assert {node["phone"] for node in found["nodes"]} == {f"•••{number[-2:]}"}
        assert found["totalCount"] == len(found["nodes"])


async def test_nobody_has_an_unknown_number(world: World, person: Maker) -> None:
    """An empty list, and the number is in no command that went to the database."""
    world.recorder.clear()
    answer = await world.ask(person(world.ids[0], Role.SUPPORT), FIND, Purpose.SUPPORT, n="+4670000111222")
    assert answer.body["data"]["users"] == {"nodes": [], "totalCount": 0}
    assert "4670000111222" not in repr(world.recorder.commands)


async def test_what_is_no_number_is_said_so(world: World, person: Maker) -> None:
    """By a code and a place, without the value."""
    answer = await world.ask(person(world.ids[0], Role.SUPPORT), FIND, Purpose.SUPPORT, n="call me")
    [error] = answer.body["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["extensions"]["inputPath"] == ["filter", "phone"]
    assert "call me" not in repr(answer.body)


async def test_it_needs_the_right_to_read_numbers(world: World, person: Maker) -> None:
    """An analyst has none."""
    answer = await world.ask(person(world.ids[0], Role.ANALYST), FIND, Purpose.ANALYTICS, n="+4670000111222")
    assert "User.phone" in {error["extensions"]["coordinate"] for error in answer.body["errors"]}
