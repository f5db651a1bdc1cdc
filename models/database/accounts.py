"""Users and roles of MongoDB, made from the tables of `models.privileges` by an administrator.

With the driver's blocking client: it is done at the start of the embedded server, and by a command.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self, TypeAlias, TypeVar

import pymongo
from pymongo import errors as driver

from models.database.failures import CAUGHT, is_mistrust, meaning, mistrust, unusable_file
from models.privileges import Actions, Table

Client: TypeAlias = pymongo.MongoClient[dict[str, Any]]
T = TypeVar("T")
_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Credential:
    """A MongoDB user; the password never shows."""

    user: str
    password: str = field(repr=False)

    @classmethod
    def new(cls, user: str) -> Self:
        """One with a password of 256 bits."""
        return cls(user, secrets.token_urlsafe(32))


def put_roles(client: Client, database: str, table: Table) -> None:
    """Make each role of `table` in `database`, or put what it says in the place of what there was."""
    there = {role["role"] for role in client[database].command("rolesInfo", 1)["roles"]}
    for user, collections in table.items():
        verb = "updateRole" if user.value in there else "createRole"
        client[database].command(verb, user.value, privileges=_privileges(database, collections), roles=[])


def known_users(client: Client, database: str) -> frozenset[str]:
    """The users that `database` has."""
    return frozenset(user["user"] for user in client[database].command("usersInfo", 1)["users"])


def put_users(client: Client, database: str, credentials: Iterable[Credential]) -> None:
    """Make each user with the role of its name and nothing else; one that is there gets this password."""
    there = known_users(client, database)
    for each in credentials:
        verb = "updateUser" if each.user in there else "createUser"
        client[database].command(verb, each.user, pwd=each.password, roles=[{"role": each.user, "db": database}])


def drop_user(client: Client, database: str, user: str) -> None:
    """Remove a user, if there is one."""
    if user in known_users(client, database):
        client[database].command("dropUser", user)


def _privileges(database: str, collections: Mapping[str, Actions]) -> list[dict[str, object]]:
    return [
        {"resource": {"db": database, "collection": collection}, "actions": sorted(actions)}
        for collection, actions in collections.items()
    ]


class Administrator:
    """An administrator of one MongoDB; `setting` names the variable that its address came from.

    Every method raises `ConfigurationError` or `DatabaseUnavailable`, without the server's words.
    """

    def __init__(self, url: str, setting: str) -> None:
        self._url, self._setting = url, setting

    def put_roles(self, database: str, table: Table) -> frozenset[str]:
        """Make or update the roles of `table`; the users that `database` has already."""

        def work(client: Client) -> frozenset[str]:
            put_roles(client, database, table)
            return known_users(client, database)

        return self._run(work)

    def put_users(self, database: str, credentials: Iterable[Credential]) -> None:
        """Make users, or give those that are there another password."""
        self._run(lambda client: put_users(client, database, credentials))

    def _run(self, work: Callable[[Client], T]) -> T:
        milliseconds = int(_SECONDS * 1000)
        try:
            with pymongo.MongoClient[dict[str, Any]](
                self._url, serverSelectionTimeoutMS=milliseconds, timeoutMS=milliseconds, appname="fieldward"
            ) as client:
                return work(client)
        except CAUGHT as error:
            failure = mistrust(self._setting) if is_mistrust(error) else meaning(error, None, self._setting)
        except OSError:
            failure = unusable_file(self._setting)
        except ValueError:
            failure = meaning(driver.InvalidURI(), None, self._setting)
        raise failure  # outside of the handler, so that the driver's error is not its context
