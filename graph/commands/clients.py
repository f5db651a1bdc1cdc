"""`fieldward clients`: the services that may ask for tokens."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, TypeVar

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from auth.clients import Clients
from auth.revocations import Revocations
from graph.commands.opening import with_database
from graph.settings import load_settings
from models.client import ClientDocument
from models.database import Database

T = TypeVar("T")
Id = Annotated[str, typer.Argument(metavar="CLIENT_ID", help="The client id, as `clients list` shows it.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    group = typer.Typer(help="Register services, and give and take their secrets.", no_args_is_help=True)
    app.add_typer(group, name="clients")
    group.command("add")(_add)
    group.command("list")(_list)
    group.command("rotate")(_rotate)
    group.command("remove")(_remove)


def _add(
    name: Annotated[str, typer.Argument(help="What people call the service.")],
    scope: Annotated[list[str], typer.Option(help="What it may do, like user.contact:read. Repeat for more.")],
    purpose: Annotated[list[str], typer.Option(help="What for, like SUPPORT. Repeat for more.")],
) -> None:
    """Register a service. Its secret is shown this once."""
    client_id, secret = _on_clients(lambda clients: clients.add(name, scope, purpose))
    _show_secret(client_id, secret)


def _list() -> None:
    """Show all services and when each was last used."""
    Console().print(_table(_on_clients(lambda clients: clients.list())))


def _rotate(
    client_id: Id,
    overlap_hours: Annotated[
        float,
        typer.Option(min=0, max=24 * 90, help="How long the old secret still holds. 0: it and all tokens end now."),
    ] = 0,
) -> None:
    """Give a service a new secret, shown this once."""
    overlap = timedelta(hours=overlap_hours)
    _show_secret(client_id, _on_clients(lambda clients: clients.rotate(client_id, overlap=overlap)))


def _remove(client_id: Id) -> None:
    """Remove a service; its secrets and tokens end within a second."""
    _on_clients(lambda clients: clients.remove(client_id))
    typer.echo(f"Removed {client_id}.")


def _on_clients(work: Callable[[Clients], Awaitable[T]]) -> T:
    settings = load_settings(os.environ)

    async def run(database: Database) -> T:
        return await work(Clients(database, Revocations(database), region=settings.region))

    return with_database(settings, lambda line: typer.echo(line, err=True), run)


def _show_secret(client_id: str, secret: str) -> None:
    typer.echo(f"client_id:     {client_id}")
    typer.echo(f"client_secret: {secret}")
    typer.echo("Keep the secret now: it is stored only as a hash and cannot be shown again.", err=True)


def _table(clients: Sequence[ClientDocument]) -> Table:
    """One row each; the id is never shortened, so that it can be copied."""
    client = Column("client id and name", no_wrap=True, min_width=max((len(each.id) for each in clients), default=0))
    table = Table(client, Column("scopes", overflow="fold"), "purposes", "last used", box=SIMPLE)
    for each in clients:
        names = Text(f"{each.id}\n{each.name}", overflow="ellipsis")
        table.add_row(names, "\n".join(each.scopes), "\n".join(each.purposes), _day(each.last_used_at))
    return table


def _day(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"
