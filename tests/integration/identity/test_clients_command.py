"""`fieldward clients` as an operator uses it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from graph.cli import build
from models.errors import BadInput
from models.vocabulary import Access, Label
from tests.integration.identity.service_keys import ServiceKey

Run = Callable[..., Result]
_NOBODYS = {label for label in Label if Label.AUTHORIZATION.covers(label)}
SUPPORT = ("--scope", "user.contact:read", "--purpose", "SUPPORT")


@pytest.fixture
def run(for_commands: None) -> Run:
    """Run a subcommand on a database of its own."""
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


def test_no_scope_breaks_at_80_columns(run: Run) -> None:
    """Nor a purpose; what is listed can be copied."""
    scopes = sorted(f"{label}:{access}" for label in Label for access in Access if label not in _NOBODYS)
    wanted = [option for scope in scopes for option in ("--scope", scope)]
    client_id, _ = values(run("add", "A service with a name that takes its place", *wanted, *SUPPORT))
    for shown in (run("list").stdout, run("show", client_id).stdout):
        assert max(map(len, shown.splitlines())) <= 80
        assert set(scopes) <= set(shown.split())


def test_a_service_is_shown_with_its_credentials(run: Run) -> None:
    """Which hold, until when; never themselves."""
    client_id, secret = values(run("add", "Help desk", *SUPPORT, "--owner", "Tools team", "--secret-days", "90"))
    run("rotate", client_id, "--overlap-hours", "2")
    shown = run("show", client_id).stdout
    assert shown.count("sec_") == 2
    assert (shown.count("ends "), shown.count("no end set"), shown.count("used never")) == (1, 1, 2)
    assert "Tools team" in shown
    assert secret not in shown


def test_a_service_with_keys_has_no_secret(run: Run, tmp_path: Path) -> None:
    """Until it is given one; and a private key is refused."""
    key, file = ServiceKey.make(), tmp_path / "keys.json"
    file.write_text(key.jwks())
    added = run("add", "Mailer", *SUPPORT, "--jwks", str(file))
    client_id = added.stdout.split()[1]
    assert "client_secret" not in added.stdout
    assert key.kid in run("show", client_id).stdout
    assert isinstance(run("change", client_id, "--drop-keys").exception, BadInput)
    run("rotate", client_id, "--overlap-hours", "1")
    assert "lost something" in run("change", client_id, "--drop-keys").stdout
    file.write_text(json.dumps(key.key.as_dict(private=True)))
    refused = run("change", client_id, "--jwks", str(file))
    assert isinstance(refused.exception, BadInput)
    assert str(key.key.as_dict(private=True)["d"]) not in refused.output


def test_a_service_is_changed_in_what_is_given(run: Run) -> None:
    """The rest stays, and it is told when tokens end."""
    client_id, _ = values(run("add", "Help desk", *SUPPORT, "--region", "eu", "--region", "us", "--introspect"))
    assert "Its tokens end" not in run("change", client_id, "--owner", "Tools", "--scope", "user.contact:read").stdout
    assert "Its tokens end" in run("change", client_id, "--scope", "user.contact.email:read").stdout
    shown = " ".join(run("show", client_id).stdout.split())
    assert "scopes user.contact.email:read purposes SUPPORT regions eu us owner Tools" in shown
    assert "introspects tokens of others too" in shown
    run("change", client_id, "--no-introspect")
    assert "introspects its own tokens" in " ".join(run("show", client_id).stdout.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "x", *SUPPORT, "--region", "Nowhere!"),
        ("add", "x", *SUPPORT, "--owner", " "),
        ("change", "cli_eu_unknown", "--name", "x"),
        ("show", "cli_eu_unknown"),
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
