"""Cutting a rotation short at a chosen call of a database, as a process that is killed would be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any, Final

from models.database import Database
from models.errors import FieldwardError
from models.keystore.keys import Keys
from models.rotation.course import Course
from tests.integration.rotation.world import Rotate, World
from tests.stores import REGION

CALLS: Final = ("_call", "_read")  # by which everything goes to a database


class Killed(Exception):
    """The process is no more."""


class Fuse:
    """Lets `calls` calls of both databases through; at the next one, before or after it is done, all is over."""

    def __init__(self, calls: int, *, after: bool) -> None:
        self.left, self.after, self.blown = calls, after, False

    def set_in(self, database: Database) -> None:
        """Every call of this connection counts from now on."""
        for name in CALLS:
            vars(database)[name] = partial(self._counted, getattr(database, name))  # of this one object

    async def _counted(self, call: Callable[..., Awaitable[Any]], *asked: Any, **how: Any) -> Any:  # noqa: ANN401 - any type, as the caller has it
        if self.blown:
            raise Killed
        self.left -= 1
        if self.left >= 0:
            return await call(*asked, **how)
        if self.after:
            await call(*asked, **how)
        self.blown = True
        raise Killed


@asynccontextmanager
async def rotating_process(world: World) -> AsyncIterator[Course]:
    """A course with connections and keys of its own, that looks for changes only when it has to. Afterwards no call is
    counted any more."""
    main, store = world.spare
    keys = Keys(store, world.roots, REGION)
    await keys.refresh()
    try:
        yield replace(world.course, main=main, keys=keys)
    finally:
        with suppress(Killed):
            await keys.stop()
        for database in world.spare:
            for name in CALLS:
                vars(database).pop(name, None)


async def killed_at(world: World, rotate: Rotate, calls: int, *, after: bool) -> bool:
    """Rotate, and be killed at that call of a database; False when it was done before that."""
    async with rotating_process(world) as course:
        fuse = Fuse(calls, after=after)
        for database in (course.main, course.keystore):
            fuse.set_in(database)
        try:
            await rotate(course)
        except Killed:
            return True
        return fuse.blown


async def killed_everywhere(world: World, rotate: Rotate, *, after: bool, check: Callable[[], Awaitable[None]]) -> int:
    """Rotate again and again, killed one call later each time and then once not at all; how many calls it has.

    `check` is called after each death, and after each time that it was done.
    """
    for calls in count():
        killed = await killed_at(world, rotate, calls, after=after)
        await check()
        if not killed:
            return calls
        async with rotating_process(world) as course:
            await rotate(course)
        await check()
    raise AssertionError


async def halted_at(world: World, rotate: Rotate, calls: int, *, meanwhile: Callable[[], Awaitable[None]]) -> bool:
    """Rotate; at that call of a database the process halts while `meanwhile` is done, and then goes on as if nothing
    had been. False when it was done before that."""
    halted, goes_on, left = asyncio.Event(), asyncio.Event(), calls

    async def slow(call: Callable[..., Awaitable[Any]], *asked: Any, **how: Any) -> Any:  # noqa: ANN401 - as it is
        nonlocal left
        left -= 1
        if left == -1:
            halted.set()
            await goes_on.wait()
        return await call(*asked, **how)

    async with rotating_process(world) as course:
        for database in (course.main, course.keystore):
            for name in CALLS:
                vars(database)[name] = partial(slow, getattr(database, name))
        process = asyncio.ensure_future(rotate(course))
        await asyncio.wait([process, waiting := asyncio.ensure_future(halted.wait())], return_when="FIRST_COMPLETED")
        waiting.cancel()
        if halted.is_set():
            await meanwhile()
        goes_on.set()
        with suppress(FieldwardError):  # that others have ended it
            await process
    return halted.is_set()
