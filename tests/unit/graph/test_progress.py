"""The progress of a long command: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import io
from itertools import count

import pytest
from rich.console import Console

from graph.commands.progress import LINE_EVERY, Bar, Steps


@pytest.fixture
def shown() -> io.StringIO:
    """What is written."""
    return io.StringIO()


def test_a_pipe_gets_a_plain_line_now_and_then(shown: io.StringIO) -> None:
    """With share, rows and rate; not one per batch, and no control characters."""
    ticks = count(step=LINE_EVERY / 2)
    with Bar("import", 1000, Console(file=shown), clock=lambda: next(ticks)) as bar:
        for done in (100, 200, 300, 400):
            bar.update(done, rows=done)
    assert shown.getvalue() == "import: 20 %, 200 rows, 100/s\nimport: 40 %, 400 rows, 100/s\n"


def test_rows_of_an_earlier_run_do_not_count_into_the_rate(shown: io.StringIO) -> None:
    """A run that was taken up does not look faster than it is."""
    ticks = count(step=LINE_EVERY)
    with Bar("import", 1000, Console(file=shown), clock=lambda: next(ticks)) as bar:
        bar.update(900, rows=900, before=700)
    assert shown.getvalue() == "import: 90 %, 900 rows, 100/s\n"


def test_a_terminal_gets_a_bar(shown: io.StringIO) -> None:
    """And it ends whole."""
    with Bar("seed", 10, Console(file=shown, force_terminal=True)) as bar:
        bar.update(10, rows=10)
    assert "100%" in shown.getvalue()
    assert "10 rows" in shown.getvalue()


def test_steps_are_told_in_plain_lines(shown: io.StringIO) -> None:
    """Each by its name, with what was done in it and not in the one before."""
    ticks = count(step=LINE_EVERY / 2)
    with Steps("Rotating data", Console(file=shown), clock=lambda: next(ticks)) as steps:
        for step, more in (("make", 10), ("make", 20), ("seal", 5), ("seal", 10)):
            steps.add(step, more)
    assert shown.getvalue() == "Rotating data: make: 30 documents, 30/s\nRotating data: seal: 15 documents, 15/s\n"


def test_a_wait_is_told_at_once(shown: io.StringIO) -> None:
    """It would look as if nothing went on."""
    with Steps("Rotating data", Console(file=shown), clock=lambda: 0.0) as steps:
        steps.add("waiting until every worker knows", 0)
        steps.add("fill", 5)
    assert shown.getvalue() == "Rotating data: waiting until every worker knows\n"


def test_a_terminal_gets_the_step_that_it_is_in(shown: io.StringIO) -> None:
    """With a number that grows; how many there are nobody has counted."""
    with Steps("Sealing", Console(file=shown, force_terminal=True)) as steps:
        steps.add("seal", 1_200)
    assert "Sealing: seal" in shown.getvalue()
    assert "1,200 documents" in shown.getvalue()
