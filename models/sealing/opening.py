"""Opening the sealed values of rows in place: the fast way for whole pages, and value by value where that fails."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum, auto
from typing import Any, cast

import structlog

from models.crypto.envelope import DataKeys, Page, SealBroken, is_sealed
from models.database.sealing import Raw
from models.sealing.plan import Plan


def open_rows(
    plan: Plan, raws: Sequence[Raw], people: Sequence[str], keys: Sequence[DataKeys | None], paths: Sequence[str]
) -> tuple[list[int], list[int]]:
    """Open rows in place, each as a whole; the places of those that do not open, and of those without a key.

    `people` are whose rows these are, and `keys` theirs, in the same order.
    """
    if None not in keys and _open_all(plan, raws, people, cast("Sequence[DataKeys]", keys), paths):
        return [], []
    broken: list[int] = []
    keyless: list[int] = []
    for place, (raw, person, key) in enumerate(zip(raws, people, keys, strict=True)):
        if key is None:
            keyless.append(place)
            _close(raw, paths)
        elif not _open_all(plan, [raw], [person], [key], paths):
            broken.append(place)
    return broken, keyless


def _open_all(
    plan: Plan, raws: Sequence[Raw], people: Sequence[str], keys: Sequence[DataKeys], paths: Sequence[str]
) -> bool:
    """Open rows in place, field by field; when one value does not open, none is, and False is the answer."""
    page = Page(plan.shelf.rows([raw["_id"] for raw in raws], people), keys)
    opened: list[tuple[str, list[Any], list[Any]]] = []
    try:
        for path in paths:
            column, field = plan.fields[path]
            sealed = [raw.get(path) for raw in raws]
            opened.append((path, sealed, field.codec.decode_all(page.open_at(column, sealed))))
    except SealBroken:
        return False
    for path, sealed, values in opened:
        has_all = len(values) == len(raws)
        rows = raws if has_all else [raw for raw, value in zip(raws, sealed, strict=True) if value is not None]
        for raw, value in zip(rows, values, strict=True):
            raw[path] = value
    return True


class Opened(Enum):
    """What became of a row."""

    OPEN = auto()
    NO_KEY = auto()
    BROKEN = auto()


def open_slowly(
    plan: Plan, raw: Raw, person: str, key: DataKeys | None, *, paths: Sequence[str], accept_clear: bool
) -> Opened:
    """Open one row, value by value; nothing of it becomes clear when one of them does not open.

    With `accept_clear` those that are not sealed yet stay as they are.
    """
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
            [opened[path]] = field.codec.decode_all([key.open_at(row, place, value)])
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
