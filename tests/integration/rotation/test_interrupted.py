"""A rotation that was cut short goes on when it is run again, and nothing is lost wherever that was."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from graph.limits import Limits
from models.database.connection import TIMEOUT
from models.embedded import Embedded
from models.keystore.documents import RotationDocument
from models.keystore.region import MAX_AGE
from models.rotation.course import SETTLE
from tests.integration.rotation.interruptions import Killed, halted_at, killed_everywhere
from tests.integration.rotation.world import ROTATIONS, World, versions_of, world_of

pytestmark = pytest.mark.slow  # each test makes a world of its own

STEPS = {"root": ["wrap"], "kek": ["wrap"], "index": ["fill", "trim"], "data": ["make", "seal", "retire"]}


@pytest.fixture
async def small_world(mongod: Embedded) -> AsyncIterator[World]:
    """Few people: it is rotated a hundred times."""
    async with world_of(mongod.admin_url, f"test_{uuid4().hex}", people=3) as made:
        yield made


@pytest.mark.parametrize("what", ROTATIONS)
async def test_it_tells_its_steps(what: str, world: World) -> None:
    """By their names, in their order."""
    told: list[str] = []
    await ROTATIONS[what](world.paced(progress=lambda step, _more: told.append(step)))
    assert list(dict.fromkeys(told)) == STEPS[what]


@pytest.mark.parametrize(("what", "step"), [(what, step) for what, steps in STEPS.items() for step in steps])
async def test_cut_short_in_a_step_it_goes_on(what: str, step: str, world: World) -> None:
    """With the same versions: none is left out, and none comes twice."""

    def stop(at: str, _more: int) -> None:
        if at == step:
            raise Killed

    with pytest.raises(Killed):
        await ROTATIONS[what](world.paced(progress=stop))
    await world.assert_nothing_is_lost()
    await ROTATIONS[what](world.course)
    await world.assert_nothing_is_lost()
    assert await world.store.count(RotationDocument, {}) == 0
    assert set(await world.versions("encryption")) == ({2} if what == "kek" else {1})
    assert set(await world.versions("index")) == ({2} if what == "index" else {1})
    assert versions_of(await world.data_keys()) == ({2} if what == "data" else {1})


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("what", ROTATIONS)
async def test_killed_at_any_call_of_a_database_nothing_is_lost(what: str, after: bool, small_world: World) -> None:
    """Just before it and just after it; run again it ends."""

    async def check() -> None:
        assert await small_world.everything() == small_world.before

    calls = await killed_everywhere(small_world, ROTATIONS[what], after=after, check=check)
    assert calls > 4
    await small_world.assert_nothing_is_lost()
    status = await small_world.status()
    assert (status.under_way, status.older, len(status.wrapping), len(status.peppers)) == ({}, 0, 1, 1)


async def test_one_that_another_process_has_ended_stops(world: World) -> None:
    """It does not go on with the notes of a later one."""
    first = await world.course.begin("data", "make", 0)
    await world.course.end(first)
    later = await world.course.begin("data", "make", 0)
    assert later.started_at > first.started_at
    with pytest.raises(Exception, match="Another process has ended this rotation"):
        await world.course.step(first, "retire")
    await world.course.end(first)
    [row] = await world.store.find(RotationDocument, {})
    assert (row["started_at"], row["step"]) == (later.started_at, "make")


@pytest.mark.parametrize("what", ROTATIONS)
async def test_a_slow_process_beside_quick_ones_loses_nothing(what: str, small_world: World) -> None:
    """It halts at any call of a database, while others rotate the same keys twice to the end."""

    async def others() -> None:
        for _ in range(2):
            await ROTATIONS[what](small_world.course)

    calls = 0
    while await halted_at(small_world, ROTATIONS[what], calls, meanwhile=others):
        assert await small_world.everything() == small_world.before
        calls += 1
    assert calls > 4
    await ROTATIONS[what](small_world.course)
    await small_world.assert_nothing_is_lost()


def test_two_waits_outlast_every_request() -> None:
    """Noticing, a whole request, and a call that was under way when it was cut off (docs/decisions/0022)."""
    assert MAX_AGE + Limits().seconds + TIMEOUT < 2 * SETTLE


@pytest.mark.parametrize("what", ["kek", "index", "data"])
async def test_a_slow_process_beside_one_in_the_middle_loses_nothing(what: str, small_world: World) -> None:
    """It halts at any call of a database, while its rotation is ended by another process and a later one begun."""

    def stop(_step: str, _more: int) -> None:
        raise Killed

    async def others() -> None:
        await ROTATIONS[what](small_world.course)
        with pytest.raises(Killed):
            await ROTATIONS[what](small_world.paced(progress=stop))

    calls = 0
    while await halted_at(small_world, ROTATIONS[what], calls, meanwhile=others):
        assert await small_world.everything() == small_world.before
        await ROTATIONS[what](small_world.course)
        assert await small_world.everything() == small_world.before
        calls += 1
    assert calls > 4
    await small_world.assert_nothing_is_lost()
