"""Many deadlines on one timer, each as `asyncio.timeout` would be."""

from __future__ import annotations

import asyncio

import pytest

from graph.deadlines import Deadlines


async def late(deadlines: Deadlines) -> str:
    """What becomes of work that takes too long."""
    try:
        with deadlines.begin():
            await asyncio.sleep(60)
    except TimeoutError:
        return "late"
    return "done"


async def test_what_is_done_in_time_hears_nothing_of_it() -> None:
    """Also when the timer comes after it."""
    deadlines = Deadlines(0.02)
    with deadlines.begin() as deadline:
        await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    assert not deadline.expired


async def test_what_takes_too_long_is_ended() -> None:
    """By `TimeoutError`, and it can be told afterwards."""
    with pytest.raises(TimeoutError):  # noqa: SIM117 - the deadline is looked at afterwards
        with Deadlines(0.02).begin() as deadline:
            await asyncio.sleep(60)
    assert deadline.expired


async def test_each_has_its_own_time() -> None:
    """Those that begin later end later, by the same timer; one that has ended does not end the timer."""
    deadlines = Deadlines(0.05)
    first = asyncio.create_task(late(deadlines))
    await asyncio.sleep(0.03)
    second = asyncio.create_task(late(deadlines))
    assert await first == "late"
    assert not second.done()
    assert await second == "late"
    assert await late(deadlines) == "late"


async def test_who_is_cancelled_by_others_is_cancelled() -> None:
    """Before its time as well as at the same moment."""
    deadlines = Deadlines(0.02)
    early = asyncio.create_task(late(deadlines))
    await asyncio.sleep(0)
    early.cancel()
    with pytest.raises(asyncio.CancelledError):
        await early

    async def both() -> None:
        with deadlines.begin() as deadline:
            await asyncio.sleep(0)
            deadline.end()
            asyncio.current_task().cancel()  # type: ignore[union-attr]  # there is one
            await asyncio.sleep(60)

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(both())


async def test_one_around_another_is_the_one_that_counts() -> None:
    """The inner one is not told that its time was over."""
    inner = Deadlines(60)
    with pytest.raises(TimeoutError):  # noqa: PT012, SIM117 - both are looked at afterwards
        with Deadlines(0.02).begin() as outer:
            with inner.begin() as within:
                await asyncio.sleep(60)
    assert (outer.expired, within.expired) == (True, False)


def test_each_event_loop_has_a_timer() -> None:
    """One that was left in a loop that has ended does not count."""
    deadlines = Deadlines(0.02)

    async def prompt() -> None:
        with deadlines.begin():
            await asyncio.sleep(0)

    asyncio.run(prompt())
    assert asyncio.run(late(deadlines)) == "late"
