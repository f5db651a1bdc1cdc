"""`fieldward keys`: the keys that sign access tokens, and when each takes its turn. They are in a file, so that
these commands need no database; workers that run see a change within seconds."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from auth.tokens import LEEWAY, MAX_LIFETIME
from graph.settings import load_settings
from models.crypto.key_file import CHECK_SECONDS, change, load_or_create
from models.crypto.signing import KeyState, SigningKey, SigningRing

PUBLISHED_AHEAD: Final = timedelta(hours=1)  # longer than anybody keeps the JWK Set
HURRY: Final = timedelta(seconds=5 * CHECK_SECONDS)  # until every worker has read the file
OVERLAP: Final = MAX_LIFETIME + LEEWAY + timedelta(minutes=5)  # until the last token of the old key is over


class Keys(StrEnum):
    """Which keys to rotate."""

    SIGNING = "signing"


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    group = typer.Typer(help="Show and rotate the keys of this service.", no_args_is_help=True)
    app.add_typer(group, name="keys")
    group.command("status")(_status)
    group.command("rotate")(_rotate)


def _status() -> None:
    """Show the keys that sign tokens: the next one, the one that signs, and those that only verify."""
    path = _path()
    if not path.exists():
        typer.echo(f"There are no signing keys at {path} yet: the first start makes them.")
        return
    _print(load_or_create(path), path)


def _rotate(
    keys: Annotated[Keys, typer.Argument(metavar="KEYS", help="Which ones: signing.")],
    now: Annotated[bool, typer.Option("--now", help="Sign with it in seconds, without publishing it before.")] = False,
    leaked: Annotated[
        bool, typer.Option("--leaked", help="The old keys were seen by others: end them, and all tokens, at once.")
    ] = False,
) -> None:
    """Bring out a new key: it is published at once, signs in an hour, and then the old one retires."""
    del keys  # there is one kind
    ahead = HURRY if now else PUBLISHED_AHEAD
    at = datetime.now(UTC).replace(microsecond=0)

    def changed(ring: SigningRing) -> SigningRing:
        if leaked:
            return SigningRing((SigningKey.generate(at),))
        return ring.rotated(at, ahead=ahead, overlap=OVERLAP, hurry=now)

    path = _path()
    _print(change(path, changed), path)
    if leaked:
        typer.echo("All access tokens end. People go on by their refresh tokens, services ask for new ones.", err=True)


def _path() -> Path:
    return load_settings(os.environ).keys_file


def _print(ring: SigningRing, path: Path) -> None:
    now = datetime.now(UTC)
    typer.echo(f"Signing keys in {path}")
    for key in ring.keys:
        typer.echo(f"  {key.kid}  {_said(key, ring.state(key, now))}")


def _said(key: SigningKey, state: KeyState) -> str:
    match state:
        case KeyState.NEXT:
            return f"signs from {_moment(key.signs_from)}"
        case KeyState.SIGNING:
            return "signs" if key.signs_from is None else f"signs since {_moment(key.signs_from)}"
        case KeyState.RETIRING:
            return "verifies" if key.retires_at is None else f"verifies until {_moment(key.retires_at)}"
        case KeyState.RETIRED:
            return f"retired {_moment(key.retires_at)}"


def _moment(moment: datetime | None) -> str:
    return "the beginning" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"
