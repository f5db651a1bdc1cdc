"""A progress bar on a terminal, a plain line now and then anywhere else."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

LINE_EVERY: Final = 2.0  # seconds between plain lines


class Bar:
    """Shows how much of `total` is done and how many rows that is per second.

    `total` counts whatever `update` is called with: bytes of a file, people. Rows of an earlier run
    do not count into the rate.
    """

    def __init__(
        self, title: str, total: int, console: Console, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._title, self._total, self._console, self._clock = title, max(total, 1), console, clock
        self._began = self._printed = clock()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,.0f}/s"),
            TimeRemainingColumn(),
            console=console,
        )
        self._task = self._bar.add_task(title, total=self._total, rows=0, rate=0.0)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._bar.stop()

    def update(self, done: int, *, rows: int, before: int = 0) -> None:
        """`done` of the total, `rows` so far of which `before` are from an earlier run."""
        now = self._clock()
        rate = (rows - before) / max(now - self._began, 1e-6)
        if self._console.is_terminal:
            self._bar.update(self._task, completed=min(done, self._total), rows=rows, rate=rate)
        elif now - self._printed >= LINE_EVERY:
            self._printed = now
            share = min(100 * done // self._total, 100)
            self._console.print(f"{self._title}: {share} %, {rows:,} rows, {rate:,.0f}/s", highlight=False)


class Steps:
    """Shows how many documents a work of several steps has dealt with in the one it is in; how many there are is
    not known before."""

    def __init__(self, title: str, console: Console, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._title, self._console, self._clock = title, console, clock
        self._step, self._done, self._began, self._printed = "", 0, clock(), clock()
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TextColumn("{task.completed:,.0f} documents, {task.fields[rate]:,.0f}/s"),
            TimeElapsedColumn(),
            console=console,
        )
        self._task = self._bar.add_task(title, total=None, rate=0.0)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._bar.stop()

    def add(self, step: str, more: int) -> None:
        """`more` documents were dealt with in `step`; none: it has begun, and takes a while."""
        now = self._clock()
        if step != self._step:
            self._step, self._done, self._began = step, 0, now
        self._done += more
        rate, what = self._done / max(now - self._began, 1e-6), f"{self._title}: {step}" if step else self._title
        if self._console.is_terminal:
            self._bar.update(self._task, completed=self._done, rate=rate, description=what)
        elif not more:
            self._console.print(what, highlight=False)
        elif now - self._printed >= LINE_EVERY:
            self._printed = now
            self._console.print(f"{what}: {self._done:,} documents, {rate:,.0f}/s", highlight=False)
