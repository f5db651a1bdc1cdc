"""Measuring in rounds: every server in turn for each workload, again and again, so that drift hits all alike."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import uvloop

from bench.answers import compare, data_of
from bench.load import Reading, measure
from bench.processes import cpu_seconds
from bench.servers import Running, post
from bench.workloads import WORKLOADS, Places, Workload, bodies_of, http_request, variables_of
from bench.world import World
from models.vocabulary import Role

CONCURRENCIES: Final = (1, 32)
REQUESTS: Final = 3000
COMPARED: Final = 12
CHECKED: Final = 4

Say = Callable[[str], None]
Cell = tuple[str, str, int]  # server, workload, concurrency


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to measure: rounds, seconds of each measurement, seconds of warm-up for each workload."""

    rounds: int
    seconds: float
    warm: float


FULL: Final = Pace(rounds=4, seconds=2.0, warm=2.5)
QUICK: Final = Pace(rounds=2, seconds=0.6, warm=1.0)


@dataclass(frozen=True, slots=True)
class Load:
    """Processor time in milliseconds for each answer, and shares of a core, to see what was the bottleneck.

    `work` (of the server, for each answer) hardly depends on what else the machine does.
    """

    work: float
    server: float
    mongod: float
    generator: float


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement of one cell."""

    reading: Reading
    load: Load


@dataclass(slots=True)
class Stand:
    """Everything that is measured, and what was measured so far."""

    world: World
    places: Places
    servers: Sequence[Running]
    workloads: Sequence[Workload] = WORKLOADS
    concurrencies: Sequence[int] = CONCURRENCIES
    results: dict[Cell, list[Measured]] = field(default_factory=dict)
    _tokens: dict[Role, list[str]] = field(default_factory=dict)
    _expected: dict[str, dict[int, Any]] = field(default_factory=dict)

    def renew_tokens(self) -> None:
        """New tokens for all staff; the old ones end soon."""
        self._tokens = {role: self.world.staff_tokens(role) for role in {w.role for w in self.workloads}}

    def variables(self, workload: Workload) -> list[dict[str, str]]:
        """The same variables for every server."""
        return variables_of(workload, self.places, REQUESTS, seed=7)

    def bodies(self, workload: Workload, server: Running, count: int | None = None) -> list[bytes]:
        """The bodies that one server is sent."""
        document = workload.document(declares_nulls=server.server.is_fieldward)
        return bodies_of(document, workload.name, self.variables(workload)[:count])

    def requests(self, workload: Workload, server: Running) -> list[bytes]:
        """Whole requests, tokens dealt out in turn."""
        tokens = self._tokens[workload.role]
        return [
            http_request(body, tokens[i % len(tokens)], workload.purpose, server.port)
            for i, body in enumerate(self.bodies(workload, server))
        ]

    @property
    def _reference(self) -> Running:
        """Whose answers the others must equal: the limit, which shares no GraphQL code with anybody."""
        return next((it for it in self.servers if it.server.kind == "limit"), self.servers[0])

    def compare_answers(self) -> None:
        """Check that every server says what the reference says. Raises `Different`."""
        for workload in self.workloads:
            expected = [data_of(body) for body in self._ask(workload, self._reference)]
            for server in self.servers:
                compare(f"{server.server.title}, {workload.title}", [*self._ask(workload, server)], expected)

    def _ask(self, workload: Workload, server: Running) -> Iterator[bytes]:
        token = self._tokens[workload.role][0]
        for body in self.bodies(workload, server, COMPARED):
            yield post(server.port, body, token, workload.purpose)[1].encode()

    async def introduce_tokens(self) -> None:
        """Let every server see every new token once, so that no measurement pays for their first check."""
        for server in self.servers:
            largest_first = sorted(self.workloads, key=lambda it: it.first or 0, reverse=True)
            for workload in {it.role: it for it in largest_first}.values():
                requests = self.requests(workload, server)[: len(self._tokens[workload.role])]
                await measure(server.port, requests, 8, 0.0, answers=len(requests))

    async def warm_up(self, seconds: float) -> None:
        """Let compilers and caches settle."""
        for workload in self.workloads:
            for server in self.servers:
                await measure(server.port, self.requests(workload, server), max(self.concurrencies), seconds)

    async def round(self, number: int, seconds: float, progress: Callable[[], None]) -> None:
        """Measure every cell once; who begins changes from round to round."""
        turn = number % len(self.servers)
        order = [*self.servers[turn:], *self.servers[:turn]]
        for workload in self.workloads:
            for concurrency in self.concurrencies:
                for server in order:
                    measured = await self._measure(workload, server, concurrency, seconds, start=number * 997)
                    self.results.setdefault((server.server.name, workload.name, concurrency), []).append(measured)
                    progress()

    async def _measure(
        self, workload: Workload, server: Running, concurrency: int, seconds: float, start: int
    ) -> Measured:
        requests = self.requests(workload, server)
        mongod = self.world.mongod.process.pid
        clocks: tuple[Callable[[], float], ...] = (
            server.cpu_seconds,
            partial(cpu_seconds, mongod),
            time.process_time,
        )
        gc.collect()
        gc.disable()
        before, began = [clock() for clock in clocks], time.perf_counter()
        try:
            reading = await measure(server.port, requests, concurrency, seconds, start=start)
        finally:
            gc.enable()
        elapsed = time.perf_counter() - began
        used = [clock() - earlier for clock, earlier in zip(clocks, before, strict=True)]
        load = Load(used[0] * 1000 / reading.answers, *(seconds / elapsed for seconds in used))
        self._check(workload, server, reading)
        return Measured(reading, load)

    def _check(self, workload: Workload, server: Running, reading: Reading) -> None:
        """Compare a few of the answers that were given under load."""
        known = self._expected.setdefault(workload.name, {})
        token = self._tokens[workload.role][0]
        bodies = self.bodies(workload, self._reference)
        for index, body in reading.kept[:CHECKED]:
            if index not in known:
                known[index] = data_of(post(self._reference.port, bodies[index], token, workload.purpose)[1].encode())
            compare(f"{server.server.title}, {workload.title}, under load", [body], [known[index]])


def generator_alone(stand: Stand, nothing: Running, seconds: float) -> dict[str, float]:
    """What the load generator can do at most, by workload: requests per second against a server without work."""
    concurrency = max(stand.concurrencies)
    return {
        workload.name: uvloop.run(
            measure(nothing.port, stand.requests(workload, nothing), concurrency, seconds, longest=seconds)
        ).rate
        for workload in stand.workloads
    }


def run_rounds(stand: Stand, pace: Pace, say: Say, progress: Callable[[], None]) -> None:
    """Compare, warm up, and measure in rounds. Raises `Different`, `BadAnswer`."""
    stand.renew_tokens()
    say("Comparing answers")
    stand.compare_answers()

    async def run() -> None:
        say("Warming up")
        await stand.introduce_tokens()
        await stand.warm_up(pace.warm)
        for number in range(pace.rounds):
            say(f"Round {number + 1} of {pace.rounds}")
            stand.renew_tokens()
            await stand.introduce_tokens()
            await stand.round(number, pace.seconds, progress)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())
