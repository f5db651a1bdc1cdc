"""The keys of a region: the newest wraps, each unwraps its own, and nothing of another region or person passes."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import pytest

from models.crypto.blind_index import Pepper
from models.crypto.envelope import DataKeys, SealBroken
from models.crypto.roots import RootKeyMissing
from models.crypto.wrapping import KeyKind, KeyName, WrappingKey
from models.keystore.ring import Ring, UnknownKey, key_id, key_name, new_secret, unwrapped_ring
from tests.bindings import Binding, seal
from tests.stores import HeldRoots

FIRST, SECOND = WrappingKey(bytes(32), 1), WrappingKey(bytes([1]) * 32, 2)
PEPPERS: Final = [Pepper(bytes([2]) * 32, 1), Pepper(bytes([3]) * 32, 2)]
HERE: Final = Binding("eu", "users", "usr_eu_a", "usr_eu_a", "email")


def stored(person: str, *wrapped: bytes) -> dict[str, Any]:
    """A row of `DataKeyDocument`."""
    return {"_id": person, "keys": [{"v": version, "wrapped": blob} for version, blob in enumerate(wrapped, 1)]}


def opens(keys: DataKeys, sealed: bytes) -> bool:
    """Whether a value of `HERE` opens."""
    try:
        return keys.open_at(HERE.row, HERE.column, sealed) == b"value"
    except SealBroken:
        return False


def test_the_newest_wraps() -> None:
    """In whatever order the keys came."""
    for keys in ([FIRST, SECOND], [SECOND, FIRST]):
        ring = Ring("eu", keys, PEPPERS)
        _key, wrapped = ring.wraps("usr_eu_a", 1)
        assert ring.newest is SECOND
        assert int.from_bytes(wrapped[1:5], "big") == 2


def test_what_is_alive_unwraps() -> None:
    """Values of a key that the first one wrapped open while that is alive, and are unknown after it."""
    key, wrapped = Ring("eu", [FIRST], PEPPERS).wraps("usr_eu_a", 1)
    sealed = seal(key, HERE, b"value")
    assert opens(Ring("eu", [FIRST, SECOND], PEPPERS).unwraps(stored("usr_eu_a", wrapped)), sealed)
    with pytest.raises(UnknownKey):
        Ring("eu", [SECOND], PEPPERS).unwraps(stored("usr_eu_a", wrapped))
    with pytest.raises(UnknownKey):
        Ring("eu", [SECOND], PEPPERS).wrapping(1)


def test_all_versions_of_a_person_open() -> None:
    """And the last seals."""
    ring = Ring("eu", [FIRST], PEPPERS)
    (old, first), (new, second) = ring.wraps("usr_eu_a", 1), ring.wraps("usr_eu_a", 2)
    keys = ring.unwraps(stored("usr_eu_a", first, second))
    assert keys.newest.version == 2
    assert opens(keys, seal(old, HERE, b"value"))
    assert opens(keys, seal(new, HERE, b"value"))


@pytest.mark.parametrize(
    ("region", "row"),
    [("eu", "usr_eu_b"), ("us", "usr_eu_a"), ("us", "usr_us_a")],
    ids=["another person", "another region", "both"],
)
def test_a_wrapped_key_is_one_persons_of_one_region(region: str, row: str) -> None:
    """Put into another row, or another region's store that has the same key above it, it does not unwrap."""
    _key, wrapped = Ring("eu", [FIRST], PEPPERS).wraps("usr_eu_a", 1)
    with pytest.raises(SealBroken):
        Ring(region, [FIRST], PEPPERS).unwraps(stored(row, wrapped))


def test_a_wrapped_key_is_one_version() -> None:
    """An old one put in the place of the new one is refused."""
    _key, wrapped = Ring("eu", [FIRST], PEPPERS).wraps("usr_eu_a", 1)
    with pytest.raises(SealBroken):
        Ring("eu", [FIRST], PEPPERS).unwraps({"_id": "usr_eu_a", "keys": [{"v": 2, "wrapped": wrapped}]})


