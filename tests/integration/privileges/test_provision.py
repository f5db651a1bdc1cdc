"""`fieldward database`: an administrator makes the users once, the migrator the rest; the service needs neither."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import typer
from pymongo.errors import OperationFailure
from typer.testing import CliRunner

from graph.cli import build
from models.embedded import Embedded
from models.errors import FieldwardError
from models.privileges import KEY_STORE, MAIN, DatabaseUser
from models.provisioning import VARIABLES
from tests.integration.privileges.conftest import Client, refused


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and the line that it ended with where it could not do its work."""

    printed: str
    problem: str


Run = Callable[..., Said]


@pytest.fixture
def names(mongod: Embedded) -> Iterator[tuple[str, str]]:
    """Two databases of this test's own, which go with their users at its end."""
    made = (f"people_{uuid4().hex[:8]}", f"keys_{uuid4().hex[:8]}")
    yield made
    with Client(mongod.admin_url) as client:
        for name in made:
            client[name].command("dropAllUsersFromDatabase")
            client[name].command("dropAllRolesFromDatabase")
            client.drop_database(name)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command of `fieldward database` with these settings."""
    app: typer.Typer = build()

    def command(*words: str, **settings: str) -> Said:
        with monkeypatch.context() as patch:
            for name, value in ({"DATA_DIR": str(tmp_path / "data")} | settings).items():
                patch.setenv(f"FIELDWARD_{name}", value)
            done = CliRunner().invoke(app, ["database", *words])
        if not isinstance(done.exception, FieldwardError | None):
            raise done.exception
        return Said(done.output, done.exception.message if done.exception else "")

    return command


@pytest.fixture
def provision(run: Run, names: tuple[str, str], mongod: Embedded) -> Run:
    """Run `provision` on the databases of this test as the administrator."""

    def command(*words: str) -> Said:
        both = ("--database", names[0], "--keystore-database", names[1])
        return run("provision", *both, *words, ADMIN_URL=mongod.admin_url)

    return command


def written(path: Path) -> dict[str, str]:
    """The addresses in a file, by the variable without its prefix, as a shell reads them; the worker's is a comment."""
    lines = [shlex.split(line.removeprefix("# "))[0].partition("=") for line in path.read_text().splitlines()]
    return {name.removeprefix("FIELDWARD_"): url for name, _, url in lines}


def test_it_makes_users_and_writes_their_addresses_down_once(
    provision: Run, names: tuple[str, str], tmp_path: Path
) -> None:
    """In a file for its owner only; nothing that is printed opens anything."""
    output = tmp_path / "addresses.env"
    done = provision("--output", str(output))
    assert done.problem == ""
    assert output.stat().st_mode & 0o777 == 0o600
    addresses = written(output)
    assert set(addresses) == {"MONGODB_URL", "MIGRATOR_URL", "KEYSTORE_URL", "KEYSTORE_MIGRATOR_URL", "WORKER_URL"}
    for url in addresses.values():
        assert str(urlsplit(url).password) not in done.printed
        with Client(url) as client:
            assert client.admin.command("ping")["ok"] == 1
            assert refused(client, names[0], "create", "other")
    with Client(addresses["MONGODB_URL"]) as api:
        assert not refused(api, names[0], "find", "users")
        assert refused(api, names[1], "find", "data_keys")
    with Client(addresses["KEYSTORE_URL"]) as keystore:
        assert not refused(keystore, names[1], "find", "data_keys")
        assert refused(keystore, names[0], "find", "users")


def test_a_second_run_mends_roles_and_leaves_passwords(
    provision: Run, names: tuple[str, str], mongod: Embedded, tmp_path: Path
) -> None:
    """There is nothing to write then. A right that somebody added goes."""
    output = tmp_path / "addresses.env"
    provision("--output", str(output))
    with Client(mongod.admin_url) as administrator, Client(written(output)["MONGODB_URL"]) as api:
        everything = [{"resource": {"db": names[0], "collection": ""}, "actions": ["remove", "dropCollection"]}]
        administrator[names[0]].command("grantPrivilegesToRole", "api", privileges=everything)
        assert not refused(api, names[0], "delete", "audit", deletes=[{"q": {}, "limit": 0}])
        again = provision()
        assert again.problem == ""
        assert "password" not in again.printed
        assert refused(api, names[0], "delete", "audit", deletes=[{"q": {}, "limit": 0}])


