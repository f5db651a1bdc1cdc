"""How Fieldward grows: with rows, distinct documents, workers, sealed fields, and with the number of requests.

`python -m bench.growth`; writes `bench/growth.json`.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import orjson
import typer
import uvloop
from rich.console import Console
from rich.table import Table

from auth.identity import CACHED_TOKENS
from bench.__main__ import PEOPLE, cores_of
from bench.ground import Figures, Ground
from bench.load import measure
from bench.sealed import beside_limit, keys_away
from bench.servers import ROOT
from bench.workloads import WORKLOADS, http_request
from bench.world import open_world
from graph.settings import Settings

ROWS: Final = (10, 100, 1000)
DOCUMENTS: Final = (10, 100, 1_000, 10_000)
WORKERS: Final = (1, 2)
MANY: Final = 1_000_000
_STEPS: Final = 20
_PERSON, _PEOPLE = WORKLOADS[0], WORKLOADS[1]


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


PARTS: Final = ("rows", "documents", "workers", "sealed", "keys", "memory")


def main(
    only: Annotated[str, typer.Option(help=f"Parts by name, separated by commas: {', '.join(PARTS)}.")] = "",
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
            "sealed": lambda: beside_limit(ground),
            "keys": lambda: keys_away(ground),
            "memory": lambda: memory(ground, requests, minutes),
        }
        for name in wanted:
            found[name] = parts[name]()
            console.print(_table(name, found[name]))
            output.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def _table(name: str, figures: Figures) -> Table:
    table = Table(*(heading.replace("_", " ") for heading in figures[0]), title=name.capitalize())
    for row in figures:
        table.add_row(*(f"{value:,}" if isinstance(value, int | float) else str(value) for value in row.values()))
    return table


if __name__ == "__main__":
    typer.run(main)
