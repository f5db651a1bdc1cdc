"""Seals personal documents on their way into the database, and opens them on their way out.

Which fields are sealed is what their class declares (`models.sealed`). Every value is bound to the place where it
is stored (`models.crypto.envelope`), under the data key of its person.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

from beanie import Document

from models.crypto.envelope import DataKeys
from models.database.sealing import Raw, RowsBroken, SealedRows
from models.errors import FieldwardError
from models.keystore.keys import Keys
from models.keystore.region import KeysUnavailable
from models.keystore.ring import Ring
from models.sealing.lookup import JOINING, looked_up, root_of
from models.sealing.opening import Opened, open_rows, open_slowly
from models.sealing.plan import INDEX_SUFFIX, Plan

_SETTING: Final = ("$set", "$setOnInsert")


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
        if plan is None or not any(root_of(path) in plan.fields for _, path in _changed(update)):
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
            changed[operator] |= plan.sealed(row, person, keys, values)
            changed[operator] |= plan.entries(await self.keys.ring(), values)
        return changed

    def asks(self, document: type[Document], filter: Mapping[str, Any]) -> bool:  # noqa: A002 - MongoDB's own word
        """See `Sealing`."""
        plan = self.plan(document)
        if plan is None:
            return False
        return any(root_of(path) in plan.fields or path in JOINING for path in filter)

    async def lookup(self, document: type[Document], filter: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: A002 - MongoDB's own word
        """See `Sealing`. A sealed value itself (bytes) and its absence (None) can be asked for as well."""
        plan = self.plan(document)
        return filter if plan is None else looked_up(plan, await self.keys.ring(), filter)

    def lacks_keys(self, people: Sequence[str]) -> bool:
        """See `Sealing`."""
        return self.keys.known(people) is None

    async def fetch_keys(self, people: Sequence[str]) -> None:
        """See `Sealing`."""
        with suppress(FieldwardError):
            await self.keys.of(people)

    async def open(
        self,
        document: type[Document],
        raws: Sequence[Raw],
        paths: Sequence[str],
        people: Sequence[str] | None = None,
        *,
        anew: bool = False,
    ) -> list[int]:
        """See `Sealing`. Raises `RowsBroken` for values that are not what was sealed for their place."""
        plan = self.plan(document)
        if plan is None or not paths or not raws:
            return []
        whose = [raw[plan.person] for raw in raws] if people is None else people
        keys: Sequence[DataKeys | None] | None = None if anew else self.keys.known(whose)
        if keys is None:
            keys = list(map((await self.keys.of(whose, anew=anew)).get, whose))
        broken, keyless = open_rows(plan, raws, whose, keys, paths)
        if broken:
            # Sealed with a version of the key that is newer than what was kept, or not sealed yet.
            newest = await self.keys.of([whose[place] for place in broken], anew=True)
            opener = partial(open_slowly, plan, paths=paths, accept_clear=not self.keys.sealed)
            results = [(place, opener(raws[place], whose[place], newest.get(whose[place]))) for place in broken]
            keyless += [place for place, opened in results if opened is Opened.NO_KEY]
            if still := [raws[place]["_id"] for place, opened in results if opened is Opened.BROKEN]:
                raise RowsBroken(still, (raws[place]["_id"] for place in keyless))
        return keyless


def _row(plan: Plan, raw: Raw, keys: Mapping[str, DataKeys], ring: Ring) -> Raw:
    if plan.fields.keys().isdisjoint(raw):
        return raw
    person = str(raw.get(plan.person))
    key = keys.get(person)
    if key is None:
        raise KeysUnavailable  # the person is going, or gone
    return {**raw, **plan.sealed(raw["_id"], person, key, raw), **plan.entries(ring, raw)}


def _refuse_parts(plan: Plan, update: Mapping[str, Any]) -> None:
    whole = (*_SETTING, "$unset")
    for operator, path in _changed(update):
        if root_of(path) in plan.fields and (path not in plan.fields or operator not in whole):
            raise FieldwardError(f"A sealed field of {plan.collection} was to be changed in part.")


def _changed(update: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each operator with each path that it changes."""
    for operator, paths in update.items():
        for path, value in paths.items():
            yield operator, path
            if operator == "$rename":
                yield operator, value


def _named(plan: Plan, filter: Mapping[str, Any], path: str) -> str:  # noqa: A002 - MongoDB's own word
    name = filter.get(path)
    if not isinstance(name, str):
        raise FieldwardError(f"A sealed field of {plan.collection} was to be changed without naming whose.")
    return name
