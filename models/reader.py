"""The only way to read personal documents: nothing leaves the database that a Grant does not allow.

The projection is built from the grant, so a denied field is neither loaded nor (once fields are
encrypted) opened. Conditions on the row itself (restriction, consent, age) are one verdict per row.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeVar

from models.base import PersonalDocument
from models.database import Database, Raw
from models.grant import Grant, RowConditions
from models.user import UserDocument
from models.vocabulary import AgeBand, Reason, Relation, UserStatus

R = TypeVar("R")
MakeRow = Callable[[Raw, Relation, Reason | None], R]

MINORS: Final = frozenset({AgeBand.UNDER_13.value, AgeBand.TEEN.value})


@dataclass(frozen=True, slots=True)
class FieldRead:
    """One stored path, wanted for one coordinate."""

    coordinate: str
    path: str


@dataclass(frozen=True, slots=True)
class NestedRead:
    """Documents of another collection, fetched along with each person, newest first.

    They are put into the person's row under `key`.
    """

    key: Hashable
    coordinate: str
    document: type[PersonalDocument]
    newest_by: str
    fields: tuple[FieldRead, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """What an operation wants of a person, before the grant is applied."""

    fields: tuple[FieldRead, ...]
    nested: tuple[NestedRead, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A selection under a grant, ready to be used again: per relation, what is really fetched."""

    projection: Mapping[Relation, Mapping[str, int]]
    nested: Mapping[Relation, tuple[tuple[NestedRead, Mapping[str, int]], ...]]
    conditions: Mapping[Relation, RowConditions]
    same: bool


def prepare(selection: Selection, grant: Grant) -> Reading:
    """Apply `grant` to `selection`, once."""
    projection = {r: MappingProxyType(_projection(selection.fields, grant, r)) for r in Relation}
    nested = {
        r: tuple(
            (entry, MappingProxyType(_paths(entry.fields, grant, r)))
            for entry in selection.nested
            if grant.allows(r, entry.coordinate)
        )
        for r in Relation
    }
    same = projection[Relation.SELF] == projection[Relation.OTHER] and nested[Relation.SELF] == nested[Relation.OTHER]
    return Reading(projection, nested, grant.conditions, same)


