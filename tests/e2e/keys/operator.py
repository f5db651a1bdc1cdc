"""`fieldward` as an operator runs it beside a service, and what they see of the databases."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pymongo

from models.embedded import DATABASE, KEYSTORE_DATABASE
from tests.e2e.server import Account, Server

Client = pymongo.MongoClient[dict[str, Any]]
Dump = dict[str, dict[str, list[dict[str, Any]]]]
FIELDS: Final = "id username email phone fullName"
PAGE: Final = (
    "query ($after: String) { users(first: 100, after: $after) {"
    f" nodes {{ {FIELDS} }} pageInfo {{ hasNextPage endCursor }} }} }}"
)
SECONDS: Final = 300


def command(server: Server, *arguments: str, **settings: str) -> subprocess.Popen[str]:
    """A `fieldward` command on the data of a service, under way."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("FIELDWARD_")}
    given = {"DATA_DIR": str(server.folder), **settings}
    return subprocess.Popen(
        [str(Path(sys.executable).with_name("fieldward")), *arguments],
        env=clean | {f"FIELDWARD_{name}": value for name, value in given.items()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(server: Server, *arguments: str, **settings: str) -> str:
    """What a command printed; it has to end well."""
    process = command(server, *arguments, **settings)
    out, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, f"{' '.join(arguments)}: {out}\n{said}\n{server.said()}"
    return out


def everybody(privacy: Account) -> Mapping[str, Mapping[str, object]]:
    """All people as a privacy officer reads them, page by page."""
    found: dict[str, Mapping[str, object]] = {}
    after = None
    while True:
        page = privacy.data(PAGE, {"after": after}, purpose="LEGAL")["users"]
        found |= {person["id"]: person for person in page["nodes"]}
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


@contextmanager
def as_root(server: Server) -> Iterator[Client]:
    """A client that may do everything in both databases."""
    with server.database() as client:
        yield client


def dump(client: Client, databases: tuple[str, ...] = (DATABASE, KEYSTORE_DATABASE)) -> Dump:
    """All collections of the databases, row by row, as a backup holds them."""
    return {
        name: {
            collection: list(client[name][collection].find({}))
            for collection in client[name].list_collection_names()
            if not collection.startswith("system.")
        }
        for name in databases
    }


def restore(client: Client, saved: Dump) -> None:
    """Put a dump in the place of what there is: each collection is emptied and filled, past the validators."""
    for name, collections in saved.items():
        for collection in client[name].list_collection_names():
            if not collection.startswith("system."):
                client[name][collection].delete_many({})
        for collection, rows in collections.items():
            if rows:
                client[name].command("insert", collection, documents=rows, bypassDocumentValidation=True)
