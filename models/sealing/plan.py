"""How the documents of a class are sealed: what their class declares, prepared once for a region."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from beanie import Document

from models.base import PersonalDocument
from models.crypto.envelope import Column, DataKeys, Shelf
from models.database.failures import collection_name
from models.keystore.ring import Ring
from models.sealed import SealedField, sealed_fields

INDEX_SUFFIX: Final = "_index"


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
        fields = {path: (Column(path), each) for path, each in sealed_fields(document).items()}
        collection = collection_name(document)
        shelf = Shelf(region, collection)
        return cls(collection, shelf, document.PERSON, fields, document.LOOKED_UP) if fields else None

    def sealed(self, document: str, person: str, keys: DataKeys, values: Mapping[str, Any]) -> dict[str, bytes]:
        """Those of `values` (by path) that are sealed, as `document` of `person` stores them. Raises `BadInput`."""
        row, seal_at = self.shelf.row(document, person), keys.newest.seal_at
        wanted = ((path, value, *self.fields[path]) for path, value in values.items() if path in self.fields)
        return {path: seal_at(row, place, field.codec.encode(value)) for path, value, place, field in wanted}

    def entries(self, ring: Ring, values: Mapping[str, Any]) -> dict[str, Any]:
        """What is stored beside those of `values` that people are looked up by."""
        return {
            f"{path}{INDEX_SUFFIX}": ring.index(self.collection, path, normalise).entries(values[path])
            for path, normalise in self.looked_up.items()
            if path in values
        }
