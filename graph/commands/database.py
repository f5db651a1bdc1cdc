"""`fieldward database`: users and roles in a MongoDB of one's own, and making it ready for this version."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from graph.commands.opening import migrate_now
from graph.database_settings import ADMIN_URL, KEYSTORE_ADMIN_URL, administrators
from graph.settings import load_settings
from models.embedded import DATABASE, KEYSTORE_DATABASE
from models.errors import BadInput
from models.privileges import DatabaseUser
from models.provisioning import places, provision


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    group = typer.Typer(help="Make users, indexes and validators in MongoDB.", no_args_is_help=True)
    app.add_typer(group, name="database")
    group.command("provision")(_provision)
    group.command("migrate")(_migrate)


def _provision(
    output: Annotated[
        Path | None, typer.Option(help="A new file (mode 0600) for the addresses of users with a new password.")
    ] = None,
    database: Annotated[str, typer.Option(metavar="NAME", help="The main database.")] = DATABASE,
    keystore_database: Annotated[str, typer.Option(metavar="NAME", help="The key store's.")] = KEYSTORE_DATABASE,
    rotate_password: Annotated[
        list[str] | None,
        typer.Option(metavar="USER", help=f"Another password for one of {', '.join(DatabaseUser)}. May come again."),
    ] = None,
) -> None:
    """Make the users and roles that Fieldward needs, as the administrator in FIELDWARD_ADMIN_URL. Run it again after
    an update: roles change with versions, users and passwords stay."""
    rotate = [_user(name) for name in rotate_password or ()]
    main, keystore = administrators(os.environ)
    databases = places(
        (main, ADMIN_URL),
        (main, ADMIN_URL) if keystore is None else (keystore, KEYSTORE_ADMIN_URL),
        database=database,
        keystore_database=keystore_database,
    )
    changed = provision(databases, output, rotate=rotate)
    typer.echo(f"The roles in {database} and {keystore_database} are those of this version.")
    if changed:
        typer.echo(f"New passwords for {', '.join(changed)}: their addresses are in {output}.")


def _migrate() -> None:
    """Make the indexes, validators and first keys of this version; safe to run again, also while the service runs."""
    migrate_now(load_settings(os.environ), lambda line: typer.echo(line, err=True))
    typer.echo("The databases are ready for this version.")


def _user(name: str) -> DatabaseUser:
    try:
        return DatabaseUser(name)
    except ValueError:
        raise BadInput(f"A user is one of {', '.join(DatabaseUser)}.", path=("rotate-password",)) from None
