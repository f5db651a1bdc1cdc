"""`fieldward keys` as an operator uses it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from graph.cli import build
from models.crypto.key_file import load_or_create
from models.errors import BadInput

Run = Callable[..., Result]
LINE = re.compile(r"  ([\w-]{43})  (signs from|signs since|verifies until) \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a subcommand on a data folder of its own."""
    monkeypatch.setenv("FIELDWARD_DATA_DIR", str(tmp_path))
    app = build()

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["keys", *arguments])

    return invoke


def told(result: Result) -> list[tuple[str, str]]:
    """Each key and what it does."""
    assert result.exit_code == 0, result.output
    return LINE.findall(result.stdout)


def test_before_the_first_start_there_are_none(run: Run, tmp_path: Path) -> None:
    """Neither for tokens nor for people's data, and asking makes none."""
    said = run("status").stdout
    assert "no signing keys" in said
    assert "no keys of people's data yet" in said
    assert list(tmp_path.iterdir()) == []


def test_a_rotation_publishes_the_next_key_and_tells_when_it_signs(run: Run, tmp_path: Path) -> None:
    """A second one waits for it, and `--now` brings it forward."""
    load_or_create(tmp_path / "keys" / "signing.json")
    ((first, _),) = told(run("status", "--signing"))
    (second, turn), (still, _) = told(run("rotate", "signing"))
    assert (turn, still) == ("signs from", first)
    assert isinstance(run("rotate", "signing").exception, BadInput)
    assert told(run("rotate", "signing", "--now")) == [(second, "signs from"), (first, "signs since")]
    assert told(run("status", "--signing"))[0] == (second, "signs from")


def test_a_key_that_leaked_goes_at_once(run: Run, tmp_path: Path) -> None:
    """With those that wait or retire."""
    run("rotate", "signing")
    before = {kid for kid, _ in told(run("status", "--signing"))}
    ((new, turn),) = told(run("rotate", "signing", "--leaked"))
    assert new not in before
    assert turn == "signs since"
    keys = json.loads((tmp_path / "keys" / "signing.json").read_text())["keys"]
    assert [key["kid"] for key in keys] == [new]


def test_no_private_part_is_shown(run: Run, tmp_path: Path) -> None:
    """Not even when asked to rotate."""
    shown = run("rotate", "signing").output + run("status", "--signing").output
    for key in json.loads((tmp_path / "keys" / "signing.json").read_text())["keys"]:
        assert key["d"] not in shown
        assert key["kid"] in shown


def test_there_are_no_other_keys_to_rotate(run: Run) -> None:
    """Yet."""
    assert run("rotate", "pepper").exit_code == 2
