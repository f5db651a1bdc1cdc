"""How the documents of a class are sealed: what their class declares, prepared once for a region."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from beanie import Document

from models.base import PersonalDocument
from models.crypto.envelope import Column, DataKeys, Shelf, column
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
