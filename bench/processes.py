"""What the system tells of running processes: memory, processor time, and who started whom."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Final

_KILOBYTES: Final = 1024
_TICKS: Final = os.sysconf("SC_CLK_TCK")


def tree(root: int) -> list[int]:
    """A process and all below it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = [], [root]
    while waiting:
        process = waiting.pop()
        found.append(process)
        waiting += children.get(process, [])
    return found


def cpu_seconds(process: int) -> float:
    """Processor time that one process has used so far."""
    fields = _stat(process)
    return (int(fields[11]) + int(fields[12])) / _TICKS if fields else 0.0


def _stat(process: int) -> list[str]:
    """The fields of /proc/<id>/stat after the command's name: state, parent, ..."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def megabytes(process: int, name: str) -> float:
    """A figure of /proc/<id>/status that is kept in kilobytes: `VmRSS` now, `VmHWM` at its most."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0.0
    found = next((int(line.split()[1]) for line in status.splitlines() if line.startswith(f"{name}:")), 0)
    return found / _KILOBYTES


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as attempt:
        attempt.bind(("127.0.0.1", 0))
        return int(attempt.getsockname()[1])