def test_a_password_is_rotated_by_name(provision: Run, tmp_path: Path) -> None:
    """The old one ends; the others stay."""
    first, second = tmp_path / "first.env", tmp_path / "second.env"
    provision("--output", str(first))
    done = provision("--output", str(second), "--rotate-password", "keystore")
    assert done.problem == ""
    assert list(written(second)) == ["KEYSTORE_URL"]
    with Client(written(second)["KEYSTORE_URL"]) as new, Client(written(first)["MONGODB_URL"]) as kept:
        assert new.admin.command("ping")["ok"] == kept.admin.command("ping")["ok"] == 1
    with Client(written(first)["KEYSTORE_URL"]) as old, pytest.raises(OperationFailure, match="Authentication failed"):
        old.admin.command("ping")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "There are passwords to write down: name a new file with --output."),
        (("--output", "{there}"), "{there} exists already, and holds passwords perhaps."),
        (("--output", "{folder}/none/x"), "{folder}/none/x cannot be written: No such file or directory."),
        (("--rotate-password", "root"), "A user is one of api, worker, migrator, keystore, keymaster."),
        (("--database", "admin"), "The name of a database has 1 to 38 letters"),
        (
            ("--database", "same", "--keystore-database", "same"),
            "The key store must be another database than the data.",
        ),
    ],
)
def test_what_it_cannot_do_is_said_in_a_line_and_makes_no_user(
    provision: Run, names: tuple[str, str], mongod: Embedded, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    """A password that nobody has written down would be lost."""
    places: Mapping[str, str] = {"there": str(tmp_path / "there.env"), "folder": str(tmp_path)}
    Path(places["there"]).write_text("kept")
    done = provision(*(word.format(**places) for word in words))
    assert done.problem.startswith(said.format(**places))
    assert len(done.problem.splitlines()) == 1
    assert Path(places["there"]).read_text() == "kept"
    with Client(mongod.admin_url) as client:
        assert all(client[name].command("usersInfo", 1)["users"] == [] for name in names)


def test_an_administrator_that_does_not_hold_is_said(run: Run, mongod: Embedded) -> None:
    """By its variable; the address is in no message."""
    api = mongod.addresses.api
    for url, said in (
        ("", "FIELDWARD_ADMIN_URL is not set"),
        (mongod.admin_url.replace("root:", "root:x"), "MongoDB refused the credential in FIELDWARD_ADMIN_URL."),
        (api, "The MongoDB user in FIELDWARD_ADMIN_URL lacks a right that is needed here."),
        ("mongodb://a:b@[db", "FIELDWARD_ADMIN_URL is not a usable MongoDB address."),
    ):
        done = run("provision", ADMIN_URL=url)
        assert done.problem.startswith(said)
    done = run("provision", ADMIN_URL=mongod.admin_url, ENV="production")
    assert "FIELDWARD_ADMIN_URL must use TLS in production" in done.problem


def test_the_service_waits_for_the_migrator(provision: Run, run: Run, names: tuple[str, str], tmp_path: Path) -> None:
    """With its own credential it makes nothing; when the migrator has, it starts. Migrating again is no matter."""
    output = tmp_path / "addresses.env"
    provision("--output", str(output))
    addresses = {name: url for name, url in written(output).items() if name != "WORKER_URL"}
    own = {name: addresses[name] for name in ("MONGODB_URL", "KEYSTORE_URL")}
    refusal = run("migrate", **own)
    assert refusal.problem == "The MongoDB user in FIELDWARD_KEYSTORE_MIGRATOR_URL lacks a right that is needed here."
    for _ in range(2):
        done = run("migrate", **addresses)
        assert (done.printed, done.problem) == ("The databases are ready for this version.\n", "")
    with Client(addresses["MIGRATOR_URL"]) as migrator:
        assert "username" in migrator[names[0]].users.index_information()


def test_every_user_of_the_tables_is_provisioned() -> None:
    """And each has a variable to go into."""
    assert set(VARIABLES) == set(DatabaseUser) == {*MAIN, *KEY_STORE}
