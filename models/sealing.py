"""Seals personal documents on their way into the database, and opens them on their way out.

Which fields are sealed is what their class declares (`models.sealed`). Every value is bound to the place where it
is stored (`models.crypto.envelope`), under the data key of its person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from beanie import Document

from models.base import PersonalDocument
from models.crypto.envelope import Column, DataKeys, SealBroken, Shelf, column, is_sealed
from models.database.failures import collection_name
from models.database.sealing import Raw, SealedRows
from models.errors import FieldwardError
from models.keystore.keys import Keys, KeysUnavailable
from models.keystore.ring import Ring
from models.sealed import SealedField, sealed_fields

INDEX_SUFFIX: Final = "_index"
_SETTING: Final = ("$set", "$setOnInsert")
_BARE: Final = {"$exists", "$type"}
_JOINING: Final = ("$and", "$or", "$nor")


@dataclass(frozen=True, slots=True)
class Plan:
    """How the documents of one class are sealed. `person` is the stored path of the person's identifier."""

    collection: str
    shelf: Shelf
    person: str
    fields: Mapping[str, tuple[Column, SealedField]]
    looked_up: Mapping[str, Callable[[str], str]]

    @classmethod
    def of(cls, document: type[Document], region: str) -> Plan | None:
        """The plan of a document class; None when nothing of it is sealed."""
        if not issubclass(document, PersonalDocument):
            return None
        fields = {path: (column(path), each) for path, each in sealed_fields(document).items()}
        collection = collection_name(document)
        shelf = Shelf(region, collection)
        return cls(collection, shelf, document.PERSON, fields, document.LOOKED_UP) if fields else None

    def sealed(self, path: str, document: str, person: str, keys: DataKeys, value: object) -> bytes:
        """`value` as the document `document` of `person` stores it at `path`. Raises `BadInput`."""
        place, field = self.fields[path]
        return keys.newest.seal_at(self.shelf.row(document, person), place, field.codec.encode(value))

    def entries(self, ring: Ring, values: Mapping[str, Any]) -> dict[str, Any]:
        """What is stored beside those of `values` that people are looked up by."""
        return {
            f"{path}{INDEX_SUFFIX}": ring.index(self.collection, path, normalise).entries(values[path])
            for path, normalise in self.looked_up.items()
            if path in values
        }


class Sealer:
    """Seals and opens with the keys of one region."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self._plans: dict[type[Document], Plan | None] = {}

    def plan(self, document: type[Document]) -> Plan | None:
        """How the documents of a class are sealed, if they are."""
        try:
            return self._plans[document]
        except KeyError:
            return self._plans.setdefault(document, Plan.of(document, self.keys.region))

    async def rows(self, document: type[Document], raws: Sequence[Raw]) -> SealedRows:
        """See `Sealing`. Whoever is new gets a data key first."""
        plan = self.plan(document)
        if plan is None or not raws:
            return SealedRows(list(raws))
        people = list({raw[plan.person]: None for raw in raws if raw.get(plan.person) is not None})
        new = await self.keys.make(people) if plan.person == "_id" else frozenset()
        keys, ring = await self.keys.of(people), await self.keys.ring()
        return SealedRows([_row(plan, raw, keys, ring) for raw in raws], new)

    async def erase(self, person: str) -> None:
        """See `Sealing`."""
        await self.keys.destroy_soon(person)

    async def destroyed(self, people: Sequence[str]) -> frozenset[str]:
        """See `Sealing`."""
        return await self.keys.is_destroyed(people)

    async def forget(self, newcomers: Iterable[str]) -> None:
        """See `Sealing`."""
        await self.keys.discard(list(newcomers))

    async def update(
        self,
        document: type[Document],
        filter: Mapping[str, Any],  # noqa: A002 - MongoDB's own word
        update: Mapping[str, Any],
    ) -> Mapping[str, Any] | None:
        """See `Sealing`. `filter` has to name the document, and its person where that is another field."""
        plan = self.plan(document)
        if plan is None or not any(_root(path) in plan.fields for _, path in _changed(update)):
            return update
        _refuse_parts(plan, update)
        changed = {operator: dict(paths) for operator, paths in update.items()}
        for path in plan.looked_up.keys() & changed.get("$unset", {}).keys():
            changed["$unset"][f"{path}{INDEX_SUFFIX}"] = ""
        for operator in _SETTING:
            values = {path: value for path, value in changed.get(operator, {}).items() if path in plan.fields}
            if not values:
                continue
            row, person = _named(plan, filter, "_id"), _named(plan, filter, plan.person)
            keys = (await self.keys.of([person])).get(person)
            if keys is None:
                return None
            changed[operator] |= {path: plan.sealed(path, row, person, keys, value) for path, value in values.items()}
            changed[operator] |= plan.entries(await self.keys.ring(), values)
        return changed

    def asks(self, document: type[Document], filter: Mapping[str, Any]) -> bool:  # noqa: A002
        """See `Sealing`."""
        plan = self.plan(document)
        if plan is None:
            return False
        return any(path in plan.fields or path in _JOINING for path in filter)

    async def lookup(self, document: type[Document], filter: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: A002
        """See `Sealing`. A sealed value itself (bytes) and its absence (None) can be asked for as well."""
        plan = self.plan(document)
        return filter if plan is None else _looked_up(plan, await self.keys.ring(), filter)

    async def open(
        self, document: type[Document], raws: Sequence[Raw], paths: Sequence[str], people: Sequence[str] | None = None
    ) -> list[int]:
        """See `Sealing`. Raises `SealBroken` for a value that is not what was sealed for its place."""
        plan = self.plan(document)
        if plan is None or not paths or not raws:
            return []
        whose = [raw[plan.person] for raw in raws] if people is None else people
        keys = self.keys.known(whose)
        if keys is None:
            keys = await self.keys.of(whose)
        broken, keyless = _open(plan, raws, whose, keys, paths)
        if broken:
            # Sealed with a version of the key that is newer than what was kept, or not sealed yet.
            keys = await self.keys.of([whose[place] for place in broken], anew=True)
            accept_clear = not self.keys.sealed
            keyless += [
                place
                for place in broken
                if not _open_slowly(plan, raws[place], whose[place], keys, paths, accept_clear=accept_clear)
            ]
        return keyless


def _row(plan: Plan, raw: Raw, keys: Mapping[str, DataKeys], ring: Ring) -> Raw:
    wanted = [path for path in plan.fields if path in raw]
    if not wanted:
        return raw
    person = str(raw.get(plan.person))
    key = keys.get(person)
    if key is None:
        raise KeysUnavailable  # the person is going, or gone
    document = raw["_id"]
    return {
        **raw,
        **{path: plan.sealed(path, document, person, key, raw[path]) for path in wanted},
        **plan.entries(ring, raw),
    }


def _refuse_parts(plan: Plan, update: Mapping[str, Any]) -> None:
    whole = (*_SETTING, "$unset")
    for operator, path in _changed(update):
        if _root(path) in plan.fields and (path not in plan.fields or operator not in whole):
            raise FieldwardError(f"A sealed field of {plan.collection} was to be changed in part.")


def _changed(update: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each operator with each path that it changes."""
    for operator, paths in update.items():
        for path, value in paths.items():
            yield operator, path
            if operator == "$rename":
                yield operator, value


