"""`fieldward` with every log line that it and its libraries can write: the leak tests read them all."""

from __future__ import annotations

from functools import partial

from graph import cli, logs

if __name__ == "__main__":
    logs.configure = partial(logs.configure, level="DEBUG")
    cli.main()
