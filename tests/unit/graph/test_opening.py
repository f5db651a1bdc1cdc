"""What a command says of the database that it is pointed at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from graph.commands import opening
from graph.commands.opening import NO_TRANSACTIONS, NOTHING_KEPT, connect, with_database
from graph.settings import Settings, load_settings
from models.database import Database
from models.errors import ConfigurationError, DatabaseUnavailable

URL = "mongodb://api:hidden-password@db.example/fieldward?tls=true"
PRODUCTION = {
    "FIELDWARD_ENV": "production",
    "FIELDWARD_KEYSTORE_URL": "mongodb://keystore:hidden-password@db.example/fieldward_keys?tls=true",
    "FIELDWARD_KEYRING": "aws-kms://fieldward",
    "FIELDWARD_ISSUER": "https://users.example",
    "FIELDWARD_DATA_DIR": "/var/lib/fieldward",
    "FIELDWARD_SMTP_URL": "smtps://mail.example",
    "FIELDWARD_MAIL_FROM": "no-reply@users.example",
}


@dataclass
class Opened:
    """A database that was reached."""

    has_transactions: bool
    in_memory: bool = False
    closed: bool = False

    async def close(self) -> None:
        """Let go."""
        self.closed = True


def settings(**more: str) -> Settings:
    """Those of somebody with a MongoDB of their own."""
    return load_settings({"FIELDWARD_MONGODB_URL": URL, **more})


def reach(monkeypatch: pytest.MonkeyPatch, found: Opened | Exception) -> None:
    """Let every attempt to open a database come to `found`."""

    async def opened(_url: str | None, *, setting: str) -> Opened:
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(Database, "connect", opened)


async def test_a_silent_database_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not by its address, which holds a password."""
    reach(monkeypatch, DatabaseUnavailable())
    with pytest.raises(ConfigurationError, match=r"^The MongoDB at FIELDWARD_MONGODB_URL did not answer") as caught:
        await connect(URL, settings(), print)
    assert "hidden-password" not in caught.value.message
    assert caught.value.__context__ is None


async def test_a_silent_database_of_another_user_is_named_by_that_ones_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So that the right address is looked at."""
    reach(monkeypatch, DatabaseUnavailable())
    with pytest.raises(ConfigurationError, match=r"^The MongoDB at FIELDWARD_MIGRATOR_URL did not answer"):
        await connect(URL, settings(), setting="FIELDWARD_MIGRATOR_URL")


async def test_development_is_told_that_it_has_no_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    """A single server is good enough to try things out."""
    said: list[str] = []
    reach(monkeypatch, Opened(has_transactions=False))
    await connect(URL, settings(), said.append)
    assert said == [NO_TRANSACTIONS]


async def test_production_needs_a_replica_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deletion that stops halfway leaves somebody's data behind."""
    database = Opened(has_transactions=False)
    reach(monkeypatch, database)
    with pytest.raises(ConfigurationError, match="must lead to a replica set"):
        await connect(URL, settings(**PRODUCTION), print)
    assert database.closed


async def test_a_replica_set_needs_no_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """In production either."""
    said: list[str] = []
    reach(monkeypatch, Opened(has_transactions=True))
    await connect(URL, settings(**PRODUCTION), said.append)
    assert said == []


def test_a_command_does_nothing_that_would_be_lost(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In memory, a service that was added or a person who was imported would be gone at once."""

    async def work(_database: Database) -> None:
        raise AssertionError("it works on nothing")

    monkeypatch.setattr(opening, "find_mongod", lambda: None)
    with pytest.raises(ConfigurationError, match=NOTHING_KEPT):
        with_database(load_settings({"FIELDWARD_DATA_DIR": str(tmp_path)}), print, work)
