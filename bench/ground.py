"""A Fieldward by itself, started with given settings and asked at a given pace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import uvloop

from bench.__main__ import start
from bench.load import measure
from bench.places import find_places
from bench.rounds import REQUESTS, Stand
from bench.servers import FIELDWARD, Running
from bench.workloads import Places, Workload, bodies_of, http_request, variables_of
from bench.world import World

Figures = list[dict[str, Any]]


class Ground:
    """Starts Fieldward with given settings and sends it requests."""

    def __init__(self, world: World, core: int | None, seconds: float) -> None:
        self.world, self.core, self.seconds = world, core, seconds
        self.places = Places((), ())

    @contextmanager
    def fieldward(self, **settings: str) -> Iterator[Running]:
        """A fresh Fieldward."""
        core = None if settings.get("FIELDWARD_WORKERS", "1") != "1" else self.core
        with ExitStack() as stack:
            server = start(stack, self.world, replace(FIELDWARD, environment=settings), core)
            if not self.places.ids:
                self.places = find_places(self.world, server)
            yield server

    def bodies(self, workload: Workload, server: Running) -> list[bytes]:
        """What is asked, without who asks."""
        return Stand(self.world, self.places, [server]).bodies(workload, server)

    def requests(self, workload: Workload, server: Running, documents: int = 1) -> list[bytes]:
        """Requests whose operations are named differently, so that no two of `documents` are the same text."""
        stand = Stand(self.world, self.places, [server])
        stand.renew_tokens()
        if documents == 1:
            return stand.requests(workload, server)
        tokens = self.world.staff_tokens(workload.role)
        count = max(documents, REQUESTS)
        variables = variables_of(workload, self.places, count, seed=7)
        named = [replace(workload, name=f"{workload.name}{number}") for number in range(documents)]
        texts = [(it.document(declares_nulls=True), it.name) for it in named]
        return [
            http_request(
                bodies_of(*texts[i % documents], [each])[0], tokens[i % len(tokens)], workload.purpose, server.port
            )
            for i, each in enumerate(variables)
        ]

    def rate(
        self, requests: Sequence[bytes], server: Running, concurrency: int = 32, answers: int = 0
    ) -> dict[str, float]:
        """Answers per second after a warm-up, and the server's processor time for each; of at least `answers`."""

        async def run() -> dict[str, float]:
            await measure(server.port, requests, concurrency, self.seconds, answers=len(requests), longest=30.0)
            before = server.cpu_seconds()
            reading = await measure(server.port, requests, concurrency, self.seconds, answers=answers, longest=60.0)
            work = (server.cpu_seconds() - before) * 1000 / reading.answers
            return {
                "requests_per_second": round(reading.rate, 1),
                "p50_ms": round(reading.p50, 2),
                "server_cpu_ms": round(work, 3),
                "megabytes": round(server.megabytes()),
            }

        return uvloop.run(run())
