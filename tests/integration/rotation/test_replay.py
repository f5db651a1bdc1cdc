"""Who was erased in one place is erased in all: a restored backup brings nobody back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from models import replay as module
from models.base import now
from models.database import Raw
from models.erasure import ErasureDocument
from models.errors import ConfigurationError
from models.keystore.documents import DataKeyDocument, TombstoneDocument
from models.keystore.journal import Journal
from models.registry import DOCUMENTS
from models.replay import replay
from models.user import UserDocument
from tests.integration.rotation.world import PEOPLE, World, emails

pytestmark = pytest.mark.slow  # each test makes a world of its own


async def erased(world: World, *people: str) -> None:
    """As the main database is once their rows are deleted, and nothing else was done yet."""
    for person in people:
        await world.service.delete_one(UserDocument, {"_id": person})
        await world.service.insert(ErasureDocument(id=person))


KNOWS: dict[str, Callable[[World, Journal, str], Awaitable[None]]] = {
    "main": lambda world, _journal, person: erased(world, person),
    "key store": lambda world, _journal, person: world.store.insert(TombstoneDocument(id=person)),
    "journal": lambda _world, journal, person: journal.add(person, now()),
}


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """A journal beside the databases; empty."""
    return Journal(tmp_path / "destroyed.jsonl")


async def left(world: World, journal: Journal, person: str) -> tuple[int, int, int, int, bool]:
    """What there is of somebody: row, key, tombstone, erasure, line."""
    main, store = world.course.main, world.store
    return (
        await main.count(UserDocument, {"_id": person}),
        await store.count(DataKeyDocument, {"_id": person}),
        await store.count(TombstoneDocument, {"_id": person}),
        await main.count(ErasureDocument, {"_id": person}),
        person in {tomb.person for tomb in journal.read()},
    )


async def again(world: World, journal: Journal, *more: Journal) -> int:
    """Replay as a start does, with keys that note in the journal what they destroy."""
    world.course.keys._journal = journal
    return await replay(world.course.main, world.course.keys, journal, *more)


@pytest.mark.parametrize("place", KNOWS)
async def test_one_place_that_knows_is_enough(place: str, world: World, journal: Journal) -> None:
    """The others were restored from before: row and key go, and all three know it."""
    gone, stays = list(emails())[:2]
    await KNOWS[place](world, journal, gone)
    assert await again(world, journal) == 1
    assert await left(world, journal, gone) == (0, 0, 1, 1, True)
    assert await left(world, journal, stays) == (1, 1, 0, 0, False)
    assert await again(world, journal) == 0


async def test_what_belongs_to_them_goes_along(world: World, journal: Journal) -> None:
    """Nothing is left that their key had sealed."""
    gone = next(iter(emails()))
    await journal.add(gone, now())
    await again(world, journal)
    for document in DOCUMENTS:
        if hasattr(document, "PERSON") and not document.OUTLIVES_PERSON:
            assert await world.course.main.count(document, {document.PERSON: gone}) == 0


async def test_a_copy_of_the_journal_from_elsewhere_counts(world: World, journal: Journal, tmp_path: Path) -> None:
    """Where the folder was lost along with the databases."""
    gone, elsewhere = next(iter(emails())), Journal(tmp_path / "copy.jsonl")
    await elsewhere.add(gone, now())
    assert await again(world, journal, elsewhere) == 1
    assert await left(world, journal, gone) == (0, 0, 1, 1, True)


async def test_a_damaged_journal_stops_the_start(world: World, journal: Journal) -> None:
    """It may be what keeps somebody from coming back."""
    journal.path.write_text('{"person": 1\n{"nobody": "here"}\n')
    with pytest.raises(ConfigurationError, match="is damaged in line 2"):
        await again(world, journal)


async def test_many_are_read_some_at_a_time(world: World, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """No call has to bring all of them within its deadline."""
    monkeypatch.setattr(module, "_NAMES", 5)
    people = list(emails())[:13]
    await erased(world, *people)
    limits: list[int] = []
    find = world.course.main.find

    async def noted(*asked: object, **how: object) -> list[Raw]:
        limits.append(int(str(how.get("limit", 0))))
        return await find(*asked, **how)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(world.course.main, "find", noted)
    assert await again(world, journal) == 13
    assert set(limits) == {5, 0}  # zero: whether they are really gone, for all of them by their identifiers
    assert await world.course.main.count(UserDocument, {}) == PEOPLE - 13


async def test_somebody_who_is_still_there_was_not_erased(world: World, journal: Journal) -> None:
    """Rows and note go together: whoever planted the note alone destroys nobody's key by it."""
    there = next(iter(emails()))
    await world.service.insert(ErasureDocument(id=there))
    assert await again(world, journal) == 0
    assert await left(world, journal, there) == (1, 1, 0, 1, False)


@pytest.mark.parametrize(("by_hand", "done"), [(False, 0), (True, 13)])
async def test_very_many_are_erased_by_hand_only(
    world: World, journal: Journal, monkeypatch: pytest.MonkeyPatch, by_hand: bool, done: int
) -> None:
    """A start does not destroy the keys of very many people because one database says so."""
    monkeypatch.setattr(module, "MOST", 12)
    people = list(emails())[:13]
    await erased(world, *people)
    world.course.keys._journal = journal
    assert await replay(world.course.main, world.course.keys, journal, anyway=by_hand) == done
    assert await world.store.count(TombstoneDocument, {}) == done
