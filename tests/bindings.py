"""Where one value is stored, named part by part, and sealing for it: what the product keeps prepared."""

from __future__ import annotations

from dataclasses import dataclass

from models.crypto.envelope import Column, DataKey, DataKeys, Row, Shelf


@dataclass(frozen=True, slots=True)
class Binding:
    """The place of one value."""

    region: str
    collection: str
    document: str
    person: str
    path: str

    @property
    def row(self) -> Row:
        """What the values of its document share."""
        return Shelf(self.region, self.collection).row(self.document, self.person)

    @property
    def column(self) -> Column:
        """What those of its path share."""
        return Column(self.path)


def seal(key: DataKey, binding: Binding, plaintext: bytes) -> bytes:
    """`plaintext` sealed for a place."""
    return key.seal_at(binding.row, binding.column, plaintext)


def unseal(key: DataKey, binding: Binding, sealed: bytes) -> bytes:
    """What was sealed for it. Raises `SealBroken`."""
    return DataKeys([key]).open_at(binding.row, binding.column, sealed)
