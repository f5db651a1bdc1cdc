"""Making a fresh mongod a single-member replica set with authorization on, and mending a moved one.

Written for the embedded server, with the driver's blocking client: it runs once, before anything else.
Every step may be repeated, so that a start which was cut short is finished by the next one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from pymongo import MongoClient
from pymongo import errors as driver

from models.database.accounts import Client, Credential
from models.errors import ConfigurationError, DatabaseUnavailable, FieldwardError

NAME: Final = "fieldward"
HOST: Final = "127.0.0.1"
_PAUSE: Final = 0.02  # seconds between looks

_AUTHENTICATION_FAILED: Final = 18
_UNAUTHORIZED: Final = 13
_ALREADY_INITIALISED: Final = 23
_NOT_YET_INITIALISED: Final = 94
_CREDENTIALS_LOST: Final = (
    "The data folder holds a database that its credential file (server.json) does not open. "
    "Restore that file, or choose another data folder."
)


def prepare(port: int, root: Credential, grant: Callable[[Client], None], *, check: Callable[[], None]) -> None:
    """Bring the mongod on `port` to a writable primary that knows `root`, and let `grant` make its other users.

    `check` is called again and again while waiting, and raises to give up. Raises `ConfigurationError`
    when the stored credentials do not open the data, `DatabaseUnavailable` when the server goes away meanwhile.
    """
    try:
        _wait(check, lambda: _answers(port))
        if not _knows(port, root):
            _first_steps(port, root, check)
        with _client(port, root) as client:
            _wait(check, lambda: _mend_port(client, port))
            _wait(check, lambda: _writable(client))
            grant(client)
    except driver.OperationFailure as error:
        failure: FieldwardError = _refusal(error)
    except driver.PyMongoError:
        failure = DatabaseUnavailable("The embedded MongoDB went away during its start.")
    else:
        return
    raise failure


def _first_steps(port: int, root: Credential, check: Callable[[], None]) -> None:
    # The localhost exception allows exactly this much to a client without a credential: initiate, and
    # make the first user. That client is then thrown away, because it stays unauthenticated.
    with _client(port, None) as client:
        member = {"_id": 0, "host": f"{HOST}:{port}"}
        try:
            client.admin.command("replSetInitiate", {"_id": NAME, "members": [member]})
        except driver.OperationFailure as error:
            if error.code != _ALREADY_INITIALISED:
                raise
        _wait(check, lambda: _writable(client))
        client.admin.command("createUser", root.user, pwd=root.password, roles=["root"])


def _mend_port(client: Client, port: int) -> bool:
    """A member whose port changed no longer finds itself in its own set, until the set is rewritten by force.

    False while the server has not read its configuration yet.
    """
    try:
        config = client.admin.command("replSetGetConfig")["config"]
    except driver.OperationFailure as error:
        if error.code == _NOT_YET_INITIALISED:
            return False
        raise
    host = f"{HOST}:{port}"
    if config["members"][0]["host"] != host:
        config["members"][0]["host"] = host
        config["version"] += 1
        client.admin.command("replSetReconfig", config, force=True)
    return True


def _knows(port: int, root: Credential) -> bool:
    try:
        with _client(port, root) as client:
            client.admin.command("ping")
    except driver.OperationFailure as error:
        if error.code == _AUTHENTICATION_FAILED:
            return False
        raise
    return True


def _answers(port: int) -> bool:
    with _client(port, None) as client:
        client.admin.command("hello")
    return True


def _writable(client: Client) -> bool:
    return bool(client.admin.command("hello").get("isWritablePrimary"))


def _refusal(error: driver.OperationFailure) -> ConfigurationError:
    if error.code in (_UNAUTHORIZED, _AUTHENTICATION_FAILED):
        return ConfigurationError(_CREDENTIALS_LOST)
    return ConfigurationError(f"The embedded MongoDB refused to be set up (its code {error.code}).")


def _wait(check: Callable[[], None], condition: Callable[[], bool]) -> None:
    while True:
        check()
        try:
            if condition():
                return
        except driver.ConnectionFailure:
            pass  # not listening yet, or dropping connections while it changes state
        time.sleep(_PAUSE)


def _client(port: int, credential: Credential | None) -> Client:
    return MongoClient(
        HOST,
        port,
        username=credential.user if credential else None,
        password=credential.password if credential else None,
        directConnection=True,
        serverSelectionTimeoutMS=500,
        timeoutMS=5000,
    )
