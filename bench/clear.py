"""The same people in the clear, for servers that read MongoDB themselves and have no keys: the peers and the limits."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

from graph.commands.opening import with_keys
from graph.settings import load_settings
from models.database import Database
from models.database.accounts import Client, Credential, put_users
from models.embedded import DATABASE, Embedded
from models.embedded.users import address
from models.errors import FieldwardError
from models.sealed import sealed_fields
from models.sealing import INDEX_SUFFIX
from models.user import UserDocument
from models.validators import validator_for

CLEAR_DATABASE: Final = "fieldward_clear"
_USERS: Final = UserDocument.Settings.name
_READER: Final = "read"  # MongoDB's own role; `put_users` gives a user the role of its name
_BATCH: Final = 500


class NoCopy(Exception):
    """The people cannot be had in the clear. Says why."""


def reader_address(client: Client, mongod: Embedded) -> str:
    """The address of the copy, for a user who may read it and nothing else; its password is a new one each time."""
    reader = Credential.new(_READER)
    put_users(client, CLEAR_DATABASE, [reader])
    return address(mongod.port, reader, CLEAR_DATABASE)


def refuse_clear(client: Client, database: str = DATABASE) -> None:
    """Raise `NoCopy` for a database with values in the clear: what is measured would not be what is shipped."""
    if client[database][_USERS].find_one({"$nor": [validator_for(UserDocument)]}, {"_id": 1}) is not None:
        raise NoCopy("The people are from before fields were sealed.")


def copy_in_clear(client: Client, environment: Mapping[str, str]) -> None:
    """Make the copy unless it is there, with the keys that `environment` leads to. Raises `NoCopy`."""
    if is_copied(client):
        return

    async def work(main: Database, _keys: object) -> None:
        await copy_people(client, main)

    try:
        with_keys(load_settings(environment), print, work)
    except FieldwardError as error:
        problem = error.message
    else:
        return
    raise NoCopy(problem)


def is_copied(client: Client, source: str = DATABASE, target: str = CLEAR_DATABASE) -> bool:
    """Whether there are as many people in the copy as there are."""
    return client[source][_USERS].count_documents({}) == client[target][_USERS].count_documents({})


async def copy_people(client: Client, main: Database, source: str = DATABASE, target: str = CLEAR_DATABASE) -> None:
    """Open everybody in the database `source`, which `main` has the keys to, and store them so in `target`.

    In the order in which they lie in `source`, so that a page costs MongoDB the same in both; without the codes
    they are looked up by, which nobody but Fieldward needs. Raises `NoCopy` for people without a key.
    """
    people, copies = client[source][_USERS], client[target][_USERS]
    copies.drop()
    rows = iter(people.find({}, {f"{path}{INDEX_SUFFIX}": 0 for path in UserDocument.LOOKED_UP}))
    while batch := list(islice(rows, _BATCH)):
        await _open(main, batch)
        copies.insert_many(batch)


async def _open(main: Database, rows: list[dict[str, Any]]) -> None:
    paths = tuple(sealed_fields(UserDocument))
    if main.sealing is None or await main.sealing.open(UserDocument, rows, paths):
        raise NoCopy("There are people without a key.")
