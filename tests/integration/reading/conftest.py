"""Fixtures over the small world of `world.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from auth.principal import Kind, Principal, Scope, Shape
from auth.rules import purposes_of_person
from models.database import Database
from models.embedded import Embedded
from models.seeding import seed_people
from models.user import UserDocument
from models.vocabulary import Purpose, Role
from tests.integration.reading.world import PEOPLE, Maker, Recorder, World, make_engine


@pytest.fixture(scope="module")
async def world(mongod: Embedded) -> AsyncIterator[World]:
    """`PEOPLE` generated people and an engine over them."""
    recorder = Recorder()
    database = await Database.connect(mongod.admin_url, name=f"test_{uuid4().hex}", listeners=[recorder])
    await database.make_indexes()
    await seed_people(database, PEOPLE, seed=7, region="eu")
    rows = await database.find(UserDocument, {}, projection={"_id": 1}, sort=[("_id", 1)])
    ids = [row["_id"] for row in rows]
    made = World(database, ids, make_engine(database, by_rows=True), make_engine(database, by_rows=False), recorder)
    yield made
    await database.drop()
    await database.close()


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
