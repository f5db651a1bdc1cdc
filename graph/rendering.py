"""Renderers: one expression for a whole row, made once for each shape of a selection.

A renderer is a dict display, `{k0: raw.get(p0), k1: mask(m1, p1), ...}`, which takes a third less time than
filling a dict field by field. Its source is put together from the kinds of the columns and their numbers
alone; response keys (which clients choose), paths, masks and constants come in as arguments of the
function that makes it. So no text of a client or of the schema is ever compiled, and columns of the same
kinds share one compilation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from models.database import Raw
from models.vocabulary import Reason

Tally = Counter[tuple[str, Reason]]
Render = Callable[[Raw, Tally], dict[str, Any]]
RenderAll = Callable[[Sequence[Raw], Tally], list[dict[str, Any]]]
_REMEMBERED: Final = 500  # shapes; one of ten columns weighs about 3 kB


class Kind(StrEnum):
    """How a column is filled."""

    CONSTANT = "c"  # always the same value
    VALUE = "v"  # what is stored
    MASKED = "m"  # what a mask makes of it
    NESTED = "n"  # what a renderer makes of it


_EXPRESSIONS: Final = {
    Kind.CONSTANT: "f{0}",
    Kind.VALUE: "raw.get(p{0})",
    Kind.MASKED: "(None if (value := raw.get(p{0})) is None else f{0}(value))",
    Kind.NESTED: "(None if (value := raw.get(p{0})) is None else f{0}(value, tally))",
}
_SOURCE: Final = """
def make({arguments}):
    def row(raw, tally):
        return {{{display}}}
    def rows(raws, tally):
        return [{{{display}}} for raw in raws]
    return row, rows
"""


@dataclass(frozen=True, slots=True)
class Column:
    """One response key: the stored path, and what makes the answer of it (or the constant itself)."""

    key: str
    kind: Kind
    path: Any = None
    using: Any = None


@dataclass(frozen=True, slots=True)
class Renderer:
    """Renders a row, or rows together. `withheld` is counted in the tally once for each row."""

    row: Render
    rows: RenderAll


def renderer(columns: Sequence[Column], withheld: Sequence[tuple[str, Reason]]) -> Renderer:
    """The renderer of these columns, in their order."""
    make = _maker("".join(column.kind for column in columns))
    row, rows = make(*(part for column in columns for part in (column.key, column.path, column.using)))
    return _counting(row, rows, tuple(withheld)) if withheld else Renderer(row, rows)


@lru_cache(maxsize=_REMEMBERED)
def _maker(kinds: str) -> Callable[..., tuple[Render, RenderAll]]:
    """What makes renderers of one shape: it takes key, path and function of each column in turn."""
    arguments = ", ".join(f"k{place}, p{place}, f{place}" for place in range(len(kinds)))
    display = ", ".join(f"k{place}: {_EXPRESSIONS[Kind(kind)].format(place)}" for place, kind in enumerate(kinds))
    made: dict[str, Any] = {}
    exec(_SOURCE.format(arguments=arguments, display=display), {}, made)  # noqa: S102 - of fixed text and numbers
    found: Callable[..., tuple[Render, RenderAll]] = made["make"]
    return found


def _counting(row: Render, rows: RenderAll, withheld: tuple[tuple[str, Reason], ...]) -> Renderer:
    def counted(raw: Raw, tally: Tally) -> dict[str, Any]:
        for entry in withheld:
            tally[entry] += 1
        return row(raw, tally)

    def all_counted(raws: Sequence[Raw], tally: Tally) -> list[dict[str, Any]]:
        if raws:
            for entry in withheld:
                tally[entry] += len(raws)
        return rows(raws, tally)

    return Renderer(counted, all_counted)