class Reader:
    """Reads people through grants."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def one(
        self,
        reading: Reading,
        relation: Relation,
        filter: Mapping[str, Any],  # noqa: A002 - MongoDB's own word
        limits: Mapping[Hashable, int],
        make: MakeRow[R],
    ) -> R | None:
        """The one person that `filter` names, or None."""
        raw = await self._database.find_one(UserDocument, filter, projection=reading.projection[relation])
        if raw is None:
            return None
        blocked = _verdict(raw, reading.conditions[relation])
        if blocked is None:
            await self._attach(reading, relation, [raw], limits)
        return make(raw, relation, blocked)

    async def many(
        self,
        reading: Reading,
        person: str | None,
        filter: Mapping[str, Any],  # noqa: A002 - MongoDB's own word
        sort: Sequence[tuple[str, int]],
        limit: int,
        limits: Mapping[Hashable, int],
        make: MakeRow[R],
        *,
        extra: str | None = None,
    ) -> list[R]:
        """A page of people. The row of `person`, the caller, is read as their own.

        `extra` is a stored path that the cursor needs: the caller may read it, or could not have
        ordered by it.
        """
        projection = dict(reading.projection[Relation.OTHER])
        if extra is not None:
            projection[extra] = 1
        rows = await self._database.find(UserDocument, filter, projection=projection, sort=sort, limit=limit)
        relations = [Relation.SELF if raw["_id"] == person else Relation.OTHER for raw in rows]
        if not reading.same and Relation.SELF in relations:
            await self._reread(reading, rows, relations.index(Relation.SELF))
        verdicts = [_verdict(raw, reading.conditions[relation]) for raw, relation in zip(rows, relations, strict=True)]
        for relation in (Relation.OTHER,) if reading.same else Relation:
            group = [
                raw
                for raw, at, verdict in zip(rows, relations, verdicts, strict=True)
                if verdict is None and (reading.same or at is relation)
            ]
            await self._attach(reading, relation, group, limits)
        return [make(*row) for row in zip(rows, relations, verdicts, strict=True)]

    async def count(self, filter: Mapping[str, Any]) -> int:  # noqa: A002 - MongoDB's own word
        """How many people match; the caller's right to the filter's fields was checked before."""
        return await self._database.count(UserDocument, filter)

    async def _reread(self, reading: Reading, rows: list[Raw], index: int) -> None:
        """Replace the caller's own row, fetched as anybody's, by what they may read of themself."""
        own = await self._database.find_one(
            UserDocument, {"_id": rows[index]["_id"]}, projection=reading.projection[Relation.SELF]
        )
        if own is not None:
            rows[index] = rows[index] | own

    async def _attach(
        self, reading: Reading, relation: Relation, rows: Sequence[Raw], limits: Mapping[Hashable, int]
    ) -> None:
        """Fetch nested lists: one command each, however many people there are."""
        if not rows:
            return
        for entry, projection in reading.nested[relation]:
            found = await self._nested(entry, projection, [raw["_id"] for raw in rows], limits[entry.key])
            for raw in rows:
                raw[entry.key] = found.get(raw["_id"], [])  # type: ignore[index]  # never leaves as a BSON key

    async def _nested(
        self, entry: NestedRead, projection: Mapping[str, int], people: list[str], first: int
    ) -> dict[str, list[Raw]]:
        sort = {entry.newest_by: -1, "_id": 1}
        if self._database.in_memory:
            # The stand-in knows no $lookup with a pipeline; in memory a query per person costs no trip.
            return {
                person: await self._database.find(
                    entry.document,
                    {entry.document.PERSON: person},
                    projection=projection,
                    sort=list(sort.items()),
                    limit=first,
                )
                for person in people
            }
        pipeline: list[Mapping[str, Any]] = [
            {"$match": {"_id": {"$in": people}}},
            {"$project": {"_id": 1}},
            {
                "$lookup": {
                    "from": entry.document.Settings.name,
                    "localField": "_id",
                    "foreignField": entry.document.PERSON,
                    "pipeline": [{"$sort": sort}, {"$limit": first}, {"$project": projection}],
                    "as": "rows",
                }
            },
        ]
        return {raw["_id"]: raw["rows"] for raw in await self._database.aggregate(UserDocument, pipeline)}


def _projection(fields: Iterable[FieldRead], grant: Grant, relation: Relation) -> dict[str, int]:
    return _paths(fields, grant, relation) | dict.fromkeys(_condition_paths(grant.conditions[relation]), 1)


def _paths(fields: Iterable[FieldRead], grant: Grant, relation: Relation) -> dict[str, int]:
    """The granted paths; one inside another is left to the outer one, as MongoDB demands."""
    granted = {field.path for field in fields if grant.allows(relation, field.coordinate)}
    outer = {path for path in granted if not any(path.startswith(f"{other}.") for other in granted)}
    return {"_id": 1, **dict.fromkeys(sorted(outer - {"_id"}), 1)}


def _condition_paths(conditions: RowConditions) -> list[str]:
    """What the verdict looks at; never shown unless granted as well."""
    paths = []
    if conditions.unrestricted_only:
        paths.append("status")
    if conditions.consent_to is not None:
        paths.append("consents")
    if conditions.adult_only:
        paths.append("age_band")
    return paths


def _verdict(raw: Raw, conditions: RowConditions) -> Reason | None:
    """Why nothing of this row may be shown, or None."""
    if conditions.unrestricted_only and raw.get("status") == UserStatus.RESTRICTED.value:
        return Reason.RESTRICTED
    if conditions.consent_to is not None and not _consented(raw, conditions.consent_to):
        return Reason.CONSENT
    if conditions.adult_only and raw.get("age_band") in MINORS:
        return Reason.AGE
    return None


def _consented(raw: Raw, purpose: str) -> bool:
    return any(entry["purpose"] == purpose and entry["given"] for entry in raw.get("consents", ()))
