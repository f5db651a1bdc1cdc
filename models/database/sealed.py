"""Where rows, changes and look-ups pass whoever seals them, on their way to MongoDB; and what the service opens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from beanie import Document

from models.database.connection import Connection, Raw
from models.database.sealing import SealedRows, Sealing
from models.errors import FieldwardError
from models.sealed import sealed_fields
from models.uses import USES, Use


class SealedConnection(Connection):
    """A database whose sealed fields are sealed by `sealing`; without it no such field is written."""

    sealing: Sealing | None = None

    async def opened(self, use: Use, document: type[Document], *rows: Raw) -> bool:
        """Open in place what the service itself uses of rows as read (`models.uses`); False when a key is gone.

        What is for people to see goes by the reader, under a grant. Raises `SealBroken`.
        """
        if self.sealing is None:
            return True
        # NOTE: a key at hand would tell, by the time that is saved, whose password was compared a moment ago.
        return not await self.sealing.open(document, rows, USES[use][document], anew=use is Use.PASSWORD)

    async def _asked(self, document: type[Document], filter: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: A002 - MongoDB's own word
        if self.sealing is not None and self.sealing.asks(document, filter):
            return await self.sealing.lookup(document, filter)
        return filter

    async def _sealed(self, document: type[Document], raws: Sequence[Raw]) -> SealedRows:
        if self.sealing is not None:
            return await self.sealing.rows(document, raws)
        _refuse_clear(document, raws)
        return SealedRows(list(raws))

    async def _changed(
        self,
        document: type[Document],
        filter: Mapping[str, Any],  # noqa: A002 - MongoDB's own word
        update: Mapping[str, Any],
    ) -> Mapping[str, Any] | None:
        if self.sealing is not None:
            return await self.sealing.update(document, filter, update)
        _refuse_clear(document, update.values())
        return update

    async def _forget(self, sealed: SealedRows) -> None:
        if self.sealing is not None and sealed.newcomers:
            await self.sealing.forget(sealed.newcomers)


def _refuse_clear(document: type[Document], written: Iterable[Mapping[str, Any]]) -> None:
    """Nothing that is to be sealed is written where nobody seals."""
    fields = sealed_fields(document)
    if any(path in fields for values in written for path in values):
        raise FieldwardError(f"Sealed fields of {document.__name__} were to be written without keys.")
