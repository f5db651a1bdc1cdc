"""What does not open stops a rotation, which names it and keeps the earlier keys; pace and counting."""

from __future__ import annotations

import asyncio
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from models.crypto.envelope import SealBroken
from models.keystore.documents import DataKeyDocument
from models.rotation import course as pacing
from models.rotation.data import rotate_data
from models.rotation.index import rotate_index
from models.rotation.status import status_of
from models.user import UserDocument
from tests.integration.rotation.interruptions import Killed
from tests.integration.rotation.world import PEOPLE, ROTATIONS, World, emails, versions_of

pytestmark = pytest.mark.slow  # each test makes a world of its own

FLIPS = {"format": 0, "version": 4, "nonce": 7, "ciphertext": 20, "tag": -1}


async def tampered(world: World, person: str, path: str, place: int) -> bytes:
    """One bit of a stored value turned; what it was before."""
    value: bytes = (await world.stored(person))[path]
    changed = bytearray(value)
    changed[place] ^= 4
    assert await world.course.main.exchange(UserDocument, person, {path: value}, {path: bytes(changed)})
    return value


@pytest.mark.parametrize("part", FLIPS)
async def test_a_value_that_was_changed_stops_a_rotation_of_data_keys(part: str, world: World) -> None:
    """The message names field and document, and everybody keeps their earlier key until it is mended."""
    person = next(iter(emails()))
    value = await tampered(world, person, "email", FLIPS[part])
    broken = (await world.stored(person))["email"]
    with pytest.raises(SealBroken) as stopped:
        await rotate_data(world.course)
    assert stopped.value.message == f"users.email of {person} does not open: mend or remove it first."
    assert versions_of(await world.data_keys()) == {1, 2}
    assert all(versions == [1, 2] for versions in (await world.data_keys()).values())
    assert (await world.status()).under_way == {"data:eu": "seal"}
    assert await world.course.main.exchange(UserDocument, person, {"email": broken}, {"email": value})
    await rotate_data(world.course)
    await world.assert_nothing_is_lost()
    assert versions_of(await world.data_keys()) == {2}


async def test_it_stops_a_rotation_of_the_pepper_too(world: World) -> None:
    """Where it is one that people are looked up by; the earlier pepper stays."""
    person = next(iter(emails()))
    await tampered(world, person, "email", -1)
    with pytest.raises(SealBroken, match=f"users.email of {person} does not open"):
        await rotate_index(world.course)
    assert await world.versions("index") == [1, 2]


async def test_the_rate_is_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many documents at once, and a second of rest after them."""
    slept: list[float] = []
    told: list[tuple[str, int]] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(pacing, "asyncio", SimpleNamespace(sleep=sleep, gather=asyncio.gather))
    await rotate_data(world.paced(rate=10.0, settle=0.25, progress=lambda step, more: told.append((step, more))))
    rests = [seconds for seconds in slept if seconds != 0.25]
    assert len(rests) == sum(more > 0 for _, more in told)
    assert max(more for _, more in told) == 10
    assert sum(rests) == pytest.approx(sum(more for _, more in told) / 10)
    made: Counter[str] = Counter()
    for step, more in told:
        made[step] += more
    assert (made["make"], made["retire"]) == (PEOPLE, PEOPLE)


async def test_status_counts_what_is_on_each_key(world: World) -> None:
    """Also in the middle of a rotation."""
    before = await world.status()
    sealed = sum(len(values) for values in world.before.values())
    assert (before.wrapping, before.peppers, before.values) == ({1: PEOPLE}, {1: await codes(world)}, {1: sealed})
    assert (before.people, before.older, before.destroyed, before.clear) == (PEOPLE, 0, 0, 0)
    assert before.sealed

    def stop(step: str, _more: int) -> None:
        if step == "retire":
            raise Killed

    with pytest.raises(Killed):
        await rotate_data(world.paced(progress=stop, rate=10.0))
    halfway = await world.status()
    assert (halfway.people, halfway.older, halfway.values) == (PEOPLE, PEOPLE - 10, {2: sealed})
    assert halfway.under_way == {"data:eu": "retire"}


async def test_status_without_counting_looks_at_no_value(world: World) -> None:
    """It says so by leaving the numbers out."""
    status = await status_of(world.course, count_values=False)
    assert (status.values, status.clear) == (None, None)


async def test_status_knows_destroyed_keys(world: World) -> None:
    """They are counted, and their values still lie there until the rows go."""
    await world.course.keys.destroy(next(iter(emails())))
    status = await world.status()
    assert (status.people, status.destroyed) == (PEOPLE - 1, 1)


async def test_people_whose_keys_are_wrapped_anew_meanwhile_get_a_new_one_all_the_same(world: World) -> None:
    """Two rotations at once, of different keys: nobody is left out of either."""
    course, done = world.course, False
    update_one = world.store.update_one

    async def meeting(document: Any, filter: Any, update: Any, **more: Any) -> int:  # noqa: A002, ANN401 - MongoDB's own word
        nonlocal done
        if document is DataKeyDocument and "$push" in update and not done:
            done = True
            await ROTATIONS["kek"](world.paced(progress=lambda _step, _more: None))
        return await update_one(document, filter, update, **more)

    world.store.update_one = meeting  # type: ignore[method-assign]  # of this one object
    await rotate_data(course)
    assert done
    assert versions_of(await world.data_keys()) == {2}
    await world.assert_nothing_is_lost()
    assert await world.versions("encryption") == [2]


async def test_codes_are_made_also_where_values_are_sealed_anew_meanwhile(world: World) -> None:
    """Whoever lost to another rotation is looked at again, however often."""
    unlucky, lost = next(iter(emails())), 0
    exchange = world.course.main.exchange

    async def meeting(document: Any, row: str, before: Any, after: Any, gone: Any = ()) -> bool:  # noqa: ANN401 - any type, as the caller has it
        nonlocal lost
        if row == unlucky and "email_index" in after and lost < 4:
            lost += 1
            await rotate_data(world.course)
        return await exchange(document, row, before, after, gone)

    world.course.main.exchange = meeting  # type: ignore[method-assign]  # of this one object
    await rotate_index(world.course)
    assert lost == 4
    await world.assert_nothing_is_lost()


async def codes(world: World) -> int:
    """How many codes people have."""
    looked_up = ("email_index", "phone_index", "import_key_index")
    rows = await world.course.main.find(UserDocument, {}, projection=dict.fromkeys(looked_up, 1))
    return sum(len(row.get(path, ())) for row in rows for path in looked_up)
