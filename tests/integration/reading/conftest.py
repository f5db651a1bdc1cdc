"""Fixtures over the small world of `world.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from auth.principal import Kind, Principal, Scope, Shape
from auth.rules import purposes_of_person
from models.embedded import Embedded
from models.seeding import seed_people
from models.user import UserDocument
from models.vocabulary import Purpose, Role
from tests.integration.reading.world import PEOPLE, Maker, Recorder, World, make_engine
from tests.stores import sealed_database


@pytest.fixture(scope="module")
async def world(mongod: Embedded) -> AsyncIterator[World]:
    """`PEOPLE` generated people and an engine over them."""
    recorder = Recorder()
    async with sealed_database(mongod.admin_url, listeners=[recorder]) as database:
        await seed_people(database, PEOPLE, seed=7, region="eu")
        rows = await database.find(UserDocument, {}, projection={"_id": 1}, sort=[("_id", 1)])
        ids = [row["_id"] for row in rows]
        fast, slow = make_engine(database, by_rows=True), make_engine(database, by_rows=False)
        yield World(database, ids, fast, slow, recorder)


@pytest.fixture
def person() -> Maker:
    """Makes a signed-in person: `person(id, Role.SUPPORT)`."""

    def make(identifier: str, *roles: Role) -> Principal:
        held = frozenset(roles)
        return Principal(Shape(Kind.PERSON, held, region="eu"), id=identifier, purposes=purposes_of_person(held))

    return make


@pytest.fixture
def service() -> Maker:
    """Makes a service: `service("user.contact:read", purposes=[Purpose.SUPPORT])`."""

    def make(*scopes: str, purposes: list[Purpose]) -> Principal:
        shape = Shape(Kind.SERVICE, scopes=frozenset(map(Scope.parse, scopes)), region="eu")
        return Principal(shape, id="cli_eu_test", purposes=frozenset(purposes))

    return make
