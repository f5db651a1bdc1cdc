"""`fieldward clients` as an operator uses it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import typer
from typer.testing import CliRunner, Result

from graph.cli import build
from models.embedded import Embedded
from models.errors import BadInput

Run = Callable[..., Result]
SUPPORT = ("--scope", "user.contact:read", "--purpose", "SUPPORT")


@pytest.fixture
def run(mongod: Embedded, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a subcommand on a database of its own."""
    address = urlsplit(mongod.admin_url)
    query = address.query if "authSource" in address.query else f"{address.query}&authSource=admin"
    monkeypatch.setenv("FIELDWARD_MONGODB_URL", address._replace(path=f"/test_{uuid4().hex}", query=query).geturl())
    monkeypatch.setenv("FIELDWARD_DATA_DIR", str(tmp_path))
    app: typer.Typer = build()

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["clients", *arguments])

    return invoke


def values(result: Result) -> tuple[str, str]:
    """The id and secret that a command printed."""
    lines = dict(line.split(":", 1) for line in result.stdout.splitlines())
    return lines["client_id"].strip(), lines["client_secret"].strip()


def test_a_service_is_added_listed_rotated_and_removed(run: Run) -> None:
    """The id in the list is whole, the secret is never there, and a rotation gives another one."""
    client_id, secret = values(run("add", "Help desk [red]", *SUPPORT))
    listed = run("list")
    assert client_id in listed.stdout
    assert "Help desk [red]" in listed.stdout
    assert secret not in listed.stdout
    rotated = values(run("rotate", client_id, "--overlap-hours", "2"))
    assert rotated[0] == client_id
    assert rotated[1] != secret
    assert run("remove", client_id).exit_code == 0
    assert client_id not in run("list").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "x", "--scope", "nonsense", "--purpose", "SUPPORT"),
        ("add", "x", "--scope", "user.contact:read", "--purpose", "FUN"),
        ("rotate", "cli_eu_unknown"),
        ("remove", "cli_eu_unknown"),
    ],
)
def test_what_is_wrong_is_an_error_to_show(run: Run, arguments: tuple[str, ...]) -> None:
    """Said in one line by the command's entry point."""
    result = run(*arguments)
    assert result.exit_code != 0
    assert isinstance(result.exception, BadInput)
