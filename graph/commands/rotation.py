"""The keys of people's data, by command: replaced and counted while the service runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

import typer
from rich.console import Console

from graph.commands.key_store import journal_of
from graph.commands.opening import with_keymaster, with_keys
from graph.commands.progress import Steps
from graph.settings import Settings
from models.database import Database
from models.keystore import Keys
from models.keystore.journal import Journal
from models.replay import replay
from models.rotation.clear import seal
from models.rotation.course import Course
from models.rotation.data import rotate_data
from models.rotation.index import rotate_index
from models.rotation.status import Status, status_of
from models.rotation.wrapping import rotate_root, rotate_wrapping
from models.validators import tighten

T = TypeVar("T")
_OLD_ROOTS: Final = (
    "The earlier root keys are still there, for backups of the key store. The next rotation with --retire gives up all "
    "that were before it."
)


def rotate(settings: Settings, what: str, *, rate: float | None, retire: bool) -> None:
    """Replace the keys `what` names: root, kek, data or index."""

    async def work(course: Course) -> str:
        match what:
            case "root":
                name = await rotate_root(course, retire=retire)
                return f"The root key is {name}." + ("" if retire else f" {_OLD_ROOTS}")
            case "kek":
                return f"The key-encryption key is version {await rotate_wrapping(course)}; earlier ones are gone."
            case "data":
                return f"{await rotate_data(course):,} people have a new data key; earlier ones are gone."
            case _:
                return f"The pepper is version {await rotate_index(course)}; earlier ones are gone."

    typer.echo(_run(settings, f"Rotating {what}", work, rate))


def seal_all(settings: Settings, *, rate: float | None) -> None:
    """Seal what an earlier version has stored in the clear."""

    async def work(course: Course) -> str:
        sealed = await seal(course)
        await tighten(course.main)
        return f"{sealed:,} documents were sealed. No value in the clear is accepted from now on."

    typer.echo(_run(settings, "Sealing", work, rate))


def show_status(settings: Settings, *, values: bool) -> None:
    """Print which keys of people's data there are, and how much is on each. Before the first start it makes none."""
    if settings.addresses is None and not settings.mongodb_dir.exists():
        typer.echo("There are no keys of people's data yet: the first start makes them.")
        return

    async def work(course: Course) -> str:
        return "\n".join(_lines(await status_of(course, count_values=values), course.region))

    typer.echo(_run(settings, "Counting", work, None))


def replay_tombstones(settings: Settings, journals: list[Path]) -> None:
    """Erase again whoever a restored backup has brought back."""

    async def work(main: Database, keys: Keys) -> int:
        return await replay(main, keys, journal_of(settings), *map(Journal, journals), anyway=True)

    missing = with_keys(settings, _say, work)
    typer.echo(f"{missing:,} erasures were missing somewhere, and are done again.")


def _run(settings: Settings, title: str, work: Callable[[Course], Awaitable[T]], rate: float | None) -> T:
    with Steps(title, Console(stderr=True)) as steps:
        return with_keymaster(settings, _say, lambda main, keys: work(Course(main, keys, rate, steps.add)))


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _lines(status: Status, region: str) -> Iterator[str]:
    yield f"Keys of people's data in the region {region}"
    for name, number in sorted(status.roots.items()):
        yield f"  root key {name}: wraps {number:,} key-encryption keys"
    for version, number in sorted(status.wrapping.items()):
        yield f"  key-encryption key {version}: wraps the data keys of {number:,} people"
    for version, number in sorted(status.peppers.items()):
        yield f"  pepper {version}: {number:,} codes for look-ups"
    yield f"  data keys: of {status.people:,} people, {status.older:,} of them with an earlier one as well"
    for version, number in sorted((status.values or {}).items()):
        yield f"  data keys of version {version}: {number:,} values"
    if status.clear is not None:
        yield f"  in the clear: {status.clear:,} values"
    yield f"  destroyed: the keys of {status.destroyed:,} people"
    if not status.sealed:
        yield "  Values in the clear are still accepted: run `fieldward keys seal`."
    for name, step in sorted(status.under_way.items()):
        yield f"  under way: {name.partition(':')[0]}, in step {step}. Run it again if it was cut short."
