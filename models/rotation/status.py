"""Which keys there are, and how much is on each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from models.crypto.envelope import is_sealed, key_version_of
from models.crypto.wrapping import KeyKind
from models.keystore.documents import DataKeyDocument, KeyDocument, RotationDocument, TombstoneDocument
from models.rotation.course import Course
from models.rotation.data import sealed_documents
from models.sealing import INDEX_SUFFIX, Sealer


@dataclass(frozen=True, slots=True)
class Status:
    """Versions by their names, each with how many are on it.

    `roots` wrap key-encryption keys, those (`wrapping`) wrap data keys, `peppers` made codes of `users`. `people` have
    a data key, `older` of them more than one version. `values` are sealed values by the version of their data key,
    `clear` those that are not sealed; both are None unless they were counted. `under_way` are rotations by their steps.
    """

    roots: Mapping[str, int]
    wrapping: Mapping[int, int]
    peppers: Mapping[int, int]
    people: int
    older: int
    destroyed: int
    sealed: bool
    under_way: Mapping[str, str]
    values: Mapping[int, int] | None = None
    clear: int | None = None


async def status_of(course: Course, *, count_values: bool) -> Status:
    """The state of all keys of the region. With `count_values` every document is looked at."""
    store = course.keystore
    await course.keys.refresh()
    rows = await store.find(KeyDocument, {"region": course.region})
    wrapping = {row["version"]: 0 for row in rows if row["kind"] == KeyKind.ENCRYPTION}
    for version in wrapping:
        wrapping[version] = await store.count(DataKeyDocument, {"kek": version})
    peppers = {row["version"]: 0 for row in rows if row["kind"] == KeyKind.INDEX}
    for document, plan in sealed_documents(Sealer(course.keys)):
        for path in plan.looked_up:
            for version in peppers:
                peppers[version] += await course.main.count(document, {f"{path}{INDEX_SUFFIX}.v": version})
    values, clear = await _values(course) if count_values else (None, None)
    return Status(
        roots=Counter(row["root"] for row in rows if row["kind"] == KeyKind.ENCRYPTION),
        wrapping=wrapping,
        peppers=peppers,
        people=await store.count(DataKeyDocument, {}),
        older=await store.count(DataKeyDocument, {"keys.1": {"$exists": True}}),
        destroyed=await store.count(TombstoneDocument, {}),
        sealed=course.keys.sealed,
        under_way={row["_id"]: row["step"] for row in await store.find(RotationDocument, {})},
        values=values,
        clear=clear,
    )


async def _values(course: Course) -> tuple[Mapping[int, int], int]:
    found: Counter[int] = Counter()
    clear = 0
    for document, plan in sealed_documents(Sealer(course.keys)):
        async for batch in course.walk(None, course.main, document, {}, list(plan.fields)):
            for row in batch:
                for path in plan.fields:
                    if path in row and is_sealed(row[path]):
                        found[key_version_of(row[path])] += 1
                    elif path in row:
                        clear += 1
    return found, clear
