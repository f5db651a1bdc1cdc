"""`fieldward clients`: the services that may ask for tokens."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import TextWrapper
from typing import Annotated, Final, TypeVar

import typer

from auth.client_keys import read_keys
from auth.clients import Clients, valid_secrets
from auth.registration import Registration, regions_of
from auth.revocations import Revocations
from graph.commands.opening import with_database
from graph.settings import load_settings
from models.base import now
from models.client import ClientDocument, ClientKey
from models.database import Database
from models.errors import BadInput

T = TypeVar("T")
Line = tuple[str, Sequence[str]]
Id = Annotated[str, typer.Argument(metavar="CLIENT_ID", help="The client id, as `clients list` shows it.")]
Scopes = Annotated[list[str], typer.Option("--scope", help="What it may do, like user.contact:read. Repeat for more.")]
Purposes = Annotated[list[str], typer.Option("--purpose", help="What for, like SUPPORT. Repeat for more.")]
Regions = Annotated[
    list[str] | None, typer.Option("--region", help="Where its tokens may be used. Repeat for more; default: here.")
]
Owner = Annotated[str | None, typer.Option(help="Whom to ask about it: a team rather than a person.")]
Jwks = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="A file with its public keys (JWK Set), to sign its requests with."),
]
Days = Annotated[int | None, typer.Option("--secret-days", min=1, max=3650, help="The secret ends after so many days.")]
_WIDTH: Final = 80
_LABEL: Final = 13
_MANY: Final = 64_001  # characters; one more than is taken


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    group = typer.Typer(help="Register services, and give and take their credentials.", no_args_is_help=True)
    app.add_typer(group, name="clients")
    for name, command in (
        ("add", _add),
        ("list", _list),
        ("show", _show),
        ("change", _change),
        ("rotate", _rotate),
        ("remove", _remove),
    ):
        group.command(name)(command)


def _add(
    name: Annotated[str, typer.Argument(help="What people call the service.")],
    scope: Scopes,
    purpose: Purposes,
    region: Regions = None,
    owner: Owner = None,
    introspect: Annotated[bool, typer.Option("--introspect", help="It may ask about tokens of others.")] = False,
    jwks: Jwks = None,
    secret_days: Days = None,
) -> None:
    """Register a service. Its secret is shown this once; with --jwks it has none."""
    registration = Registration.read(
        name=name, scopes=scope, purposes=purpose, owner=owner, regions=region or None, introspects=introspect
    )
    if jwks is not None:
        keys = _keys(jwks)
        typer.echo(f"client_id:     {_on_clients(lambda clients: clients.add_with_keys(registration, keys))}")
        return
    lifetime = None if secret_days is None else timedelta(days=secret_days)
    _show_secret(*_on_clients(lambda clients: clients.add_with_secret(registration, lifetime)))


def _list() -> None:
    """Show all services, what they may do and when each was last used."""
    found = _on_clients(lambda clients: clients.list())
    for client in found:
        _print(client, [*_may(client), ("last used", [_moment(client.last_used_at)])])
    if not found:
        typer.echo("No service is registered.")


def _show(client_id: Id) -> None:
    """Show one service with its credentials: which hold, until when, and when each was last used."""

    async def find(clients: Clients) -> tuple[ClientDocument | None, str]:
        return await clients.find(client_id), clients.region

    client, home = _on_clients(find)
    if client is None:
        raise BadInput("There is no service with this client id.", path=("client_id",))
    _print(client, [*_may(client), *_rest(client, home)])


def _change(
    client_id: Id,
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    scope: Scopes | None = None,
    purpose: Purposes | None = None,
    region: Regions = None,
    owner: Owner = None,
    introspect: Annotated[bool | None, typer.Option(help="Whether it may ask about tokens of others.")] = None,
    jwks: Jwks = None,
    drop_secrets: Annotated[bool, typer.Option("--drop-secrets", help="Its secrets end; it has keys.")] = False,
    drop_keys: Annotated[bool, typer.Option("--drop-keys", help="Its keys end; it has a secret.")] = False,
) -> None:
    """Change a service. What is given takes the place of what there was; its tokens end when it loses anything."""
    registration = Registration.read(
        name=name,
        scopes=scope or None,
        purposes=purpose or None,
        owner=owner,
        regions=region or None,
        introspects=introspect,
    )
    keys = None if jwks is None else _keys(jwks)
    lost = _on_clients(
        lambda clients: clients.change(
            client_id, registration, keys=keys, drop_secrets=drop_secrets, drop_keys=drop_keys
        )
    )
    ended = " Its tokens end within a second, because it lost something." if lost else ""
    typer.echo(f"Changed {client_id}.{ended}")


def _rotate(
    client_id: Id,
    overlap_hours: Annotated[
        float,
        typer.Option(min=0, max=24 * 90, help="How long the old secret still holds. 0: it and all tokens end now."),
    ] = 0,
    secret_days: Days = None,
) -> None:
    """Give a service a new secret, shown this once. At most two hold at a time."""
    overlap = timedelta(hours=overlap_hours)
    lifetime = None if secret_days is None else timedelta(days=secret_days)
    _show_secret(client_id, _on_clients(lambda clients: clients.rotate(client_id, overlap=overlap, lifetime=lifetime)))


def _remove(client_id: Id) -> None:
    """Remove a service; its secrets and tokens end within a second."""
    _on_clients(lambda clients: clients.remove(client_id))
    typer.echo(f"Removed {client_id}.")


def _on_clients(work: Callable[[Clients], Awaitable[T]]) -> T:
    settings = load_settings(os.environ)

    async def run(database: Database) -> T:
        return await work(Clients(database, Revocations(database), region=settings.region))

    return with_database(settings, lambda line: typer.echo(line, err=True), run)


def _keys(path: Path) -> list[ClientKey]:
    with path.open(encoding="utf-8", errors="replace") as file:
        return read_keys(file.read(_MANY), now())


def _show_secret(client_id: str, secret: str) -> None:
    typer.echo(f"client_id:     {client_id}")
    typer.echo(f"client_secret: {secret}")
    typer.echo("Keep the secret now: it is stored only as a hash and cannot be shown again.", err=True)


def _may(client: ClientDocument) -> Iterator[Line]:
    yield "scopes", client.scopes
    yield "purposes", [*client.purposes]


def _rest(client: ClientDocument, home: str) -> Iterator[Line]:
    yield "regions", sorted(regions_of(client, home))
    yield "owner", [client.owner or "nobody named"]
    yield "introspects", ["tokens of others too" if client.introspects else "its own tokens"]
    yield "registered", [_moment(client.created_at)]
    yield "last used", [_moment(client.last_used_at)]
    for secret in valid_secrets(client, datetime.now(UTC)):
        ends = "no end set" if secret.expires_at is None else f"ends {_moment(secret.expires_at)}"
        used = _moment(client.used.get(secret.id or ""))
        yield (
            "secret",
            [f"{secret.id or 'unnamed'}:", f"made {_moment(secret.created_at)},", f"{ends},", f"used {used}"],
        )
    for key in client.keys:
        kind = f"{key.jwk['kty']} {key.jwk.get('crv', '')}".strip()
        yield "key", [f"{key.jwk['kid']}:", f"{kind},", f"used {_moment(client.used.get(key.id))}"]


def _print(client: ClientDocument, lines: Sequence[Line]) -> None:
    """The id alone on its line, to be copied; a scope is never broken, however narrow the terminal."""
    typer.echo(client.id)
    for label, words in (("name", client.name.split()), *lines):
        # What belongs together holds together: spaces inside of a word are not where a line ends.
        text = " ".join(word.replace(" ", "\0") for word in words)
        indent = f"  {label:<{_LABEL}}"
        wrap = TextWrapper(_WIDTH, indent, " " * len(indent), break_long_words=False, break_on_hyphens=False)
        typer.echo(wrap.fill(text).replace("\0", " "))


def _moment(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"
