"""Erasures that a restored backup has undone are done again, before anything is served.

Three places know of an erasure: the main database, the key store, and the journal that lies apart from both. Whoever is
named by one of the latter is erased in all; the main database is believed with care, because more can write there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Final

import structlog
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

MOST: Final = 100  # erasures that a start believes the main database alone
_BATCH: Final = 500
_NAMES: Final = 20_000  # identifiers; they come well within the deadline of a call


async def replay(main: Database, keys: Keys, journal: Journal | None, *more: Journal, anyway: bool = False) -> int:
    """Erase again whoever was erased before; for how many something was missing somewhere.

    `more` are copies of the journal from elsewhere. Unless `anyway`, nothing is looked at one by one where all three
    name equally many. The main database alone is not believed of somebody who is still in it, as rows and note go
    together, nor of more than `MOST` people unless `anyway`: whoever can write there must not destroy keys by it.
    Raises `ConfigurationError` for a journal that is damaged.
    """
    noted = {tomb.person for each in (journal, *more) if each is not None for tomb in each.read()}
    counted = await main.count(ErasureDocument, {}), await keys.database.count(TombstoneDocument, {})
    if not anyway and not more and len({*counted, len(noted) if journal is not None else counted[0]}) == 1:
        return 0
    here, there = await _names(main, ErasureDocument), await _names(keys.database, TombstoneDocument)
    believed = there | noted | await _left_over(main, here - there - noted, anyway=anyway)
    missing = believed if anyway else believed - (here & there)
    for batch in _batches(missing):
        await _erase(main, keys, batch)
    unnoted = (here & there) - noted - missing if journal is not None else set()
    for person in sorted(unnoted):  # of another machine, or from before there was a journal
        await keys.note(person)
    return len(believed - (here & there)) + len(unnoted)


async def _left_over(main: Database, people: set[str], *, anyway: bool) -> set[str]:
    """Those of `people`, whom only the main database calls erased, of whom that may be so."""
    still = set()
    for batch in _batches(people):
        rows = await main.find(UserDocument, {"_id": {"$in": batch}}, projection={"_id": 1})
        still |= {row["_id"] for row in rows}
    left = people - still
    doubted = still if anyway or len(left) <= MOST else people
    if doubted:
        structlog.get_logger(__name__).error("erasures_not_believed", count=len(doubted))
    return people - doubted


async def _names(database: Database, document: type[Document]) -> set[str]:
    found: set[str] = set()
    after = ""
    while rows := await database.find(
        document, {"_id": {"$gt": after}}, projection={"_id": 1}, sort=[("_id", 1)], limit=_NAMES
    ):
        after = rows[-1]["_id"]
        found.update(row["_id"] for row in rows)
    return found


def _batches(people: Iterable[str]) -> Iterator[list[str]]:
    ordered = sorted(people)
    return (ordered[start : start + _BATCH] for start in range(0, len(ordered), _BATCH))


async def _erase(main: Database, keys: Keys, people: Sequence[str]) -> None:
    for document in DOCUMENTS:
        if issubclass(document, PersonalDocument) and document is not UserDocument and not document.OUTLIVES_PERSON:
            await main.delete_many(document, {document.PERSON: {"$in": people}})
    await main.delete_many(UserDocument, {"_id": {"$in": people}})
    for person in people:
        with suppress(Conflict):
            await main.insert(ErasureDocument(id=person))
        await keys.destroy(person)
