"""The databases of the embedded MongoDB and who may open them: the users that production has too, and never root."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import quote

from models.addresses import Addresses
from models.database.accounts import Client, Credential, drop_user, put_roles, put_users
from models.database.replica_set import HOST, NAME
from models.privileges import KEY_STORE, MAIN, DatabaseUser

DATABASE: Final = "fieldward"
KEYSTORE_DATABASE: Final = "fieldward_keys"
_ADMIN: Final = "admin"


def grant(client: Client, users: Mapping[DatabaseUser, Credential]) -> None:
    """Make `users` with their roles, or bring them to what the tables say now."""
    for database, table in ((DATABASE, MAIN), (KEYSTORE_DATABASE, KEY_STORE)):
        put_roles(client, database, table)
        put_users(client, database, _of(users, table))
    drop_user(client, _ADMIN, DatabaseUser.API)  # of earlier versions; it could do anything with all rows


def _of(users: Mapping[DatabaseUser, Credential], names: Iterable[DatabaseUser]) -> list[Credential]:
    return [users[name] for name in names]


def addresses(port: int, users: Mapping[DatabaseUser, Credential]) -> Addresses:
    """Where the server on `port` is, for each part that opens it."""
    return Addresses(
        api=address_of(DatabaseUser.API, port, users),
        keystore=address_of(DatabaseUser.KEYSTORE, port, users),
        migrator=address_of(DatabaseUser.MIGRATOR, port, users),
        keymaster=address_of(DatabaseUser.KEYMASTER, port, users),
    )


def address_of(user: DatabaseUser, port: int, users: Mapping[DatabaseUser, Credential]) -> str:
    """Where the server on `port` is for one user."""
    return address(port, users[user], KEYSTORE_DATABASE if user in KEY_STORE else DATABASE)


def address(port: int, credential: Credential, database: str, *, source: str | None = None) -> str:
    """One address on this machine; the user is one of `source`, unless told of `database`."""
    login = f"{quote(credential.user)}:{quote(credential.password)}"
    return f"mongodb://{login}@{HOST}:{port}/{database}?authSource={source or database}&replicaSet={NAME}"


def root_address(port: int, root: Credential, database: str = "") -> str:
    """The address for whoever may do everything: tests, and nobody else."""
    return address(port, root, database, source=_ADMIN)
