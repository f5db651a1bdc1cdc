"""Exactly one key names a person; anything else is refused for what it is, before anything runs."""

from __future__ import annotations

import pytest

from models.vocabulary import Purpose
from tests.integration.reading.world import Maker, World

BY = "query ($by: UserBy!) { user(by: $by) { id } }"


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ('{ user(by: {id: "x", username: "y"}) { id } }', {}),
        ("{ user(by: {}) { id } }", {}),
        ("{ user(by: {id: null}) { id } }", {}),
        (BY, {"by": {"id": "x", "email": "a@b.example"}}),
        (BY, {"by": {}}),
        (BY, {"by": {"id": None}}),
        ("query ($id: ID) { user(by: {id: $id}) { id } }", {}),
        ("query ($id: ID) { user(by: {id: $id}) { id } }", {"id": None}),
        ("query ($n: Int) { users { nodes { devices(first: $n) { name } } } }", {"n": None}),
    ],
)
async def test_what_cannot_be_used_is_the_clients_mistake(
    world: World, person: Maker, query: str, variables: dict[str, object]
) -> None:
    """400 with a reason; never an error of the inside, and no command reaches the database."""
    world.recorder.clear()
    answer = await world.ask(person(world.ids[0]), query, Purpose.ACCOUNT, **variables)
    codes = {error["extensions"]["code"] for error in answer.body["errors"]}
    assert answer.status in (400, 403)
    assert codes <= {"GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT", "FORBIDDEN"}
    assert world.recorder.reads() == []
