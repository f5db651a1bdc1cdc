"""`fieldward roles` as an operator uses it."""

from __future__ import annotations

import os
from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from auth.roles import RoleRefused
from graph.cli import build
from graph.commands.opening import with_database
from graph.settings import load_settings
from models.database import Database
from models.errors import BadInput
from models.user import UserDocument

Run = Callable[..., Result]
FIRST = ("--reason", "First administrator of this service, asked for by the board in its meeting")
ALICE, BOB = "usr_eu_01m0stgb9pbc0kw5x7y2x8qjxa", "usr_eu_01m0stgb9pbc0kw5x7y2x8qjxb"


@pytest.fixture
def run(for_commands: None) -> Run:
    """Run a subcommand on a database with two people, `Alice` and `bob`."""
    app: typer.Typer = build()
    with_database(load_settings(os.environ), lambda _line: None, make_people)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["roles", *arguments])

    return invoke


async def make_people(database: Database) -> None:
    """Two who have no role yet."""
    for identifier, name in ((ALICE, "Alice"), (BOB, "bob")):
        email = f"{name.casefold()}@people.example"
        await database.insert(UserDocument(id=identifier, username=name, username_key=name.casefold(), email=email))


def test_the_first_administrator_is_made_here(run: Run) -> None:
    """Where nobody has a role, the list says how."""
    assert "fieldward roles grant PERSON ADMIN" in run("list").stdout
    made = run("grant", "alice", "ADMIN", *FIRST)
    assert (made.exit_code, made.stdout) == (0, f"{ALICE} is ADMIN.\n")
    lines = run("list").stdout.splitlines()
    assert lines[:2] == ["Alice", f"  {ALICE}"]
    assert lines[2].startswith("  ADMIN      since 20")
    assert "until revoked, by an operator: First" in " ".join(line.strip() for line in lines)


def test_a_role_is_given_for_a_time_listed_and_taken(run: Run) -> None:
    """By each name of the person; small letters will do for the role."""
    run("grant", ALICE, "ADMIN", *FIRST)
    given = run("grant", "Bob@People.example", "support", *FIRST, "--days", "30")
    assert given.stdout.startswith(f"{BOB} is SUPPORT until 20")
    assert ALICE not in run("list", "--role", "SUPPORT").stdout
    assert BOB in run("list", "--role", "SUPPORT").stdout
    taken = run("revoke", "BOB", "SUPPORT", "--reason", "Has left the company")
    assert (taken.exit_code, taken.stdout) == (0, f"{BOB} is SUPPORT no more.\n")
    assert run("list", "--role", "SUPPORT").stdout == "Nobody is SUPPORT.\n"


def test_the_list_fits_eighty_columns(run: Run) -> None:
    """However long a reason is."""
    run("grant", "alice", "ANALYST", "--reason", "long " * 99, "--days", "3650")
    run("grant", "bob", "SECURITY", "--reason", "w" * 500)
    run("grant", "bob", "ADMIN", *FIRST)
    assert max(map(len, run("list").stdout.splitlines())) <= 80


def test_the_person_is_told(run: Run, tmp_path: Path) -> None:
    """Also of what an operator does."""
    run("grant", "alice", "ADMIN", *FIRST)
    [mail] = [message_from_bytes(path.read_bytes()) for path in tmp_path.rglob("*.eml")]
    assert (mail["To"], mail["Subject"]) == ("alice@people.example", "You were given a role")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("grant", "carol", "ADMIN", *FIRST), "There is no such person."),
        (("revoke", "carol", "ADMIN", *FIRST), "There is no such person."),
        (("grant", "alice", "KING", *FIRST), "A role is one of SUPPORT, ANALYST, PRIVACY, SECURITY, ADMIN."),
        (("list", "--role", "KING"), "A role is one of SUPPORT, ANALYST, PRIVACY, SECURITY, ADMIN."),
        (("grant", "alice", "ADMIN", "--reason", "because"), "The reason must be text of 10 to 500 characters."),
        (("revoke", "alice", "ADMIN", *FIRST), "This person does not have this role."),
    ],
)
def test_what_is_wrong_is_an_error_to_show(run: Run, arguments: tuple[str, ...], expected: str) -> None:
    """Said in one line by the command's entry point, which exits with 1."""
    result = run(*arguments)
    assert result.exit_code == 1
    assert isinstance(result.exception, BadInput | RoleRefused)
    assert result.exception.message == expected


def test_the_last_administrator_stays(run: Run) -> None:
    """For an operator too: another one is made first."""
    run("grant", "alice", "ADMIN", *FIRST)
    for attempt in (("revoke", "alice", "ADMIN", *FIRST), ("grant", "alice", "ADMIN", *FIRST, "--days", "1")):
        assert isinstance(run(*attempt).exception, RoleRefused)
    run("grant", "bob", "ADMIN", *FIRST)
    assert run("revoke", "alice", "ADMIN", *FIRST).exit_code == 0


@pytest.mark.parametrize("days", ["0", "-1", "3651", "soon"])
def test_an_end_is_some_days_away(run: Run, days: str) -> None:
    """Typer says so, with exit code 2."""
    assert run("grant", "alice", "ADMIN", *FIRST, "--days", days).exit_code == 2
