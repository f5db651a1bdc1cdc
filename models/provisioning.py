"""Making Fieldward's users and roles in a MongoDB of somebody's own, and writing their passwords down once."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from models.database.accounts import Administrator, Credential
from models.errors import ConfigurationError
from models.privileges import KEY_STORE, MAIN, DatabaseUser, Table

# The variable that each user's address is for. Nothing reads that of the worker yet.
VARIABLES: Final = {
    DatabaseUser.API: "FIELDWARD_MONGODB_URL",
    DatabaseUser.MIGRATOR: "FIELDWARD_MIGRATOR_URL",
    DatabaseUser.KEYSTORE: "FIELDWARD_KEYSTORE_URL",
    DatabaseUser.KEYMASTER: "FIELDWARD_KEYSTORE_MIGRATOR_URL",
    DatabaseUser.WORKER: "# FIELDWARD_WORKER_URL",
}
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,38}")
_OF_THE_SERVER: Final = ("admin", "config", "local")
_OF_THE_ADMINISTRATOR: Final = ("authsource", "authmechanism", "authmechanismproperties", "tlscertificatekeyfile")


@dataclass(frozen=True, slots=True)
class Place:
    """One of the two databases: its name, its table, and the address of whoever administers its server."""

    database: str
    table: Table
    url: str = field(repr=False)
    setting: str

    @property
    def administrator(self) -> Administrator:
        """Whoever may make users there."""
        return Administrator(self.url, self.setting)

    def address(self, credential: Credential) -> str:
        """The address for one of its users: the administrator's server and options, and nothing else of theirs."""
        parts = urlsplit(self.url)
        hosts = parts.netloc.rpartition("@")[2]
        options = [(key, value) for key, value in parse_qsl(parts.query) if key.lower() not in _OF_THE_ADMINISTRATOR]
        query = urlencode([*options, ("authSource", self.database)])
        login = f"{quote(credential.user, safe='')}:{quote(credential.password, safe='')}"
        return f"{parts.scheme}://{login}@{hosts}/{quote(self.database, safe='')}?{query}"


def places(
    main: tuple[str, str], keystore: tuple[str, str], *, database: str, keystore_database: str
) -> tuple[Place, Place]:
    """The two databases; `main` and `keystore` are (address, variable that it came from).

    Raises `ConfigurationError` where both would be the same one, and for names that are none.
    """
    if not all(_NAME.fullmatch(name) and name not in _OF_THE_SERVER for name in (database, keystore_database)):
        raise ConfigurationError(
            "The name of a database has 1 to 38 letters, digits, hyphens or underscores, and is none of "
            f"{', '.join(_OF_THE_SERVER)}."
        )
    if database == keystore_database and main == keystore:
        raise ConfigurationError("The key store must be another database than the data.")
    return Place(database, MAIN, *main), Place(keystore_database, KEY_STORE, *keystore)


def provision(databases: Sequence[Place], output: Path | None, *, rotate: Collection[DatabaseUser] = ()) -> list[str]:
    """Make or update all roles, make the users that are missing, and give those in `rotate` another password.

    The addresses of users with a new password are written to `output`, which must not exist yet, before they hold.
    Returns the names of those users. Raises `ConfigurationError`, with nothing but roles changed, where `output`
    cannot be written.
    """
    new: list[tuple[Place, list[Credential]]] = []
    for place in databases:
        there = place.administrator.put_roles(place.database, place.table)
        new.append((place, [Credential.new(user) for user in place.table if user not in there or user in rotate]))
    lines = [f"{VARIABLES[DatabaseUser(each.user)]}='{place.address(each)}'\n" for place, made in new for each in made]
    if lines:
        _write(output, "".join(lines))
    for place, made in new:
        place.administrator.put_users(place.database, made)
    return [each.user for _, made in new for each in made]


def _write(output: Path | None, text: str) -> None:
    if output is None:
        raise ConfigurationError("There are passwords to write down: name a new file with --output.")
    try:
        with open(output, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        problem = f"{output} exists already, and holds passwords perhaps. Name a new file with --output."
    except OSError as error:
        problem = f"{output} cannot be written: {os.strerror(error.errno or 0)}."
    else:
        return
    raise ConfigurationError(problem)
