"""Keys are replaced while two workers, which look for changes as they always do, serve requests: none fails."""

from __future__ import annotations

from typing import Final

import pytest

from models.crypto.envelope import key_version_of
from models.errors import Conflict
from models.keystore.keys import Keys
from models.user import UserDocument
from tests.integration.rotation.load import Load, newcomer
from tests.integration.rotation.world import ROTATIONS, World, emails
from tests.stores import clear_row

# Not the 8 s that there are for requests at their deadline: these take milliseconds, and workers a second to notice.
SETTLE: Final = 2.5

CHANGED_BY_LOAD: Final = {"phone", "given_name", "last_seen_ip"}


@pytest.mark.slow
@pytest.mark.parametrize("what", ROTATIONS)
async def test_no_request_fails_and_no_value_is_lost(what: str, world: World) -> None:
    """Registrations of one address at two workers at once, updates, sign-ins, pages."""
    load = Load([], list(emails()))
    async with world.opened() as other:
        load.workers = (world.service, other)
        async with load.running():
            await ROTATIONS[what](world.paced(settle=SETTLE))
    assert min(load.done[act] for act in ("register", "update", "sign_in", "read")) > 10, load.done
    now = await world.everything()
    for place, values in world.before.items():
        kept = {path: value for path, value in values.items() if path not in CHANGED_BY_LOAD}
        assert kept.items() <= now[place].items()
    for person, address in load.registered.items():
        row = await clear_row(world.service, UserDocument, {"email": address})
        assert (row["_id"], row["email"]) == (person, address)
    status = await world.status()
    assert (status.older, status.clear, status.under_way) == (0, 0, {})
    assert [len(each) for each in (status.roots, status.wrapping, status.peppers)] == [1, 1, 1]


async def noticed(keys: Keys, epoch: int) -> None:
    """Wait until a worker knows of all changes up to `epoch`: a fetch that is under way may have seen less."""
    while keys.epoch < epoch:
        await keys.refresh()


async def test_in_the_middle_of_a_new_pepper_an_address_is_had_once(world: World) -> None:
    """By a worker that has not noticed yet and by one that has: whichever is first."""
    names = iter(range(100))
    refused = 0

    async def both_ask(step: str) -> None:
        nonlocal refused
        for workers in ((world.service, aware), (aware, world.service)):
            address = f"{step}.{next(names)}@people.example"
            await workers[0].insert(newcomer(f"n{next(names)}", address))
            with pytest.raises(Conflict):
                await workers[1].insert(newcomer(f"n{next(names)}", address))
            refused += 1
            for worker in workers:
                assert await worker.count(UserDocument, {"email": address}) == 1

    async with world.opened() as aware:
        course = world.course
        step, changed = type(course).step, type(course).changed

        async def told(self: object, rotation: object, to: str) -> None:
            await step(course, rotation, to)  # type: ignore[arg-type]  # what it was called with
            await aware.sealing.keys.refresh()  # type: ignore[union-attr]  # one notices, the other does not yet
            await both_ask(to)

        async def waited(self: object, **state: object) -> None:
            await changed(course, **state)
            # What the wait is for, which is none here: by its end everybody knows of the change.
            await noticed(world.service.sealing.keys, course.keys.epoch)  # type: ignore[union-attr]  # tests only

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(course), "step", told)
            patch.setattr(type(course), "changed", waited)
            await ROTATIONS["index"](course)
    assert refused > 3
    await world.assert_nothing_is_lost()


async def test_what_a_late_writer_sealed_with_the_earlier_key_is_sealed_anew(world: World) -> None:
    """It had taken the key before the change, and comes after the first look at its row."""
    person = next(iter(emails()))
    late = world.service.sealing.keys  # type: ignore[union-attr]  # it is there, or the test fails
    old = (await late.of([person]))[person]
    plan = world.service.sealing.plan(UserDocument)  # type: ignore[union-attr]  # it is there, or the test fails
    value = plan.sealed(person, person, old, {"phone": "+4670000001"})["phone"]
    written = False

    def write(step: str, _more: int) -> None:
        nonlocal written
        if step == "seal" and not written:
            written = True
            collection = world.service._of(UserDocument).delegate
            collection.update_one({"_id": person}, {"$set": {"phone": value}})

    await ROTATIONS["data"](world.paced(progress=write))
    assert written
    assert key_version_of(value) == 1
    row = await clear_row(world.service, UserDocument, {"_id": person})
    assert row["phone"] == "+4670000001"