def _root(path: str) -> str:
    return path.partition(".")[0]


def _named(plan: Plan, filter: Mapping[str, Any], path: str) -> str:  # noqa: A002
    name = filter.get(path)
    if not isinstance(name, str):
        raise FieldwardError(f"A sealed field of {plan.collection} was to be changed without naming whose.")
    return name


def _looked_up(plan: Plan, ring: Ring, filter: Mapping[str, Any]) -> dict[str, Any]:  # noqa: A002
    found: dict[str, Any] = {}
    for path, asked in filter.items():
        if path in _JOINING:
            found[path] = [_looked_up(plan, ring, part) for part in asked]
        elif path not in plan.fields or _asks_for_no_value(asked):
            found[path] = asked
        else:
            found |= _codes(plan, ring, path, asked)
    return found


def _asks_for_no_value(asked: object) -> bool:
    """Whether it is about a sealed value as it is stored, or whether there is one."""
    return asked is None or isinstance(asked, bytes) or (isinstance(asked, dict) and asked.keys() <= _BARE)


def _codes(plan: Plan, ring: Ring, path: str, asked: object) -> dict[str, Any]:
    normalise = plan.looked_up.get(path)
    given = asked["$in"] if isinstance(asked, dict) and asked.keys() == {"$in"} else [asked]
    values = [value for value in given if isinstance(value, str)]
    if normalise is None or len(values) != len(given):
        raise FieldwardError(f"{plan.collection}.{path} is sealed, and nobody is looked up by it like that.")
    index = ring.index(plan.collection, path, normalise)
    codes = [entry["mac"] for value in values for entry in index.entries(value)]
    return {f"{path}{INDEX_SUFFIX}.mac": codes[0] if len(codes) == 1 else {"$in": codes}}


def _open(
    plan: Plan, raws: Sequence[Raw], people: Sequence[str], keys: Mapping[str, DataKeys], paths: Sequence[str]
) -> tuple[list[int], list[int]]:
    """Open rows in place, each as a whole; the places of those that do not open, and of those without a key."""
    columns = [(path, plan.fields[path][0], plan.fields[path][1].codec.decode) for path in paths]
    broken: list[int] = []
    keyless: list[int] = []
    row_of = plan.shelf.row
    for place, raw in enumerate(raws):
        person = people[place]
        key = keys.get(person)
        if key is None:
            keyless.append(place)
            _close(raw, paths)
            continue
        row, open_at = row_of(raw["_id"], person), key.open_at
        try:
            opened = {
                path: decode(open_at(row, where, value))
                for path, where, decode in columns
                if (value := raw.get(path)) is not None
            }
        except SealBroken:
            broken.append(place)
        else:
            raw.update(opened)
    return broken, keyless


def _open_slowly(
    plan: Plan, raw: Raw, person: str, keys: Mapping[str, DataKeys], paths: Sequence[str], *, accept_clear: bool
) -> bool:
    """Open one row, value by value; with `accept_clear` those that are not sealed yet stay as they are.

    False when the person has no key. Nothing of a row with a value that does not open becomes clear.
    """
    key = keys.get(person)
    if key is None:
        _close(raw, paths)
        return False
    row, opened = plan.shelf.row(raw["_id"], person), {}
    for path in paths:
        value = raw.get(path)
        if value is None or (accept_clear and not is_sealed(value)):
            continue
        place, field = plan.fields[path]
        try:
            opened[path] = field.codec.decode(key.open_at(row, place, value))
        except SealBroken as error:
            log = structlog.get_logger(__name__)
            log.error("seal_broken", collection=plan.collection, field=path, code=error.code)
            raise
    raw.update(opened)
    return True


def _close(raw: Raw, paths: Iterable[str]) -> None:
    for path in paths:
        raw.pop(path, None)
