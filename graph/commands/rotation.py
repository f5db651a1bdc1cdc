"""`fieldward keys rotate`, `seal`, `status` and `replay-tombstones`: the keys of people's data, while the service runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import typer
from models.validators import tighten
from rich.console import Console

from graph.commands.opening import with_keymaster
from graph.commands.progress import Steps
from graph.key_store import journal_of
from graph.settings import Settings
from models.keystore.journal import Journal
from models.replay import replay
from models.rotation.clear import seal
from models.rotation.course import Course
from models.rotation.data import rotate_data
from models.rotation.index import rotate_index
from models.rotation.status import Status, status_of
from models.rotation.wrapping import rotate_root, rotate_wrapping

T = TypeVar("T")
_OLD_ROOTS: Final = (
    "The earlier root keys are still there, for backups of the key store. Give them up by --retire once no backup "
    "needs them."
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
    """Print which keys of people's data there are, and how much is on each."""

    async def work(course: Course) -> str:
        return "\n".join(_lines(await status_of(course, count_values=values), course.region))

    typer.echo(_run(settings, "Counting", work, None))


def replay_tombstones(settings: Settings, journals: list[Path]) -> None:
    """Erase again whoever a restored backup has brought back."""

    async def work(course: Course) -> str:
        more = [Journal(path) for path in journals]
        missing = await replay(course.main, course.keys, journal_of(settings), *more, anyway=True)
        return f"{missing:,} erasures were missing somewhere, and are done again."

    typer.echo(_run(settings, "Replaying", work, None))


def _run(settings: Settings, title: str, work: Callable[[Course], Awaitable[T]], rate: float | None) -> T:
    with _progress(title) as steps:

        async def on_course(course: Course) -> T:
            return await work(course)

        return with_keymaster(settings, _say, on_course, rate=rate, progress=steps.add)


@contextmanager
def _progress(title: str) -> Iterator[Steps]:
    with Steps(title, Console(stderr=True)) as steps:
        yield steps


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
