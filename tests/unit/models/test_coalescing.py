"""Look-ups that wait together go together, each to whom it belongs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from models.coalescing import BATCH, FLIGHTS, Coalescer
from models.errors import DatabaseUnavailable

PATIENCE = 5.0


class Source:
    """A database that can be held up."""

    def __init__(self, *, known: int = 1000) -> None:
        self.calls: list[tuple[str, list[str]]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.failure: Exception | None = None
        self._known = {str(number) for number in range(known)}

    async def fetch(self, kind: str, identifiers: list[str]) -> Mapping[str, dict[str, Any]]:
        """Rows that say of which kind they are."""
        self.calls.append((kind, identifiers))
        await self.open.wait()
        if self.failure is not None:
            raise self.failure
        return {
            identifier: {"_id": identifier, "kind": kind} for identifier in identifiers if identifier in self._known
        }


async def test_those_of_one_moment_share_one_query() -> None:
    """And each gets their own row, or none."""
    source = Source(known=3)
    together: Coalescer[str] = Coalescer(source.fetch, PATIENCE)
    rows = await asyncio.gather(*(together.get("a", str(number)) for number in range(5)))
    assert [row and row["_id"] for row in rows] == ["0", "1", "2", None, None]
    assert source.calls == [("a", ["0", "1", "2", "3", "4"])]


async def test_kinds_never_share() -> None:
    """A kind is a grant: what one may see is not fetched for another."""
    source = Source()
    together: Coalescer[str] = Coalescer(source.fetch, PATIENCE)
    rows = await asyncio.gather(*(together.get(kind, "1") for kind in ("a", "b", "a", "b")))
    assert [row and row["kind"] for row in rows] == ["a", "b", "a", "b"]
    assert sorted(source.calls) == [("a", ["1"]), ("b", ["1"])]


async def test_whoever_comes_while_queries_are_under_way_waits_for_the_next() -> None:
    """A value is never older than the question."""
    source = Source()
    source.open.clear()
    together: Coalescer[str] = Coalescer(source.fetch, PATIENCE)
    first = [asyncio.ensure_future(together.get("a", str(number))) for number in range(FLIGHTS)]
    for waiting in first:
        assert not waiting.done()
        await asyncio.sleep(0)
    await asyncio.sleep(0.01)
    under_way = len(source.calls)
    later = [asyncio.ensure_future(together.get("a", "0")) for _ in range(10)]
    await asyncio.sleep(0.01)
    assert len(source.calls) <= FLIGHTS
    source.open.set()
    rows = await asyncio.gather(*first, *later)
    assert all(row is not None for row in rows)
    assert len(source.calls) == under_way + 1
    assert source.calls[-1] == ("a", ["0"])


async def test_large_gatherings_leave_in_batches() -> None:
    """None is lost."""
    source = Source()
    together: Coalescer[str] = Coalescer(source.fetch, PATIENCE)
    count = BATCH * 3 + 7
    rows = await asyncio.gather(*(together.get("a", str(number)) for number in range(count)))
    assert [row and row["_id"] for row in rows] == [str(number) for number in range(count)]
    assert max(len(identifiers) for _, identifiers in source.calls) <= BATCH


async def test_a_failure_reaches_everybody_who_waited_and_nobody_else() -> None:
    """The next question is asked anew."""
    source = Source()
    source.failure = DatabaseUnavailable()
    together: Coalescer[str] = Coalescer(source.fetch, PATIENCE)
    results = await asyncio.gather(*(together.get("a", "1") for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [DatabaseUnavailable] * 3
    source.failure = None
    assert await together.get("a", "1") == {"_id": "1", "kind": "a"}


async def test_whoever_gives_up_does_not_disturb_the_others() -> None:
    """A cancelled request leaves the common query alone."""
    source = Source()
    source.open.clear()
    together: Coalescer[str] = Coalescer(source.fetch, PATIENCE)
    impatient = asyncio.ensure_future(together.get("a", "1"))
    patient = asyncio.ensure_future(together.get("a", "1"))
    await asyncio.sleep(0.01)
    impatient.cancel()
    source.open.set()
    assert await patient == {"_id": "1", "kind": "a"}
    with pytest.raises(asyncio.CancelledError):
        await impatient


async def test_whoever_waits_is_answered_in_time_whatever_becomes_of_the_query() -> None:
    """A query that never ends holds up neither those who wait for it nor those who come later."""
    source = Source()
    source.open.clear()
    together: Coalescer[str] = Coalescer(source.fetch, 0.02)
    for _ in range(FLIGHTS + 1):
        with pytest.raises(DatabaseUnavailable):
            await together.get("a", "1")
    source.open.set()
    assert await together.get("a", "1") == {"_id": "1", "kind": "a"}
