"""Each key is replaced: all values open, people are found, and the earlier key is gone."""

from __future__ import annotations

import pytest

from models.crypto.roots import RootKeyMissing, Wrapped
from models.errors import Conflict
from models.keystore.documents import KeyDocument, RotationDocument
from models.keystore.ring import key_name
from models.rotation.data import rotate_data
from models.rotation.index import rotate_index
from models.rotation.wrapping import rotate_root, rotate_wrapping
from models.user import UserDocument
from tests.integration.rotation.interruptions import Killed
from tests.integration.rotation.world import PEOPLE, ROTATIONS, World, emails, versions_of

pytestmark = pytest.mark.slow  # each test makes a world of its own


@pytest.mark.parametrize("what", ROTATIONS)
async def test_nothing_is_lost(what: str, world: World) -> None:
    """Twice in a row, and no note of a rotation is left."""
    for _ in range(2):
        await ROTATIONS[what](world.course)
        await world.assert_nothing_is_lost()
    assert await world.store.count(RotationDocument, {}) == 0


async def test_one_after_the_other_nothing_is_lost(world: World) -> None:
    """Then everything is on second versions, and on nothing else."""
    for rotate in ROTATIONS.values():
        await rotate(world.course)
    await world.assert_nothing_is_lost()
    status = await world.status()
    assert set(status.wrapping) == set(status.peppers) == set(status.values or ()) == {2}
    assert len(status.roots) == 1
    assert (status.clear, status.older, status.destroyed, status.under_way) == (0, 0, 0, {})
    assert status.people == PEOPLE


async def test_a_root_key_that_was_given_up_opens_no_older_copy(world: World) -> None:
    """Of the key store: the wrapped key of a backup is worth nothing."""
    [backup] = await world.store.find(KeyDocument, {"kind": "encryption"})
    name = await rotate_root(world.course, retire=True)
    assert (await world.roots.versions()).alive == (name,)
    with pytest.raises(RootKeyMissing):
        await world.roots.unwrap(key_name(backup), Wrapped(backup["root"], backup["wrapped"]))


async def test_without_giving_it_up_the_earlier_root_key_still_opens_backups(world: World) -> None:
    """It wraps nothing of the key store any more."""
    [backup] = await world.store.find(KeyDocument, {"kind": "encryption"})
    name = await rotate_root(world.course, retire=False)
    assert await world.roots.unwrap(key_name(backup), Wrapped(backup["root"], backup["wrapped"]))
    assert {row["root"] for row in await world.store.find(KeyDocument, {"kind": "encryption"})} == {name}


async def test_all_that_were_before_are_given_up(world: World) -> None:
    """Those of rotations that kept theirs as well, also where key-encryption keys were replaced meanwhile; not those
    that this key store never had."""
    first = (await world.roots.versions()).current
    foreign = (await world.roots.rotate()).current
    await world.roots.rotate()
    await rotate_root(world.course, retire=False)
    await rotate_wrapping(world.course)
    second = (await world.roots.versions()).current
    last = await rotate_root(world.course, retire=True)
    assert first != second != last
    assert (await world.roots.versions()).alive == (foreign, last)


async def test_what_an_interrupted_rotation_was_to_give_up_the_next_does(world: World) -> None:
    """The earlier root key had leaked, perhaps."""

    def stop(_step: str, _more: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        await rotate_root(world.paced(progress=stop), retire=True)
    name = await rotate_root(world.course, retire=True)
    assert (await world.roots.versions()).alive == (name,)


async def test_a_key_encryption_key_of_another_region_keeps_its_root(world: World) -> None:
    """What wraps a key of any region is not given up."""
    [row] = await world.store.find(KeyDocument, {"kind": "encryption"})
    other = KeyDocument(
        id="encryption:us:1", kind=row["kind"], region="us", version=1, wrapped=row["wrapped"], root=row["root"]
    )
    await world.store.insert(other)
    await rotate_root(world.course, retire=True)
    assert row["root"] in (await world.roots.versions()).alive


async def test_earlier_key_encryption_keys_are_gone(world: World) -> None:
    """From the key store: what they had wrapped, as in a backup, stays closed without a backup of them."""
    assert await rotate_wrapping(world.course) == 2
    assert await world.versions("encryption") == [2]


async def test_everybody_has_a_new_data_key_and_only_that(world: World) -> None:
    """And no stored value is what it was."""
    before = {person: await world.stored(person) for person in emails()}
    assert await rotate_data(world.course) == PEOPLE
    assert versions_of(await world.data_keys()) == {2}
    for person, row in before.items():
        assert (await world.stored(person))["email"] != row["email"]


async def test_codes_are_under_the_new_pepper_only(world: World) -> None:
    """Of everybody, and the old pepper is gone."""
    assert await rotate_index(world.course) == 2
    assert await world.versions("index") == [2]
    for person in emails():
        assert [code["v"] for code in (await world.stored(person))["email_index"]] == [2]


async def test_addresses_stay_taken_after_a_new_pepper(world: World) -> None:
    """Whoever had it, has it."""
    await rotate_index(world.course)
    await world.let_service_look()
    address = next(iter(emails().values()))
    with pytest.raises(Conflict) as taken:
        await world.service.insert(
            UserDocument(id="usr_eu_other", username="other", username_key="other", email=address.upper())
        )
    assert taken.value.field == "email"


async def test_somebody_whose_key_is_destroyed_meanwhile_gets_none(world: World) -> None:
    """No rotation brings it back."""
    gone = next(iter(emails()))
    for what, rotate in ROTATIONS.items():
        if what == "kek":
            await world.course.keys.destroy(gone)
        await rotate(world.course)
        assert (gone in await world.data_keys()) == (what == "root")
