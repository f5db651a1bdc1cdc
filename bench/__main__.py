"""`make bench`: starts everything, measures, prints the table, writes `bench/results.json`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bench.answers import Different
from bench.load import BadAnswer
from bench.places import find_places
from bench.report import results_of, table_of, verdicts_of
from bench.rounds import FULL, QUICK, Pace, Stand, generator_alone, run_rounds
from bench.servers import FIELDWARD, NOTHING, ROOT, SERVERS, Running, Server, ServerFailed, missing_tool, running
from bench.workloads import SEALED, WORKLOADS, bodies_of
from bench.world import NoWorld, World, open_world
from models.vocabulary import Role

RESULTS: Final = ROOT / "bench" / "results.json"
PEOPLE: Final = 10_000

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

Quick = Annotated[bool, typer.Option("--quick", help="Two or three minutes: fewer and shorter rounds.")]
Rounds = Annotated[int, typer.Option(help="How often everything is measured; 0: as usual.")]
Only = Annotated[str, typer.Option(help="Servers by name, separated by commas; the limit is always among them.")]
Variant = Annotated[
    list[str] | None, typer.Option(help="A second Fieldward with other settings, NAME:VARIABLE=VALUE; may be repeated.")
]
Folder = Annotated[Path, typer.Option(help="Where the data is kept between runs.")]
Output = Annotated[Path, typer.Option(help="Where the figures are written.")]


@app.command()
def main(
    quick: Quick = False,
    rounds: Rounds = 0,
    only: Only = "",
    variant: Variant = None,
    folder: Folder = ROOT / ".bench",
    output: Output = RESULTS,
) -> None:
    """Measure Fieldward beside its peers and limits."""
    console = Console()
    pace = QUICK if quick else FULL
    try:
        _run(
            console, replace(pace, rounds=rounds or pace.rounds), _choose(only, variant or [], console), folder, output
        )
    except (BadAnswer, Different, NoWorld, ServerFailed) as error:
        console.print(f"The benchmark ended: {error}", markup=False)
        raise typer.Exit(1) from None


def _run(console: Console, pace: Pace, chosen: Sequence[Server], folder: Path, output: Path) -> None:
    server_core, own_core = cores_of()
    if own_core is None:
        console.print("Only one core: everything shares it, and the figures say little.")
    with ExitStack() as stack:
        world = stack.enter_context(open_world(folder, PEOPLE, own_core))
        console.print(f"Starting {len(chosen)} servers")
        started = [start(stack, world, server, server_core) for server in chosen]
        stand = Stand(world, find_places(world, started[0]), started)
        alone = _generator_alone(stand, server_core, pace)
        bar = stack.enter_context(_bar(console))
        task = bar.add_task("", total=pace.rounds * len(chosen) * len(stand.workloads) * len(stand.concurrencies))
        run_rounds(stand, pace, lambda line: bar.update(task, description=line), lambda: bar.advance(task))
        results = results_of(stand, pace) | {"generator_requests_per_second": alone}
    console.print(table_of(results))
    for line in verdicts_of(results):
        console.print(line)
    output.write_bytes(orjson.dumps(results, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def _generator_alone(stand: Stand, core: int | None, pace: Pace) -> dict[str, int]:
    stand.renew_tokens()
    with ExitStack() as stack:
        nothing = start(stack, stand.world, NOTHING, core)
        return {name: round(rate) for name, rate in generator_alone(stand, nothing, pace.seconds).items()}


def _choose(only: str, variants: list[str], console: Console) -> list[Server]:
    wanted = set(filter(None, only.split(","))) | {FIELDWARD.name, "limit"} if only else {it.name for it in SERVERS}
    chosen = [it for it in SERVERS if it.name in wanted]
    if (reason := missing_tool()) is not None:
        for server in chosen:
            if server.is_node:
                console.print(f"Skipped: {server.title} ({reason})")
        chosen = [it for it in chosen if not it.is_node]
    for text in variants:
        name, _, setting = text.partition(":")
        key, _, value = setting.partition("=")
        chosen.insert(
            1, replace(FIELDWARD, name=name, title=f"Fieldward + {name}", kind="variant", environment={key: value})
        )
    return chosen


def cores_of() -> tuple[int | None, int | None]:
    """The core for the server, and the one for all else, to which this process is pinned; None with one core."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        return None, None
    os.sched_setaffinity(0, {cores[-1]})
    return cores[0], cores[-1]


def start(stack: ExitStack, world: World, server: Server, core: int | None) -> Running:
    """Start one server of `world` and wait for its first answer; `stack` stops it."""
    workload = WORKLOADS[0]
    probe = bodies_of(workload.document(declares_nulls=False), workload.name, [{"id": "usr_eu_none"}])[0]
    environment = world.environment | {
        "BENCH_TOKEN": world.staff_tokens(Role.SUPPORT, 1)[0],
        "BENCH_FIELDS": orjson.dumps({it.name: it.plain for it in (*WORKLOADS, *SEALED.values())}).decode(),
    }
    return stack.enter_context(running(server, environment, probe, world.folder, core))


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True)


if __name__ == "__main__":
    app()
