"""Rotation of what wraps keys: the root key, and the key-encryption key of a region. No value is touched."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from models.crypto.roots import Wrapped
from models.crypto.wrapping import KeyKind, KeyName, rewrapped, wrapping_version_of
from models.database import Raw
from models.keystore.documents import DataKeyDocument, KeyDocument, RotationDocument, StateDocument
from models.keystore.first import add_key
from models.keystore.ring import Ring, key_name, new_secret
from models.rotation.course import Course


async def rotate_root(course: Course, *, retire: bool) -> str:
    """Wrap the key-encryption keys of the region by a new root key; its name.

    A root key that is there and wraps nothing yet, of an interrupted rotation or by another setting, is that one.
    With `retire` all root keys that wrapped keys of the region before it are given up at the provider: what older
    backups of the key store hold is lost then. Raises what the provider raises.
    """
    roots = course.keys.roots
    if not await _by_others(course, (await roots.versions()).current):
        await roots.rotate()
    # Again and again: a key may have been made meanwhile, or yet another root key.
    while rows := await _by_others(course, current := (await roots.versions()).current):
        # Before they are replaced: one that is interrupted must still know afterwards what to give up.
        await _note(course, {"$addToSet": {"earlier_roots": {"$each": sorted({row["root"] for row in rows})}}})
        for row in rows:
            name = key_name(row)
            wrapped = await roots.wrap(name, await roots.unwrap(name, Wrapped(row["root"], row["wrapped"])))
            kept = {"root": wrapped.root, "wrapped": wrapped.blob}
            as_found = {"_id": row["_id"], "wrapped": row["wrapped"]}
            await course.keystore.update_one(KeyDocument, as_found, {"$set": kept})
            course.progress("wrap", 1)
    await course.changed()
    if retire:
        await _retire_roots(course, current)
    return current


async def _note(course: Course, update: Mapping[str, Any]) -> None:
    await course.keystore.update_one(StateDocument, {"_id": course.region}, update)


async def _by_others(course: Course, root: str) -> list[Raw]:
    """The key-encryption keys of the region that another root key than `root` wraps."""
    wanted = {"region": course.region, "kind": KeyKind.ENCRYPTION.value, "root": {"$ne": root}}
    return await course.keystore.find(KeyDocument, wanted)


async def _retire_roots(course: Course, current: str) -> None:
    """Give up those that were before `current` and wrap nothing in this key store. Others that the provider has may
    be another key store's."""
    state = await course.keystore.find_one(StateDocument, {"_id": course.region}) or {}
    alive = (await course.keys.roots.versions()).alive
    rows = await course.keystore.find(KeyDocument, {"kind": KeyKind.ENCRYPTION.value}, projection={"root": 1})
    kept = {current, *(row["root"] for row in rows)}
    going = [name for name in state.get("earlier_roots", ()) if name not in kept]
    for name in alive:
        if name in going:
            await course.keys.roots.retire(name)
    await _note(course, {"$pull": {"earlier_roots": {"$in": going}}})


async def rotate_wrapping(course: Course) -> int:
    """Wrap everybody's data keys and the peppers by a new key-encryption key, and give the older ones up."""
    newest = (await course.keys.ring()).newest.version
    rotation = await course.begin("kek", "make", newest + 1)
    if rotation.step == "make":
        name = KeyName(KeyKind.ENCRYPTION, course.region, rotation.version)
        await add_key(course.keystore, name, await course.keys.roots.wrap(name, new_secret()))
        await course.step(rotation, "wrap")
    await course.changed()
    await course.sweep(partial(_wrap_anew, course, rotation))
    await course.step(rotation, "retire")
    gone = {"region": course.region, "kind": KeyKind.ENCRYPTION.value, "version": {"$lt": rotation.version}}
    await course.keystore.delete_many(KeyDocument, gone)
    await course.changed()
    await course.end(rotation)
    return rotation.version


async def _wrap_anew(course: Course, rotation: RotationDocument) -> int:
    """One pass over what older keys wrap; how much that was."""
    ring, older = await course.keys.ring(), {"kek": {"$lt": rotation.version}}
    found = await _wrap_peppers(course, ring)
    async for batch in course.walk(rotation, course.keystore, DataKeyDocument, older, ["keys"]):
        await course.each(batch, partial(_wrap_data_keys, course, ring))
        found += len(batch)
    return found


async def _wrap_peppers(course: Course, ring: Ring) -> int:
    rows = await course.keystore.find(KeyDocument, {"region": course.region, "kind": KeyKind.INDEX.value})
    older = [row for row in rows if wrapping_version_of(row["wrapped"]) < ring.newest.version]
    for row in older:
        by = ring.wrapping(wrapping_version_of(row["wrapped"]))
        kept = {"wrapped": rewrapped(by, ring.newest, key_name(row), row["wrapped"])}
        await course.keystore.update_one(KeyDocument, {"_id": row["_id"], "wrapped": row["wrapped"]}, {"$set": kept})
    return len(older)


async def _wrap_data_keys(course: Course, ring: Ring, row: Raw) -> bool:
    kept = [
        {
            "v": each["v"],
            "wrapped": rewrapped(
                ring.wrapping(wrapping_version_of(each["wrapped"])),
                ring.newest,
                KeyName(KeyKind.DATA, ring.region, each["v"], row["_id"]),
                each["wrapped"],
            ),
        }
        for each in row["keys"]
    ]
    # Only in the place of what was read: a key that was destroyed or replaced meanwhile stays so.
    as_found = {"_id": row["_id"], "keys": row["keys"]}
    change = {"$set": {"keys": kept, "kek": ring.newest.version}}
    return bool(await course.keystore.update_one(DataKeyDocument, as_found, change))
