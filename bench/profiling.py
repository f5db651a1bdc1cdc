"""Where Fieldward's time goes: py-spy on each workload at concurrency 32, functions by their own time.

`python -m bench.profiling --output FOLDER`; needs py-spy, and the right to look into another process.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Final

import typer

from bench.__main__ import PEOPLE, cores_of, start
from bench.load import measure
from bench.places import find_places
from bench.rounds import Stand
from bench.servers import FIELDWARD, ROOT, Running
from bench.workloads import WORKLOADS, Workload
from bench.world import open_world

SECONDS: Final = 8
_RATE: Final = 400
_SHOWN: Final = 25


def self_time(stacks: Iterable[str]) -> Counter[str]:
    """Samples by the innermost frame, from py-spy's raw form: `outer;...;inner count`."""
    found: Counter[str] = Counter()
    for line in stacks:
        frames, _, count = line.rpartition(" ")
        if frames:
            found[frames.rpartition(";")[2]] += int(count)
    return found


def total_time(stacks: Iterable[str]) -> Counter[str]:
    """Samples by every frame that is on the stack, each once for a sample."""
    found: Counter[str] = Counter()
    for line in stacks:
        frames, _, count = line.rpartition(" ")
        for frame in set(frames.split(";")):
            found[frame] += int(count)
    return found


def top(found: Counter[str], samples: int) -> Iterator[str]:
    """The first entries as lines with their share."""
    for name, count in found.most_common(_SHOWN):
        yield f"{count / samples:6.1%}  {name}"


def _spy() -> str | None:
    return shutil.which("py-spy", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")


async def _under_load(stand: Stand, workload: Workload, server: Running, output: Path) -> None:
    requests = stand.requests(workload, server)
    await measure(server.port, requests, 32, 1.0)
    command = [str(_spy()), "record", "-f", "raw", "--gil", "-F", "-r", str(_RATE), "-d", str(SECONDS)]
    recording = await asyncio.create_subprocess_exec(
        *command, "-o", str(output), "-p", str(server.process.pid), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    await measure(server.port, requests, 32, SECONDS, longest=SECONDS)
    await recording.wait()


def main(
    output: Annotated[Path, typer.Option(help="Folder for one text file for each workload.")],
    folder: Annotated[Path, typer.Option(help="Where the data is kept between runs.")] = ROOT / ".bench",
) -> None:
    """Write the profile of each workload."""
    if _spy() is None:
        raise typer.BadParameter("py-spy is not installed")
    output.mkdir(parents=True, exist_ok=True)
    server_core, own_core = cores_of()
    with ExitStack() as stack:
        world = stack.enter_context(open_world(folder, PEOPLE, own_core))
        server = start(stack, world, FIELDWARD, server_core)
        stand = Stand(world, find_places(world, server), [server])
        stand.renew_tokens()
        for workload in WORKLOADS:
            raw = folder / "profile.raw"
            asyncio.run(_under_load(stand, workload, server, raw))
            stacks = raw.read_text().splitlines()
            samples = sum(self_time(stacks).values())
            lines = [
                "Own time",
                *top(self_time(stacks), samples),
                "",
                "With what is called",
                *top(total_time(stacks), samples),
            ]
            (output / f"profile-{workload.name.lower()}.txt").write_text("\n".join([*lines, ""]))


if __name__ == "__main__":
    typer.run(main)
