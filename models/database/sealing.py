"""What a database asks of whoever seals: rows and changes on their way in, look-ups, and rows on their way out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from beanie import Document

from models.crypto.envelope import SealBroken

Raw = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SealedRows:
    """New rows, sealed, and the people for whom a key was made on that occasion."""

    rows: list[Raw]
    newcomers: frozenset[str] = frozenset()


class RowsBroken(SealBroken):
    """Values of some rows do not open; all other rows were opened. `rows` are the identifiers of those, `keyless`
    of those whose person has no key."""

    def __init__(self, rows: Iterable[str], keyless: Iterable[str] = ()) -> None:
        super().__init__()
        self.rows, self.keyless = frozenset(rows), frozenset(keyless)


class Sealing(Protocol):
    """Seals what is written and opens what was read. Implemented by `models.sealing`."""

    async def rows(self, document: type[Document], raws: Sequence[Raw]) -> SealedRows:
        """New rows with their sealed fields sealed and their look-up codes beside them; `raws` stay as they are."""
        ...

    async def erase(self, person: str) -> None:
        """Destroy the key of a person who is gone; soon, where the key store is away."""
        ...

    async def destroyed(self, people: Sequence[str]) -> frozenset[str]:
        """Those whose key was destroyed: nobody of their identifier is stored again."""
        ...

    async def forget(self, newcomers: Iterable[str]) -> None:
        """People for whom a key was made, and who were not stored after all."""
        ...

    async def update(
        self,
        document: type[Document],
        filter: Mapping[str, Any],  # noqa: A002 - MongoDB's own word
        update: Mapping[str, Any],
    ) -> Mapping[str, Any] | None:
        """The same for a change of the one row that `filter` names; None when that person has no key, so no row."""
        ...

    async def lookup(self, document: type[Document], filter: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: A002 - MongoDB's own word
        """`filter` with equality on a field that people are looked up by turned into its codes."""
        ...

    def asks(self, document: type[Document], filter: Mapping[str, Any]) -> bool:  # noqa: A002 - MongoDB's own word
        """Whether `lookup` would change `filter`, or refuse it."""
        ...

    def lacks_keys(self, people: Sequence[str]) -> bool:
        """Whether a key of `people` would have to be asked for before what is theirs is opened."""
        ...

    async def fetch_keys(self, people: Sequence[str]) -> None:
        """Have the keys of `people` at hand, while their rows are still being read. Raises nothing: `open` will.

        For a task that nobody cancels.
        """
        ...

    async def open(
        self,
        document: type[Document],
        raws: Sequence[Raw],
        paths: Sequence[str],
        people: Sequence[str] | None = None,
        *,
        anew: bool = False,
    ) -> list[int]:
        """Open the sealed values at `paths` in place; the places of rows whose person has no key (any more).

        `people` are whose rows these are, where the rows do not say it; `anew` asks for their keys also where those
        are at hand. Raises `RowsBroken`.
        """
        ...
