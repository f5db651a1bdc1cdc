"""What MongoDB itself holds of sealed fields: a value that is not sealed is refused, whoever writes it.

A second line behind the types: it sees the form of a value (see `models.crypto.envelope`), not whether it opens.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from hashlib import sha256
from typing import Any, Final, TypeAlias

from beanie import Document

from models.bookkeeping import MarkerDocument
from models.crypto.envelope import FORMAT, OVERHEAD
from models.database import DOCUMENTS, Database
from models.errors import Conflict
from models.sealed import sealed_fields

Validator: TypeAlias = Mapping[str, Any]
Sealed: TypeAlias = Callable[[type[Document]], Iterable[str]]

_HEADER_BITS: Final = 24  # the format, and the upper half of the key version, which no rotation comes to
_SET: Final = [bit for bit in range(8) if FORMAT >> bit & 1]
_CLEAR: Final = [bit for bit in range(_HEADER_BITS) if bit not in _SET]


def validator_for(document: type[Document], sealed: Sealed = sealed_fields) -> Validator:
    """What a row of `document` must be like; empty when it has no sealed field. A sealed field may be absent.

    MongoDB counts the bits of binary data from the lowest of the first byte.
    """
    paths = sorted(sealed(document))
    if not paths:
        return {}
    return {
        # By schema, as a query for a type would also be content with an array that holds one of it.
        "$jsonSchema": {"properties": {path: {"bsonType": "binData"} for path in paths}},
        "$and": [
            {"$or": [{path: {"$exists": False}}, {path: {"$bitsAllSet": _SET, "$bitsAllClear": _CLEAR}}]}
            for path in paths
        ],
        "$expr": {"$and": [_long_enough(f"${path}") for path in paths]},
    }


def _long_enough(field: str) -> Mapping[str, Any]:
    size = {"$cond": [{"$eq": [{"$type": field}, "binData"]}, {"$binarySize": field}, OVERHEAD]}
    return {"$gte": [size, OVERHEAD]}


def sealing_validators(sealed: Sealed = sealed_fields) -> Mapping[type[Document], Validator]:
    """The validator of each document class that has sealed fields."""
    found = {document: validator_for(document, sealed) for document in DOCUMENTS}
    return {document: validator for document, validator in found.items() if validator}


async def apply_validators(database: Database, *, strict: bool, sealed: Sealed = sealed_fields) -> None:
    """Let MongoDB refuse what is not sealed. Not strict: rows that hold values in clear already can still be
    changed; new rows, and those that are sealed, stay sealed. Does nothing in memory."""
    if not database.in_memory:
        for document, validator in sealing_validators(sealed).items():
            await database.set_validator(document, validator, strict=strict)


async def tighten(database: Database, *, sealed: Sealed = sealed_fields) -> bool:
    """Apply the validators, strictly once nothing is stored in clear; returns whether they are strict.

    All rows are looked at until that is so for the first time; a marker keeps it.
    """
    marker = f"sealed-{_digest(sealed)}"
    strict = await database.find_one(MarkerDocument, {"_id": marker}) is not None
    if not strict:
        # Before the look: from here on nothing in clear is added.
        await apply_validators(database, strict=False, sealed=sealed)
        strict = not await _holds_clear(database, sealed)
        if strict:
            with suppress(Conflict):  # another process was at it too
                await database.insert(MarkerDocument(id=marker))
    if strict:
        await apply_validators(database, strict=True, sealed=sealed)
    return strict


async def _holds_clear(database: Database, sealed: Sealed) -> bool:
    if database.in_memory:
        return False
    for document, validator in sealing_validators(sealed).items():
        if await database.has_violation(document, validator):
            return True
    return False


def _digest(sealed: Sealed) -> str:
    named = {document.__name__: validator for document, validator in sealing_validators(sealed).items()}
    return sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()[:16]
