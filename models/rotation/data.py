"""Rotation of people's data keys: every sealed value is sealed anew, under a new key of its person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial

from models.base import PersonalDocument
from models.crypto.envelope import DataKeys, SealBroken, is_sealed, key_version_of
from models.crypto.wrapping import wrapping_version_of
from models.database import Raw
from models.keystore.documents import DataKeyDocument
from models.registry import DOCUMENTS
from models.rotation.course import Course
from models.sealing import Plan, Sealer


async def rotate_data(course: Course) -> int:
    """Give everybody a new data key, seal all values anew, and give the older keys up; how many people.

    People who come while it runs have a key that is new enough.
    """
    rotation = await course.begin("data", "make", 0)
    older = {"newest_at": {"$lt": rotation.started_at}}
    if rotation.step == "make":
        async for batch in course.walk(None, course.keystore, DataKeyDocument, older, ["keys"]):
            await course.each(batch, partial(_add_version, course, rotation.started_at))
        await course.step(rotation, "seal")
    if rotation.step == "seal":
        await course.changed()
        sealer = Sealer(course.keys)
        while await _seal_anew(course, sealer):
            pass  # until a whole pass has found nothing: writers were at some of them meanwhile
        await course.step(rotation, "retire")
    await course.changed()
    people = 0
    async for batch in course.walk(rotation, course.keystore, DataKeyDocument, {"keys.1": {"$exists": True}}, ["keys"]):
        people += await course.each(batch, partial(_keep_newest, course))
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


async def _seal_anew(course: Course, sealer: Sealer) -> bool:
    """One pass over all documents; whether something was found that was not sealed by the newest keys."""
    found = False
    for document, plan in sealed_documents(sealer):
        async for batch in course.walk(None, course.main, document, {}, [plan.person, *plan.fields]):
            people = [row[plan.person] for row in batch if isinstance(row.get(plan.person), str)]
            keys = await course.keys.of(people)
            found |= await course.each(batch, partial(_row_anew, course, document, plan, keys)) > 0
    return found


async def _row_anew(
    course: Course, document: type[PersonalDocument], plan: Plan, everybodys: Mapping[str, DataKeys], row: Raw
) -> bool:
    keys = everybodys.get(row.get(plan.person, ""))
    if keys is None:
        return False  # of nobody, or of somebody who is gone
    old = {path: row[path] for path in plan.fields if is_sealed(row.get(path)) and _is_older(row[path], keys)}
    if not old:
        return False
    place = plan.shelf.row(row["_id"], row[plan.person])
    new = {}
    for path, value in old.items():
        where = plan.fields[path][0]
        try:
            new[path] = keys.newest.seal_at(place, where, keys.open_at(place, where, value))
        except SealBroken:
            raise SealBroken(
                f"{plan.collection}.{path} of {row['_id']} does not open: mend or remove it first."
            ) from None
    # Only in the place of what was read. Where a writer was first, the next pass looks at it again.
    await course.main.exchange(document, row["_id"], old, new)
    return True


def _is_older(value: bytes, keys: DataKeys) -> bool:
    return key_version_of(value) < keys.newest.version
