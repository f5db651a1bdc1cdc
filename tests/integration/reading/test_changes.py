"""Whose row a change is about: the one that `id` names, else one's own, whatever the new values are."""

from __future__ import annotations

import pytest

from models.vocabulary import Purpose
from tests.integration.reading.world import Maker, World

CHANGE = "mutation($input: UpdateUserInput!) { updateUser(input: $input) { user { id } errors { code path } } }"


@pytest.mark.parametrize(
    ("name", "value"), [("username", "a.new.name"), ("phone", "+41446681800"), ("locale", "fr-CA")]
)
async def test_without_an_identifier_one_changes_oneself(world: World, person: Maker, name: str, value: str) -> None:
    """A new name or number is a value to store, and not a person to look for."""
    mine = world.ids[0]
    answer = await world.ask(person(mine), CHANGE, Purpose.ACCOUNT, input={name: value})
    assert answer.body == {"data": {"updateUser": {"user": {"id": mine}, "errors": []}}}
    assert (await world.row(mine))[name] == value


async def test_a_name_that_is_taken_is_a_failure_and_no_refusal(world: World, person: Maker) -> None:
    """Nothing is changed."""
    mine, other = world.ids[1], world.ids[2]
    taken = (await world.row(other))["username"]
    answer = await world.ask(person(mine), CHANGE, Purpose.ACCOUNT, input={"username": taken, "locale": "fr-CA"})
    payload = answer.body["data"]["updateUser"]
    assert (payload["user"], payload["errors"]) == (None, [{"code": "TAKEN", "path": ["input", "username"]}])
    assert (await world.row(mine))["locale"] != "fr-CA"


async def test_another_person_is_named_by_the_identifier_alone(world: World, person: Maker) -> None:
    """With one's own name as the new value it is still another's row."""
    mine, other = world.ids[3], world.ids[4]
    own_name = (await world.row(mine))["username"]
    answer = await world.ask(person(mine), CHANGE, Purpose.ACCOUNT, input={"id": other, "username": own_name})
    assert answer.status == 403
    assert (await world.row(other))["username"] != own_name
