"""Making the databases ready for this version: indexes, validators, first keys; and whether that was done.

What a version needs is told by a marker in the main database, written when all of it was made. Its name comes
from the indexes and validators themselves, so a version that declares others looks for another marker.
"""

from __future__ import annotations

import json
from contextlib import suppress
from hashlib import sha256
from typing import Final

from graph.commands.key_store import make_keys, sealed
from graph.settings import Settings
from models.bookkeeping import MarkerDocument
from models.database import DOCUMENTS, Database
from models.database.failures import collection_name, indexes
from models.errors import ConfigurationError, Conflict
from models.rotation.clear import prepare
from models.skeletons import fill_skeletons
from models.validators import sealing_validators, tighten

NOT_MIGRATED: Final = (
    "The database is not ready for this version: its indexes and validators are made by `fieldward database migrate`, "
    "with FIELDWARD_MIGRATOR_URL and FIELDWARD_KEYSTORE_MIGRATOR_URL."
)


async def migrate(main: Database, store: Database, settings: Settings) -> None:
    """Make everything that this version needs; safe to call again, and from several processes at once.

    `main` is open as the migrator, `store`, the key store, as its keymaster. Where values are in the clear yet,
    people get their keys and look-up codes now; `fieldward keys seal` does the rest. Raises `ConfigurationError` for
    what is there with other options, and for keys that cannot be had.
    """
    await store.make_indexes()
    await main.make_indexes()
    await make_keys(main, store, settings, nothing_clear=await tighten(main))
    async with sealed(main, store, settings) as keys:
        await prepare(main, keys)
    await fill_skeletons(main)
    with suppress(Conflict):  # it was ready before
        await main.insert(MarkerDocument(id=schema_marker()))


async def is_migrated(main: Database) -> bool:
    """Whether `migrate` of this version, or of one with the same indexes and validators, was done."""
    return await main.find_one(MarkerDocument, {"_id": schema_marker()}) is not None


async def require_migrated(main: Database) -> None:
    """Raise `ConfigurationError` unless the database is ready."""
    if not await is_migrated(main):
        raise ConfigurationError(NOT_MIGRATED)


def schema_marker() -> str:
    """The name of what this version needs of the main database."""
    declared = {collection_name(it): [dict(index.document) for index in indexes(it)] for it in DOCUMENTS}
    validators = {collection_name(document): validator for document, validator in sealing_validators().items()}
    text = json.dumps([declared, validators], default=str)
    return f"schema-{sha256(text.encode()).hexdigest()[:16]}"
