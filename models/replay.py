"""Erasures that a restored backup has undone are done again, before anything is served.

Three places know of an erasure: the main database, the key store, and the journal that lies apart from both. None of
them is believed alone: whoever is named in one is erased in all.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from beanie import Document

from models.base import PersonalDocument
from models.database import Database
from models.erasure import ErasureDocument
from models.errors import Conflict
from models.keystore.documents import TombstoneDocument
from models.keystore.journal import Journal
from models.keystore.keys import Keys
from models.registry import DOCUMENTS
from models.user import UserDocument

_BATCH: Final = 500
_NAMES: Final = 20_000  # identifiers; they come well within the deadline of a call


async def replay(main: Database, keys: Keys, journal: Journal | None, *more: Journal, anyway: bool = False) -> int:
    """Erase again whoever was erased before; how many were found that were missing somewhere.

    `more` are copies of the journal from elsewhere. Unless `anyway`, nothing is looked at one by one where all three
    name equally many. Raises `ConfigurationError` for a journal that is damaged.
    """
    noted = {tomb.person for each in (journal, *more) if each is not None for tomb in each.read()}
    counted = await main.count(ErasureDocument, {}), await keys.database.count(TombstoneDocument, {})
    if not anyway and not more and len({*counted, len(noted) if journal is not None else counted[0]}) == 1:
        return 0
    here = await _names(main, ErasureDocument)
    there = await _names(keys.database, TombstoneDocument)
    known = noted if journal is not None else here
    missing = sorted((here | there | noted) - (here & there & known))
    everybody = sorted(here | there | noted) if anyway else missing
    for start in range(0, len(everybody), _BATCH):
        await _erase(main, keys, everybody[start : start + _BATCH])
    return len(missing)


async def _names(database: Database, document: type[Document]) -> set[str]:
    found: set[str] = set()
    after = ""
    while rows := await database.find(
        document, {"_id": {"$gt": after}}, projection={"_id": 1}, sort=[("_id", 1)], limit=_NAMES
    ):
        after = rows[-1]["_id"]
        found.update(row["_id"] for row in rows)
    return found


async def _erase(main: Database, keys: Keys, people: Iterable[str]) -> None:
    erased = list(people)
    for document in DOCUMENTS:
        if issubclass(document, PersonalDocument) and document is not UserDocument and not document.OUTLIVES_PERSON:
            await main.delete_many(document, {document.PERSON: {"$in": erased}})
    await main.delete_many(UserDocument, {"_id": {"$in": erased}})
    for person in erased:
        with suppress(Conflict):
            await main.insert(ErasureDocument(id=person))
        await keys.destroy(person)
