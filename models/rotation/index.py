"""Rotation of the pepper: every blind index gets codes under a new one, and loses those under the old.

Between, whatever is written carries codes under both, so uniqueness and look-ups hold at every moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from models.base import PersonalDocument
from models.crypto.wrapping import KeyKind, KeyName
from models.database import Raw
from models.keystore.documents import KeyDocument, RotationDocument
from models.keystore.ring import Ring, key_id, new_secret
from models.rotation.course import Course
from models.rotation.data import sealed_documents
from models.sealing import INDEX_SUFFIX, Plan, Sealer


async def rotate_index(course: Course) -> int:
    """Replace the pepper of the region; the version of the new one."""
    versions = (await course.keys.ring()).pepper_versions
    rotation = await course.begin("index", "make", versions[-1] + 1)
    if rotation.step == "make":
        await _make(course, rotation.version)
        await course.step(rotation, "fill")
    if rotation.step == "fill":
        await course.changed()
        while await _fill(course, rotation):
            rotation.after = ""
        await course.step(rotation, "retire")
    if rotation.step == "retire":
        gone = {"region": course.region, "kind": KeyKind.INDEX.value, "version": {"$lt": rotation.version}}
        await course.keystore.delete_many(KeyDocument, gone)
        await course.step(rotation, "trim")
    # From here on nobody writes codes under the old pepper any more.
    await course.changed()
    await _trim(course, rotation)
    await course.end(rotation)
    return rotation.version


async def _make(course: Course, version: int) -> None:
    identifier = key_id(KeyKind.INDEX, course.region, version)
    if await course.keystore.find_one(KeyDocument, {"_id": identifier}) is not None:
        return  # made before an interruption
    name = KeyName(KeyKind.INDEX, course.region, version)
    wrapped = (await course.keys.ring()).newest.wrap(name, new_secret())
    await course.keystore.insert(
        KeyDocument(id=identifier, kind=name.kind, region=name.region, version=version, wrapped=wrapped)
    )


async def _fill(course: Course, rotation: RotationDocument) -> bool:
    """One pass over what has no code under the new pepper; whether any got one."""
    sealer, found = Sealer(course.keys), False
    for document, plan in sealed_documents(sealer):
        for path in plan.looked_up:
            stored = f"{path}{INDEX_SUFFIX}"
            lacking = {path: {"$exists": True}, f"{stored}.v": {"$ne": rotation.version}}
            async for batch in course.walk(None, course.main, document, lacking, [plan.person, path, stored]):
                as_found = {row["_id"]: row[path] for row in batch}
                await sealer.open(document, batch, [path])
                work = partial(_fill_row, course, await course.keys.ring(), document, plan, path, as_found)
                found |= await course.each((row for row in batch if path in row), work) > 0
    return found


async def _fill_row(
    course: Course,
    ring: Ring,
    document: type[PersonalDocument],
    plan: Plan,
    path: str,
    sealed: Mapping[str, bytes],
    row: Raw,
) -> bool:
    # Only beside the value it is made of: where a writer was first, the codes are theirs.
    codes = {f"{path}{INDEX_SUFFIX}": plan.entries(ring, {path: row[path]})[f"{path}{INDEX_SUFFIX}"]}
    return await course.main.exchange(document, row["_id"], {path: sealed[row["_id"]]}, codes)


async def _trim(course: Course, rotation: RotationDocument) -> None:
    for document, plan in sealed_documents(Sealer(course.keys)):
        for path in plan.looked_up:
            stored = f"{path}{INDEX_SUFFIX}"
            older = {f"{stored}.v": {"$lt": rotation.version}}
            async for batch in course.walk(None, course.main, document, older, [stored]):
                await course.each(batch, partial(_trim_row, course, document, stored, rotation.version))


async def _trim_row(course: Course, document: type[PersonalDocument], stored: str, version: int, row: Raw) -> bool:
    kept = [code for code in row[stored] if code["v"] >= version]
    return await course.main.exchange(document, row["_id"], {stored: row[stored]}, {stored: kept})
