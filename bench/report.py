"""What was measured, as one table and as JSON."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Final

from rich.table import Table

from bench.rounds import Measured, Pace, Stand
from bench.servers import FIELDWARD
from models.embedded import find_mongod

Results = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Goal:
    """What Fieldward is to reach: at least `of_peer` times the fastest peer, `of_limit` times the plain limit."""

    workload: str
    concurrency: int
    of_peer: float
    of_limit: float | None = None


_OURS: Final = FIELDWARD.name
# Beside a limit that reads in the clear what Fieldward opens; without sealed fields it was 0.85, and 0.8 nested.
GOALS: Final = (
    Goal("Person", 32, 1.0, 1.0),
    Goal("People", 32, 1.3, 0.7),
    Goal("Denied", 32, 2.0, 0.7),
    Goal("Nested", 32, 1.3, 0.7),
    Goal("Person", 1, 0.8),
    Goal("People", 1, 1.0),
    Goal("Denied", 1, 1.0),
    Goal("Nested", 1, 1.0),
)


def results_of(stand: Stand, pace: Pace) -> Results:
    """All figures: medians over the rounds, and the rounds themselves. Names no machine and no path."""
    return {
        "pace": asdict(pace),
        "people": stand.world.people,
        "versions": _platform(),
        "workloads": {it.name: {"title": it.title, "fields": it.fields, "first": it.first} for it in stand.workloads},
        "servers": {
            it.server.name: {
                "title": it.server.title,
                "kind": it.server.kind,
                "versions": it.server.versions(),
                "start_seconds": round(it.start_seconds, 2),
                "peak_megabytes": round(it.peak_megabytes()),
            }
            for it in stand.servers
        },
        "cells": [_cell(*key, taken) for key, taken in stand.results.items()],
        "goals": [found for goal in GOALS if (found := _goal(goal, stand)) is not None],
    }


def _cell(server: str, workload: str, concurrency: int, taken: Sequence[Measured]) -> dict[str, Any]:
    readings = [it.reading for it in taken]
    return {
        "server": server,
        "workload": workload,
        "concurrency": concurrency,
        "requests_per_second": round(median(it.rate for it in readings), 1),
        "p50_ms": round(median(it.p50 for it in readings), 2),
        "p99_ms": round(median(it.p99 for it in readings), 2),
        "server_cpu_ms": round(median(it.load.work for it in taken), 3),
        "rounds": [round(it.rate, 1) for it in readings],
        "cpu": {
            name: round(median(getattr(it.load, name) for it in taken), 2) for name in ("server", "mongod", "generator")
        },
    }


def _goal(goal: Goal, stand: Stand) -> dict[str, Any] | None:
    def rates(server: str) -> list[float]:
        return [it.reading.rate for it in stand.results[server, goal.workload, goal.concurrency]]

    peers = [it.server.name for it in stand.servers if it.server.kind == "peer"]
    found: dict[str, Any] = {"workload": goal.workload, "concurrency": goal.concurrency}
    if peers:
        fastest = max(peers, key=lambda name: median(rates(name)))
        found |= {
            "fastest_peer": fastest,
            "of_peer": ratio(rates(_OURS), rates(fastest)),
            "peer_goal": goal.of_peer,
        }
    if goal.of_limit is not None:
        found |= {"of_limit": ratio(rates(_OURS), rates("limit")), "limit_goal": goal.of_limit}
    return found


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios within each round: what slows a whole round down hits both."""
    return round(median(a / b for a, b in zip(ours, theirs, strict=True)), 2)


def _platform() -> dict[str, str]:
    found = {"python": platform.python_version()}
    binary = find_mongod()
    for name, command in (("mongod", [str(binary), "--version"]), ("node", ["node", "--version"])):
        try:
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - fixed words
        except (OSError, subprocess.CalledProcessError):
            continue
        found[name] = said.split("\n")[0].split()[-1].removeprefix("v")
    return found


def table_of(results: Results) -> Table:
    """One table: a row for each workload and concurrency, a column for each server."""
    cells = {(it["server"], it["workload"], it["concurrency"]): it for it in results["cells"]}
    rows = dict.fromkeys((it["workload"], it["concurrency"]) for it in results["cells"])
    servers: Mapping[str, Mapping[str, Any]] = results["servers"]
    table = Table(title="Requests per second, and p50 / p99 in ms", show_lines=True)
    table.add_column("")
    for server in servers.values():
        table.add_column(server["title"].replace(" + ", "\n+ ").replace(": ", ":\n"), justify="right")
    for workload, concurrency in rows:
        title = f"{results['workloads'][workload]['title']}\n{concurrency} at a time"
        table.add_row(title, *(_figure(cells[name, workload, concurrency]) for name in servers))
    table.add_row("peak memory, MB", *(str(server["peak_megabytes"]) for server in servers.values()))
    table.add_row("start, s", *(f"{server['start_seconds']:.1f}" for server in servers.values()))
    return table


def _figure(cell: Mapping[str, Any]) -> str:
    return f"{cell['requests_per_second']:,.0f}\n{cell['p50_ms']:.1f} / {cell['p99_ms']:.1f}"


def verdicts_of(results: Results) -> Iterator[str]:
    """One line for each goal: the ratios, and whether they are reached."""
    for goal in results["goals"]:
        title = f"{results['workloads'][goal['workload']]['title']} x{goal['concurrency']}"
        parts = []
        if "of_peer" in goal:
            peer = results["servers"][goal["fastest_peer"]]["title"]
            parts.append(_verdict(goal["of_peer"], goal["peer_goal"], f"the fastest peer ({peer})"))
        if "of_limit" in goal:
            parts.append(_verdict(goal["of_limit"], goal["limit_goal"], "the limit"))
        if parts:
            yield f"{title}: {'; '.join(parts)}"


def _verdict(found: float, wanted: float, of: str) -> str:
    return f"{found:.2f} of {of}, {'reached' if found >= wanted else 'NOT reached'} (at least {wanted})"
