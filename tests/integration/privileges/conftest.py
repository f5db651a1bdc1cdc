"""Clients on the service's own databases, each as one of the users that it has there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pymongo
import pytest
from pymongo.errors import OperationFailure

from models.embedded import DATABASE, KEYSTORE_DATABASE, Embedded
from models.privileges import DatabaseUser

Client = pymongo.MongoClient[dict[str, Any]]
Open = Callable[[DatabaseUser], Client]
UNAUTHORIZED = 13


def refused(client: Client, database: str, command: str, target: object = 1, **more: Any) -> bool:  # noqa: ANN401 - any type, as the caller has it
    """Whether MongoDB refuses a command for want of a right; that it comes to nothing is no refusal."""
    try:
        client[database].command(command, target, **more)
    except OperationFailure as error:
        return error.code == UNAUTHORIZED
    return False


@pytest.fixture(scope="module")
def administrator(mongod: Embedded) -> Iterator[Client]:
    """Whoever may do everything; both databases are empty afterwards, and keep their users."""
    with Client(mongod.admin_url) as client:
        yield client
        for name in (DATABASE, KEYSTORE_DATABASE):
            client.drop_database(name)


@pytest.fixture(scope="module")
def open_as(mongod: Embedded, administrator: Client) -> Iterator[Open]:
    """A client as one user: `open_as(DatabaseUser.API)`."""
    opened: list[Client] = []

    def client(user: DatabaseUser) -> Client:
        opened.append(Client(mongod.address_of(user)))
        return opened[-1]

    yield client
    for each in opened:
        each.close()
