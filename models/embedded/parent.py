"""Going down with the process that started this one, also when that one is killed hard."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def die_with_parent(parent: int, sign: signal.Signals = signal.SIGKILL) -> Callable[[], None]:
    """A function for the child to call first: it gets `sign` when its parent (process id `parent`) is gone.

    A parent killed by SIGKILL can stop nothing, so the kernel has to (prctl(2), PR_SET_PDEATHSIG). The
    signal follows the parent's *thread*: start children from the main thread. Does nothing on systems
    other than Linux.
    """
    if not sys.platform.startswith("linux"):
        return lambda: None
    prctl = ctypes.CDLL(None, use_errno=True).prctl  # looked up before the fork: less to do in the child

    def bind() -> None:
        prctl(_PR_SET_PDEATHSIG, int(sign), 0, 0, 0)
        if os.getppid() != parent:  # it went between the fork and the call
            os.kill(os.getpid(), sign)

    return bind
