"""The first keys of a region: made once, whoever begins and wherever it breaks off, and never in place of lost ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
from beanie import Document

from graph.commands.key_store import KEYS_LOST, make_keys
from graph.settings import Settings, load_settings
from models.database import Database
from models.errors import ConfigurationError, DatabaseUnavailable
from models.keystore.documents import KeyDocument, StateDocument
from models.keystore.first import has_keys, make_first_keys
from models.keystore.ring import unwrapped_ring
from models.user import UserDocument
from tests.integration.sealing.holdings import SEALED
from tests.stores import sealed_database
from tests.unit.models.keystore.watched import Provider, Watched

NAMES: Final = ["encryption:eu:1", "index:eu:1"]


async def kept(store: Watched) -> list[dict[str, Any]]:
    """The keys that are stored."""
    return await store.real.find(KeyDocument, {}, sort=[("_id", 1)])


@pytest.mark.parametrize("sealed", [True, False])
async def test_there_are_a_key_a_pepper_and_a_state(empty: Watched, roots: Provider, sealed: bool) -> None:
    """Wrapped, the pepper by the key and that by the root key; the state says what it was told."""
    assert not await has_keys(empty.real, "eu")
    await make_first_keys(empty.real, roots, "eu", sealed=sealed)
    assert await has_keys(empty.real, "eu")
    rows = await kept(empty)
    assert [row["_id"] for row in rows] == NAMES
    ring = await unwrapped_ring("eu", rows, roots)
    assert (ring.newest.version, ring.pepper_versions) == (1, (1,))
    state = await empty.real.find_one(StateDocument, {"_id": "eu"})
    assert state == {"_id": "eu", "epoch": 1, "sealed": sealed, "earlier_roots": []}


async def test_a_second_time_nothing_changes(empty: Watched, roots: Provider) -> None:
    """Nor is the provider asked."""
    await make_first_keys(empty.real, roots, "eu", sealed=True)
    before = await kept(empty)
    roots.calls.clear()
    await make_first_keys(empty.real, roots, "eu", sealed=False)
    assert await kept(empty) == before
    assert roots.calls == []


async def test_of_several_at_once_one_wins(empty: Watched, roots: Provider) -> None:
    """All find the same keys afterwards, and they belong together."""
    await asyncio.gather(*(make_first_keys(empty.real, roots, "eu", sealed=True) for _ in range(8)))
    rows = await kept(empty)
    assert [row["_id"] for row in rows] == NAMES
    await unwrapped_ring("eu", rows, roots)


async def test_each_region_has_its_own(empty: Watched, roots: Provider) -> None:
    """One store may hold several."""
    for region in ("eu", "us"):
        await make_first_keys(empty.real, roots, region, sealed=True)
    assert [row["_id"] for row in await kept(empty)] == [
        "encryption:eu:1",
        "encryption:us:1",
        "index:eu:1",
        "index:us:1",
    ]


class Breaking(Watched):
    """Takes so many new rows, and then is away."""

    left = 0

    async def insert(self, document: Document) -> None:
        """Store it, or not."""
        if self.left == 0:
            raise DatabaseUnavailable
        self.left -= 1
        await self.real.insert(document)


@pytest.mark.parametrize("done", [0, 1, 2])
async def test_an_interrupted_one_goes_on(empty: Watched, roots: Provider, done: int) -> None:
    """Before the state is there nobody uses the keys; what was stored of them stays."""
    breaking = Breaking(empty.real)
    breaking.left = done
    with pytest.raises(DatabaseUnavailable):
        await make_first_keys(breaking.as_database(), roots, "eu", sealed=True)
    before = await kept(empty)
    assert len(before) == done
    assert not await has_keys(empty.real, "eu")
    await make_first_keys(empty.real, roots, "eu", sealed=True)
    rows = await kept(empty)
    assert [row for row in rows if row in before] == before
    await unwrapped_ring("eu", rows, roots)
    assert await has_keys(empty.real, "eu")


@pytest.fixture
async def main() -> AsyncIterator[Database]:
    """A database that is sealed by keys elsewhere."""
    async with sealed_database(None) as opened:
        yield opened


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Those of a service with its files in a folder of its own."""
    return load_settings(
        {"FIELDWARD_DATA_DIR": str(tmp_path / "data"), "FIELDWARD_KEYRING": str(tmp_path / "ring.json")}
    )


@pytest.mark.parametrize("path", SEALED[UserDocument])
async def test_none_are_made_where_sealed_values_are(
    empty: Watched, main: Database, settings: Settings, path: str
) -> None:
    """Whichever field of a person it is: new keys would open none of them, so that the store that was lost is named."""
    await main.insert_many(UserDocument, [{"_id": "usr_eu_a", "username_key": "a", path: SEALED[UserDocument][path]}])
    with pytest.raises(ConfigurationError) as caught:
        await make_keys(main, empty.real, settings, nothing_clear=True)
    assert caught.value.message == KEYS_LOST
    assert await kept(empty) == []


async def test_they_are_made_where_all_is_in_the_clear(empty: Watched, main: Database, settings: Settings) -> None:
    """An earlier version stored them so."""
    rows: Any = main._of(UserDocument)
    await rows.insert_one({"_id": "usr_eu_a", "username_key": "a", **SEALED[UserDocument]})
    await make_keys(main, empty.real, settings, nothing_clear=False)
    assert [row["_id"] for row in await kept(empty)] == NAMES
    state = await empty.real.find_one(StateDocument, {"_id": "eu"})
    assert state is not None
    assert state["sealed"] is False
