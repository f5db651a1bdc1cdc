"""Opening the sealed values of rows in place: the fast way for whole pages, and value by value where that fails."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum, auto

import structlog

from models.crypto.envelope import DataKeys, SealBroken, is_sealed
from models.database.sealing import Raw
from models.sealing.plan import Plan


def open_rows(
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


class Opened(Enum):
    """What became of a row."""

    OPEN = auto()
    NO_KEY = auto()
    BROKEN = auto()


def open_slowly(
    plan: Plan, raw: Raw, person: str, *, keys: Mapping[str, DataKeys], paths: Sequence[str], accept_clear: bool
) -> Opened:
    """Open one row, value by value; nothing of it becomes clear when one of them does not open.

    With `accept_clear` those that are not sealed yet stay as they are.
    """
    key = keys.get(person)
    if key is None:
        _close(raw, paths)
        return Opened.NO_KEY
    row, opened = plan.shelf.row(raw["_id"], person), {}
    for path in paths:
        value = raw.get(path)
        if value is None or (accept_clear and not is_sealed(value)):
            continue
        place, field = plan.fields[path]
        try:
            opened[path] = field.codec.decode(key.open_at(row, place, value))
        except SealBroken:
            structlog.get_logger(__name__).error(
                "seal_broken", collection=plan.collection, field=path, code=SealBroken.code
            )
            return Opened.BROKEN
    raw.update(opened)
    return Opened.OPEN


def _close(raw: Raw, paths: Iterable[str]) -> None:
    for path in paths:
        raw.pop(path, None)
