"""How a document is written: aliases, plain values, and nothing for what is absent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any

from beanie import Document
from pydantic import BaseModel

from models.encrypted import Encrypted, Unsealed, value_to_seal


def to_bson(document: Document) -> dict[str, Any]:
    """The stored form of `document`: aliases, enums as values, dates as ISO strings, no nulls.

    Beanie's own encoder is not used: its per-class encoder for `date` also catches `datetime`
    (a subclass), which would turn every moment into a string.
    """
    return _fields(document)


def _fields(model: BaseModel) -> dict[str, Any]:
    stored: dict[str, Any] = {}
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if value is None or field.exclude:
            continue
        is_key = name == "id" and isinstance(model, Document)
        stored["_id" if is_key else field.alias or name] = plain(value)
    return stored


def plain(value: object) -> Any:  # noqa: ANN401 - whatever BSON can hold
    """One value as BSON holds it."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Unsealed):
        return plain(value_to_seal(value))
    if isinstance(value, Encrypted):
        return value.binary()
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, BaseModel):
        return _fields(value)
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value
