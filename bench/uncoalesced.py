"""Fieldward with every look-up by itself, to show what gathering those of concurrent requests brings."""

from __future__ import annotations

import sys
from functools import partial

from graph import app
from graph.cli import main
from models.reader import Reader


def serve() -> None:
    """`fieldward serve` with a reader that gathers nothing; it is no setting, because nobody would want it."""
    app.Reader = partial(Reader, coalesce=False)  # type: ignore[attr-defined, assignment]  # replaced for the benchmark only
    sys.argv[1:] = ["serve"]
    main()


if __name__ == "__main__":
    serve()
