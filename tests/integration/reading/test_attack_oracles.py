"""Ways to learn what a person's row withholds, or that somebody exists, without reading a field."""

from __future__ import annotations

import pytest

from models.vocabulary import Purpose, Role
from tests.integration.reading.test_reading import reasons
from tests.integration.reading.world import Maker, World

NOTHING = "mutation($id: ID) { updateUser(input: {id: $id}) { errors { code } } }"


@pytest.mark.parametrize("purpose", [Purpose.ACCOUNT, None])
async def test_changing_nothing_does_not_tell_that_somebody_exists(
    world: World, person: Maker, purpose: Purpose | None
) -> None:
    """Refused for somebody and for nobody, before any command is sent."""
    for whom in (world.ids[3], "usr_eu_" + "0" * 26):
        world.recorder.clear()
        answer = await world.ask(person(world.ids[2]), NOTHING, purpose, id=whom)
        assert (answer.status, list(reasons(answer))) == (403, ["User.id"])
        assert world.recorder.commands == []


async def test_who_may_know_of_people_may_change_nothing_of_them(world: World, person: Maker) -> None:
    """The privacy office reads identifiers, so it may be told that there is no such person."""
    officer = person(world.ids[0], Role.PRIVACY)
    known = await world.ask(officer, NOTHING, Purpose.LEGAL, id=world.ids[3])
    unknown = await world.ask(officer, NOTHING, Purpose.LEGAL, id="usr_eu_" + "0" * 26)
    assert known.body["data"]["updateUser"] == {"errors": []}
    assert unknown.body["data"]["updateUser"] == {"errors": [{"code": "NOT_FOUND"}]}
