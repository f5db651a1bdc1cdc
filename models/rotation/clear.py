"""Sealing what was stored in the clear, by a version before encryption, while the service runs.

`prepare` comes first, before anything is served: everybody gets a data key and the codes they are looked up by, so
that names stay unique and people are found. `seal` then seals value by value; until it is done, values in the clear
are still accepted where sealed ones belong.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from models.base import PersonalDocument
from models.crypto.envelope import is_sealed
from models.database import Database, Raw
from models.errors import BadInput, FieldwardError
from models.keystore.documents import DataKeyDocument, RotationDocument
from models.keystore.keys import Keys
from models.rotation.course import BATCH, Course
from models.rotation.data import sealed_documents
from models.sealing import INDEX_SUFFIX, Plan, Sealer
from models.user import UserDocument

# What earlier versions stored of a field beside it, in the clear.
_LEFT_OVER: Final = {"email": ("email_key",)}


async def prepare(main: Database, keys: Keys) -> int:
    """A data key for everybody who has none, and the codes of what is in the clear; how many people were changed.

    Safe to call again, and from several processes. People whose key was destroyed get none.
    """
    plan = Sealer(keys).plan(UserDocument)
    if plan is None or keys.sealed:
        return 0
    done, after = 0, ""
    while batch := await main.find(
        UserDocument,
        {"_id": {"$gt": after}},
        projection=dict.fromkeys(("_id", *plan.looked_up, *map(_codes_of, plan.looked_up)), 1),
        sort=[("_id", 1)],
        limit=BATCH,
    ):
        after = batch[-1]["_id"]
        gone = await keys.is_destroyed([row["_id"] for row in batch])
        people = [row["_id"] for row in batch if row["_id"] not in gone]
        known = await keys.database.find(DataKeyDocument, {"_id": {"$in": people}}, projection={"_id": 1})
        await keys.make(set(people) - {row["_id"] for row in known})
        for row in batch:
            done += await _give_codes(main, keys, plan, row)
    return done


async def _give_codes(main: Database, keys: Keys, plan: Plan, row: Raw) -> bool:
    lacking = {
        path: row[path] for path in plan.looked_up if isinstance(row.get(path), str) and _codes_of(path) not in row
    }
    if not lacking:
        return False
    try:
        codes = plan.entries(await keys.ring(), lacking)
    except BadInput:
        raise FieldwardError(f"An address of {row['_id']} cannot be read: mend or remove it first.") from None
    return await main.exchange(UserDocument, row["_id"], lacking, codes)


def _codes_of(path: str) -> str:
    return f"{path}{INDEX_SUFFIX}"


async def seal(course: Course) -> int:
    """Seal all that is in the clear; how many documents. After it no value in the clear is accepted any more."""
    rotation = await course.begin("seal", "prepare", 0)
    if rotation.step == "prepare":
        await prepare(course.main, course.keys)
        await course.step(rotation, "seal")
    sealer, total = Sealer(course.keys), 0
    while sealed := await _pass(course, rotation, sealer):
        total += sealed
    await course.changed(sealed=True)
    await course.end(rotation)
    return total


async def _pass(course: Course, rotation: RotationDocument, sealer: Sealer) -> int:
    found = 0
    for document, plan in sealed_documents(sealer):
        left_over = [name for path in plan.fields for name in _LEFT_OVER.get(path, ())]
        wanted = {"$or": [{path: {"$exists": True}} for path in (*plan.fields, *left_over)]}
        paths = [plan.person, *plan.fields, *left_over]
        async for batch in course.walk(rotation, course.main, document, wanted, paths):
            await course.at_hand(plan, batch)
            found += await course.each(batch, partial(_seal_row, course, document, plan, left_over))
    return found


async def _seal_row(
    course: Course, document: type[PersonalDocument], plan: Plan, left_over: list[str], row: Raw
) -> bool:
    keys = await course.keys_for(plan, row)
    clear: dict[str, Any] = {path: row[path] for path in plan.fields if path in row and not is_sealed(row[path])}
    gone = [name for name in left_over if name in row]
    if not clear and not gone:
        return False
    if keys is None:
        return await _clear_away(course, document, plan, row, [*clear, *gone])
    try:
        new = plan.sealed(row["_id"], row[plan.person], keys, clear)
    except BadInput:
        raise FieldwardError(f"A value of {plan.collection} {row['_id']} cannot be sealed: mend it first.") from None
    # Only in the place of what was read. Where a writer was first, the next pass looks at it again.
    await course.main.exchange(document, row["_id"], clear, new, gone)
    return True


async def _clear_away(course: Course, document: type[PersonalDocument], plan: Plan, row: Raw, paths: list[str]) -> bool:
    """Take away what is in the clear of somebody who is gone: nobody could read it once it were sealed."""
    person = row.get(plan.person)
    if person is not None and await course.main.find_one(UserDocument, {"_id": person}, projection={"_id": 1}):
        raise FieldwardError(
            f"{plan.collection} {row['_id']} is of somebody without a key: replay the tombstones first."
        )
    return await course.main.exchange(document, row["_id"], {path: row[path] for path in paths}, {}, paths)
