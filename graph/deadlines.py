"""Deadlines of one length, many at a time: entering and leaving one costs a place in a dict, and no timer.

`asyncio.timeout` starts a timer for every use. Deadlines of one length end in the order in which they began, so
one timer is enough for all of them: for the one that ends first.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self


class Deadlines:
    """Deadlines of `seconds` each."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._open: dict[Deadline, None] = {}  # in the order in which they end
        self._loop: asyncio.AbstractEventLoop | None = None  # of the timer that runs

    def begin(self) -> Deadline:
        """One for the running task, from now on: `with deadlines.begin() as deadline: ...`."""
        return Deadline(self)

    def enter(self, deadline: Deadline) -> float:
        """Count it among the open ones; the moment at which it ends, by the loop's clock."""
        loop = asyncio.get_running_loop()
        at = loop.time() + self._seconds
        self._open[deadline] = None
        if self._loop is not loop:
            self._loop = loop
            loop.call_at(at, self._end, loop)
        return at

    def leave(self, deadline: Deadline) -> None:
        """Count it no longer."""
        del self._open[deadline]

    def _end(self, loop: asyncio.AbstractEventLoop) -> None:
        """End those whose time is over, and come back for the next."""
        now = loop.time()
        for deadline in self._open:
            if deadline.at > now:
                loop.call_at(deadline.at, self._end, loop)
                return
            deadline.end()
        self._loop = None


class Deadline:
    """As `asyncio.timeout`: cancels its task when the time is over, and turns that into `TimeoutError`."""

    __slots__ = ("_cancelling", "_of", "_task", "at", "expired")

    def __init__(self, of: Deadlines) -> None:
        self._of = of
        self.expired = False

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a deadline needs a task")
        self._task, self._cancelling = task, task.cancelling()
        self.at = self._of.enter(self)
        return self

    def end(self) -> None:
        """The time is over."""
        if not self.expired:
            self.expired = True
            self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._of.leave(self)
        # Somebody else may have cancelled the task as well: that counts more.
        if self.expired and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error
