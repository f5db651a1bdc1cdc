"""Rotation of people's data keys: every sealed value is sealed anew, under a new key of its person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from models.base import PersonalDocument
from models.crypto.envelope import DataKeys, SealBroken, is_sealed, key_version_of
from models.crypto.wrapping import wrapping_version_of
from models.database import Raw
from models.keystore.documents import DataKeyDocument, RotationDocument
from models.registry import DOCUMENTS
from models.rotation.course import Course
from models.sealing import Plan, Sealer


async def rotate_data(course: Course) -> int:
    """Give everybody a new data key, seal all values anew, and give the older keys up; how many people.

    People who come while it runs have a key that is new enough. Raises `SealBroken` for a value that does not open:
    all older keys are still there then.
    """
    rotation = await course.begin("data", "make", 0)
    if rotation.step == "make":
        older = {"newest_at": {"$lt": rotation.started_at}}
        while await course.keystore.count(DataKeyDocument, older):  # some may have been wrapped anew meanwhile
            async for batch in course.walk(rotation, course.keystore, DataKeyDocument, older, ["keys"]):
                await course.each(batch, partial(_add_version, course, rotation.started_at))
        await course.step(rotation, "seal")
    await course.changed()
    await course.sweep(partial(_seal_anew, course, rotation, Sealer(course.keys)))
    await course.step(rotation, "retire")
    # NOTE: only where the newest key is the one that this rotation has made, not a later one.
    several = {"keys.1": {"$exists": True}, "newest_at": {"$lte": rotation.started_at}}
    async for batch in course.walk(rotation, course.keystore, DataKeyDocument, several, ["keys"]):
        await course.each(batch, partial(_keep_newest, course))
    people = await course.keystore.count(DataKeyDocument, {"newest_at": rotation.started_at})
    await course.changed()
    await course.end(rotation)
    return people


async def _add_version(course: Course, moment: datetime, row: Raw) -> bool:
    ring = await course.keys.ring()
    version = row["keys"][-1]["v"] + 1
    _, wrapped = ring.wraps(row["_id"], version)
    update = {
        "$push": {"keys": {"v": version, "wrapped": wrapped}},
        "$set": {"newest_at": moment},
        "$min": {"kek": ring.newest.version},
    }
    as_found = {"_id": row["_id"], "keys": row["keys"]}
    return bool(await course.keystore.update_one(DataKeyDocument, as_found, update))


async def _keep_newest(course: Course, row: Raw) -> bool:
    kept = [row["keys"][-1]]
    update = {"$set": {"keys": kept, "kek": wrapping_version_of(kept[0]["wrapped"])}}
    as_found = {"_id": row["_id"], "keys": row["keys"]}
    return bool(await course.keystore.update_one(DataKeyDocument, as_found, update))


def sealed_documents(sealer: Sealer) -> Iterator[tuple[type[PersonalDocument], Plan]]:
    """All classes of documents that have sealed fields."""
    for document in DOCUMENTS:
        plan = sealer.plan(document)
        if plan is not None and issubclass(document, PersonalDocument):
            yield document, plan


async def _seal_anew(course: Course, rotation: RotationDocument, sealer: Sealer) -> int:
    """One pass over all documents; how many had something that was not sealed by the newest keys."""
    found = 0
    for document, plan in sealed_documents(sealer):
        async for batch in course.walk(rotation, course.main, document, {}, [plan.person, *plan.fields]):
            await course.at_hand(plan, batch)
            found += await course.each(batch, partial(_row_anew, course, document, plan))
    return found


async def _row_anew(course: Course, document: type[PersonalDocument], plan: Plan, row: Raw) -> bool:
    keys = await course.keys_for(plan, row)
    if keys is None:
        return False  # of nobody, or of somebody who is gone
    old = {path: row[path] for path in plan.fields if path in row and _is_other(row[path], keys, course.keys.sealed)}
    if not old:
        return False
    place = plan.shelf.row(row["_id"], row[plan.person])
    new = {}
    for path, value in old.items():
        where = plan.fields[path][0]
        try:
            new[path] = keys.newest.seal_at(place, where, keys.open_at(place, where, value))
        except SealBroken:
            await refuse_unless_changed(course, document, plan, row["_id"], path, value)
            return True
    # Only in the place of what was read. Where a writer was first, the next pass looks at it again.
    await course.main.exchange(document, row["_id"], old, new)
    return True


def _is_other(value: object, keys: DataKeys, all_sealed: bool) -> bool:
    # What is not sealed where everything is has been changed by somebody: it does not open either.
    if not isinstance(value, bytes) or not is_sealed(value):
        return all_sealed
    return key_version_of(value) != keys.newest.version


async def refuse_unless_changed(
    course: Course, document: type[PersonalDocument], plan: Plan, row: str, path: str, value: object
) -> None:
    """Raise `SealBroken` for a value that does not open, unless another one is in its place by now: then it may have
    been sealed with a key that was given up meanwhile, or with one that came meanwhile."""
    now = await course.main.find_one(document, {"_id": row}, projection={path: 1})
    if now is not None and now.get(path) == value:
        raise SealBroken(f"{plan.collection}.{path} of {row} does not open: mend or remove it first.")
