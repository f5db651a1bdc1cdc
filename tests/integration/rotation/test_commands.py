"""`fieldward keys` for the keys of people's data, as an operator uses it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pymongo
import pytest
from typer.testing import CliRunner, Result

from graph.cli import build
from graph.commands import rotation
from models.embedded import Embedded
from models.errors import ConfigurationError
from models.rotation.course import Course

Run = Callable[..., Result]
PRODUCTION = {
    "FIELDWARD_ENV": "production",
    "FIELDWARD_MONGODB_URL": "mongodb://api:hidden-password@db.example/fieldward?tls=true",
    "FIELDWARD_KEYSTORE_URL": "mongodb://keystore:hidden-password@db.example/fieldward_keys?tls=true",
    "FIELDWARD_KEYRING": "aws-kms://fieldward",
    "FIELDWARD_ISSUER": "https://users.example",
    "FIELDWARD_DATA_DIR": "/var/lib/fieldward",
    "FIELDWARD_SMTP_URL": "smtps://mail.example",
    "FIELDWARD_MAIL_FROM": "no-reply@users.example",
}


@pytest.fixture
def run(mongod: Embedded, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Run]:
    """Run a subcommand of `fieldward keys` on databases of its own, with twenty people in them; it waits for nobody."""
    name = f"test_{uuid4().hex}"
    parts = urlsplit(mongod.admin_url)
    monkeypatch.setenv("FIELDWARD_MONGODB_URL", parts._replace(path=f"/{name}").geturl())
    monkeypatch.setenv("FIELDWARD_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("FIELDWARD_KEYRING", str(tmp_path / "root" / "root.json"))
    monkeypatch.setattr(rotation, "Course", partial(Course, settle=0.0))
    app = build()
    seeded = CliRunner().invoke(app, ["seed", "--users", "20"])
    assert seeded.exit_code == 0, seeded.output

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["keys", *arguments])

    yield invoke
    with pymongo.MongoClient[dict[str, object]](mongod.admin_url) as client:
        for database in (name, f"{name}_keys"):
            client.drop_database(database)


def said(result: Result) -> str:
    """What a command that ended well printed."""
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.slow
def test_each_rotation_says_what_is_new_and_what_is_gone(run: Run) -> None:
    """In one sentence or two; status then counts."""
    assert "The root key is 2-" in (root := said(run("rotate", "root")))
    assert "The next rotation with --retire gives up all that were before it." in root
    assert "--retire" not in said(run("rotate", "root", "--retire"))
    assert said(run("rotate", "kek")) == "The key-encryption key is version 2; earlier ones are gone.\n"
    assert said(run("rotate", "index")) == "The pepper is version 2; earlier ones are gone.\n"
    assert said(run("rotate", "data", "--rate", "1000")) == "20 people have a new data key; earlier ones are gone.\n"
    lines = [line.strip() for line in said(run("status", "--values")).splitlines()]
    assert "Keys of people's data in the region eu" in lines
    assert [line.partition("-")[0] for line in lines if line.startswith("root key")] == ["root key 3"]
    assert "key-encryption key 2: wraps the data keys of 20 people" in lines
    assert "data keys: of 20 people, 0 of them with an earlier one as well" in lines
    assert {line.split(":")[0] for line in lines if " of version" in line} == {"data keys of version 2"}
    assert "in the clear: 0 values" in lines
    assert "destroyed: the keys of 0 people" in lines
    assert not any("seal" in line and "keys seal" in line for line in lines)


def test_status_without_counting_has_no_values(run: Run) -> None:
    """Nothing of people is looked at."""
    assert "in the clear" not in said(run("status"))


def test_sealing_where_all_is_sealed_seals_nothing(run: Run) -> None:
    """And says so."""
    assert said(run("seal")) == "0 documents were sealed. No value in the clear is accepted from now on.\n"


def test_replaying_tells_how_many_were_missing(run: Run) -> None:
    """Of nobody who is gone, none."""
    assert said(run("replay-tombstones")) == "0 erasures were missing somewhere, and are done again.\n"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["root", "--now"], "--now and --leaked are for signing keys."),
        (["data", "--leaked"], "--now and --leaked are for signing keys."),
        (["kek", "--retire"], "--retire is for root keys"),
        (["signing", "--retire"], "--retire is for root keys"),
        (["signing", "--rate", "5"], "--rate is for keys of people's data."),
        (["data", "--rate", "0"], "greater than or equal to 1"),
        (["everything"], "is not one of"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(arguments: list[str], problem: str) -> None:
    """By a usage error, before anything is opened."""
    result = CliRunner().invoke(build(), ["keys", "rotate", *arguments], env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert problem in " ".join(result.output.replace("│", " ").split())


@pytest.mark.parametrize("command", [["rotate", "kek"], ["seal"], ["status"]])
def test_in_production_keys_are_replaced_by_the_keymaster_only(
    command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refusal names both variables, and no address."""
    for name, value in PRODUCTION.items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(build(), ["keys", *command])
    assert isinstance(result.exception, ConfigurationError)
    assert "FIELDWARD_MIGRATOR_URL and FIELDWARD_KEYSTORE_MIGRATOR_URL" in result.exception.message
    assert "hidden" not in f"{result.exception.message}{result.output}"
