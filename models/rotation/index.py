"""Rotation of the pepper: every blind index gets codes under a new one, and loses those under the old.

Between, whatever is written carries codes under both, so uniqueness and look-ups hold at every moment.
"""

from __future__ import annotations

from functools import partial

from models.base import PersonalDocument
from models.crypto.envelope import SealBroken
from models.crypto.roots import Wrapped
from models.crypto.wrapping import KeyKind, KeyName
from models.database import Raw
from models.errors import BadInput
from models.keystore.documents import KeyDocument, RotationDocument
from models.keystore.first import add_key
from models.keystore.ring import new_secret
from models.rotation.course import Course
from models.rotation.data import refuse_unless_changed, sealed_documents
from models.sealing import INDEX_SUFFIX, Plan, Sealer


async def rotate_index(course: Course) -> int:
    """Replace the pepper of the region; the version of the new one."""
    versions = (await course.keys.ring()).pepper_versions
    rotation = await course.begin("index", "make", versions[-1] + 1)
    if rotation.step == "make":
        name = KeyName(KeyKind.INDEX, course.region, rotation.version)
        await add_key(course.keystore, name, Wrapped("", (await course.keys.ring()).newest.wrap(name, new_secret())))
        await course.step(rotation, "fill")
    await course.changed()
    await course.sweep(partial(_fill, course, rotation))
    gone = {"region": course.region, "kind": KeyKind.INDEX.value, "version": {"$lt": rotation.version}}
    await course.keystore.delete_many(KeyDocument, gone)
    await course.step(rotation, "trim")
    # From here on nobody writes codes under the old pepper any more.
    await course.changed()
    await _trim(course, rotation)
    await course.end(rotation)
    return rotation.version


async def _fill(course: Course, rotation: RotationDocument) -> int:
    """One pass over what has no code under the new pepper; how many such rows there were."""
    sealer, found = Sealer(course.keys), 0
    for document, plan in sealed_documents(sealer):
        for path in plan.looked_up:
            stored = f"{path}{INDEX_SUFFIX}"
            lacking = {path: {"$exists": True}, f"{stored}.v": {"$ne": rotation.version}}
            async for batch in course.walk(rotation, course.main, document, lacking, [plan.person, path]):
                await course.at_hand(plan, batch)
                found += await course.each(batch, partial(_fill_row, course, sealer, document, plan, path))
    return found


async def _fill_row(
    course: Course, sealer: Sealer, document: type[PersonalDocument], plan: Plan, path: str, row: Raw
) -> bool:
    as_found = row[path]
    try:
        await sealer.open(document, [row], [path])
        if path not in row:
            return False  # of somebody who is gone
        codes = plan.entries(await course.keys.ring(), {path: row[path]})
    except (SealBroken, BadInput):
        await refuse_unless_changed(course, document, plan, row["_id"], path, as_found)
        return True
    # Only beside the value it is made of. Where a writer was first, the next pass looks at it again.
    await course.main.exchange(document, row["_id"], {path: as_found}, codes)
    return True


async def _trim(course: Course, rotation: RotationDocument) -> None:
    for document, plan in sealed_documents(Sealer(course.keys)):
        for path in plan.looked_up:
            stored = f"{path}{INDEX_SUFFIX}"
            older = {f"{stored}.v": {"$lt": rotation.version}}
            async for batch in course.walk(rotation, course.main, document, older, [stored]):
                await course.each(batch, partial(_trim_row, course, document, stored, rotation.version))


async def _trim_row(course: Course, document: type[PersonalDocument], stored: str, version: int, row: Raw) -> bool:
    kept = [code for code in row[stored] if code["v"] >= version]
    return await course.main.exchange(document, row["_id"], {stored: row[stored]}, {stored: kept})