def test_an_index_is_made_once_by_all_peppers() -> None:
    """Codes of each version that is alive, oldest first; another field has others, another region as well."""
    ring = Ring("eu", [FIRST], reversed(PEPPERS))
    index = ring.index("users", "email", str.lower)
    assert ring.pepper_versions == index.versions == (1, 2)
    assert ring.index("users", "email", str.lower) is index
    others = [ring.index("users", "phone", str), Ring("us", [FIRST], PEPPERS).index("users", "email", str.lower)]
    macs = {entry["mac"] for each in (index, *others) for entry in each.entries("a")}
    assert len(macs) == 6


def test_a_ring_shows_nothing() -> None:
    """Nor does it go anywhere."""
    assert repr(Ring("eu", [FIRST], PEPPERS)) == "Ring()"


async def rows(roots: HeldRoots, region: str = "eu") -> list[dict[str, Any]]:
    """The keys of a region as they are stored."""
    made: list[dict[str, Any]] = []
    for version in (1, 2):
        name, secret = KeyName(KeyKind.ENCRYPTION, region, version), new_secret()
        wrapped = await roots.wrap(name, secret)
        pepper = KeyName(KeyKind.INDEX, region, version)
        blob = WrappingKey(secret, version).wrap(pepper, new_secret())
        made += [
            {"kind": "encryption", "region": region, "version": version, "wrapped": wrapped.blob, "root": wrapped.root},
            {"kind": "index", "region": region, "version": version, "wrapped": blob, "root": None},
        ]
    return made


async def test_a_ring_is_unwrapped_from_rows() -> None:
    """In any order: peppers wait for the keys that wrap them."""
    roots = HeldRoots()
    for kept in (await rows(roots), list(reversed(await rows(roots)))):
        ring = await unwrapped_ring("eu", kept, roots)
        assert (ring.newest.version, ring.pepper_versions) == (2, (1, 2))


@pytest.mark.parametrize("place", range(4))
async def test_a_changed_row_is_refused(place: int) -> None:
    """Any byte of a key, its version, its region or its kind: the ring as a whole is not had."""
    roots = HeldRoots()
    good = await rows(roots)
    changes: list[dict[str, Any]] = [
        {"wrapped": good[place]["wrapped"][:-1] + bytes([good[place]["wrapped"][-1] ^ 1])},
        {"wrapped": b""},
        {"version": 3},
        {"region": "us"},
        {"wrapped": good[place - 1]["wrapped"]},
    ]
    for change in changes:
        kept = [dict(row) for row in good]
        kept[place] |= change
        with pytest.raises(SealBroken):
            await unwrapped_ring("eu", kept, roots)


async def test_without_its_root_key_there_is_no_ring() -> None:
    """Another provider's, or one that retired."""
    with pytest.raises(RootKeyMissing):
        await unwrapped_ring("eu", await rows(HeldRoots()), HeldRoots())


async def test_a_pepper_needs_its_key() -> None:
    """The one that wraps it is gone."""
    roots = HeldRoots()
    kept = [row for row in await rows(roots) if (row["kind"], row["version"]) != ("encryption", 1)]
    with pytest.raises(UnknownKey):
        await unwrapped_ring("eu", kept, roots)


def test_names_and_identifiers_belong_together() -> None:
    """What a key was wrapped under is read from its row."""
    row = {"kind": "encryption", "region": "eu", "version": 7}
    assert key_name(row) == KeyName(KeyKind.ENCRYPTION, "eu", 7)
    assert key_id(KeyKind.ENCRYPTION, "eu", 7) == "encryption:eu:7"


async def test_secrets_are_new_each_time() -> None:
    """32 bytes of the system's random source."""
    made = await asyncio.gather(*(asyncio.to_thread(new_secret) for _ in range(100)))
    assert {len(each) for each in made} == {32}
    assert len(set(made)) == 100
