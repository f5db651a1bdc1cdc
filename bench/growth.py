"""How Fieldward grows: with rows, with distinct documents, with workers, and with the number of requests.

`python -m bench.growth`; writes `bench/growth.json`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
import typer
import uvloop
from rich.console import Console
from rich.table import Table

from auth.identity import CACHED_TOKENS
from bench.__main__ import PEOPLE, cores_of, start
from bench.load import measure
from bench.places import find_places
from bench.rounds import REQUESTS, Stand
from bench.servers import FIELDWARD, ROOT, Running
from bench.workloads import WORKLOADS, Places, Workload, bodies_of, http_request, variables_of
from bench.world import World, open_world
from graph.settings import Settings

ROWS: Final = (10, 100, 1000)
DOCUMENTS: Final = (10, 100, 1_000, 10_000)
WORKERS: Final = (1, 2)
MANY: Final = 1_000_000
_STEPS: Final = 20
_PERSON, _PEOPLE = WORKLOADS[0], WORKLOADS[1]

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


def rows(ground: Ground) -> Figures:
    """Pages of 10, 100 and 1,000 people; 1,000 where the cap of a page can be set."""
    settings = {"FIELDWARD_MAX_PAGE": str(max(ROWS))} if "max_page" in Settings.model_fields else {}
    found: Figures = []
    with ground.fieldward(**settings) as server:
        for count in ROWS if settings else ROWS[:-1]:
            requests = ground.requests(replace(_PEOPLE, first=count), server)
            found.append({"rows": count, **ground.rate(requests, server)})
    return found


def documents(ground: Ground) -> Figures:
    """From 10 to 10,000 documents that differ, asked for in turn, all of them: more than any cache holds at the end."""
    found: Figures = []
    for count in DOCUMENTS:
        with ground.fieldward() as server:
            requests = ground.requests(_PERSON, server, count)
            found.append({"documents": count, **ground.rate(requests, server, answers=count)})
    return found


def workers(ground: Ground) -> Figures:
    """One and two workers. With two, they share the cores with MongoDB and the load."""
    found: Figures = []
    for count in WORKERS:
        for workload in (_PERSON, _PEOPLE):
            with ground.fieldward(FIELDWARD_WORKERS=str(count)) as server:
                figures = ground.rate(ground.requests(workload, server), server, 64)
                found.append({"workers": count, "workload": workload.title, **figures})
    return found


def memory(ground: Ground, requests: int, minutes: float) -> Figures:
    """Resident memory along many requests for one person each, with other tokens again and again.

    Verified tokens are remembered, a bounded number of them: they are all there before the first figure.
    """
    found: Figures = []
    done, until = 0, time.monotonic() + minutes * 60
    with ground.fieldward() as server:
        tokens = ground.world.staff_tokens(_PERSON.role, CACHED_TOKENS)
        body = ground.bodies(_PERSON, server)[0]
        filling = [http_request(body, token, _PERSON.purpose, server.port) for token in tokens]
        uvloop.run(measure(server.port, filling, 32, 0.0, answers=len(filling), longest=60.0))
        while done < requests and time.monotonic() < until:
            batch = ground.requests(_PERSON, server)
            share = uvloop.run(
                measure(server.port, batch, 32, 0.0, answers=requests // _STEPS, longest=minutes * 60 / _STEPS * 2)
            )
            done += share.answers
            found.append({"requests": done, "megabytes": round(server.megabytes(), 1)})
    return found


PARTS: Final = ("rows", "documents", "workers", "memory")


def main(
    only: Annotated[
        str, typer.Option(help="Parts by name, separated by commas: rows, documents, workers, memory.")
    ] = "",
    seconds: Annotated[float, typer.Option(help="Of each measurement.")] = 3.0,
    requests: Annotated[int, typer.Option(help="For the part on memory.")] = MANY,
    minutes: Annotated[float, typer.Option(help="At most, for the part on memory.")] = 10.0,
    folder: Annotated[Path, typer.Option(help="Where the data is kept between runs.")] = ROOT / ".bench",
    output: Annotated[Path, typer.Option(help="Where the figures are written.")] = ROOT / "bench" / "growth.json",
) -> None:
    """Measure how Fieldward grows."""
    console = Console()
    wanted = only.split(",") if only else PARTS
    server_core, own_core = cores_of()
    found: dict[str, Figures] = orjson.loads(output.read_bytes()) if only and output.exists() else {}
    with open_world(folder, PEOPLE, own_core) as world:
        ground = Ground(world, server_core, seconds)
        parts = {
            "rows": lambda: rows(ground),
            "documents": lambda: documents(ground),
            "workers": lambda: workers(ground),
            "memory": lambda: memory(ground, requests, minutes),
        }
        for name in wanted:
            found[name] = parts[name]()
            console.print(_table(name, found[name]))
            output.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def _table(name: str, figures: Figures) -> Table:
    table = Table(*figures[0], title=name.capitalize())
    for row in figures:
        table.add_row(*(f"{value:,}" if isinstance(value, int | float) else str(value) for value in row.values()))
    return table


if __name__ == "__main__":
    typer.run(main)
