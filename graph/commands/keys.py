"""`fieldward keys`: those that sign access tokens, and those that people's data is sealed with.

The former are in a file, so that their commands need no database; workers that run see a change within seconds.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from auth.tokens import LEEWAY, MAX_LIFETIME
from graph.commands.rotation import replay_tombstones, rotate, seal_all, show_status
from graph.settings import load_settings
from models.crypto.key_file import CHECK_SECONDS, change, load_or_create
from models.crypto.signing import KeyState, SigningKey, SigningRing

PUBLISHED_AHEAD: Final = timedelta(hours=1)  # longer than anybody keeps the JWK Set
HURRY: Final = timedelta(seconds=5 * CHECK_SECONDS)  # until every worker has read the file
OVERLAP: Final = MAX_LIFETIME + LEEWAY + timedelta(minutes=5)  # until the last token of the old key is over


_RATE: Final = typer.Option("--rate", min=1, help="At most so many documents a second.")


class Keys(StrEnum):
    """Which keys to rotate."""

    SIGNING = "signing"
    ROOT = "root"
    KEK = "kek"
    DATA = "data"
    INDEX = "index"


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    group = typer.Typer(help="Show and rotate the keys of this service.", no_args_is_help=True)
    app.add_typer(group, name="keys")
    group.command("status")(_status)
    group.command("rotate")(_rotate)
    group.command("seal")(_seal)
    group.command("replay-tombstones")(_replay)


def _status(
    values: Annotated[
        bool, typer.Option("--values", help="Count all sealed values too; every document is looked at.")
    ] = False,
    signing: Annotated[
        bool, typer.Option("--signing", help="The keys that sign tokens only; needs no database.")
    ] = False,
) -> None:
    """Show the keys that sign tokens, and those that people's data is sealed with, with how much is on each."""
    path = _path()
    if path.exists():
        _print(load_or_create(path), path)
    else:
        typer.echo(f"There are no signing keys at {path} yet: the first start makes them.")
    if not signing:
        show_status(load_settings(os.environ), values=values)


def _seal(rate: Annotated[float | None, _RATE] = None) -> None:
    """Seal what an earlier version has stored in the clear, while the service runs; goes on where it was cut short."""
    seal_all(load_settings(os.environ), rate=rate)


def _replay(
    journals: Annotated[
        list[Path] | None, typer.Option("--from", help="A copy of the journal of destroyed keys; may be given again.")
    ] = None,
) -> None:
    """Erase again whoever was erased and is back by a restored backup. Each start does this by itself."""
    replay_tombstones(load_settings(os.environ), journals or [])


def _rotate(
    keys: Annotated[Keys, typer.Argument(metavar="KEYS", help="Which ones: signing, root, kek, data or index.")],
    now: Annotated[bool, typer.Option("--now", help="Sign with it in seconds, without publishing it before.")] = False,
    leaked: Annotated[
        bool, typer.Option("--leaked", help="The old keys were seen by others: end them, and all tokens, at once.")
    ] = False,
    retire: Annotated[
        bool, typer.Option("--retire", help="root: give the earlier root keys up, and with them older backups of keys.")
    ] = False,
    rate: Annotated[float | None, _RATE] = None,
) -> None:
    """Replace keys while the service runs; goes on where it was cut short.

    signing: a new key is published at once, signs in an hour, then the old retires.
    root: the key that wraps key-encryption keys.
    kek: the key that wraps people's data keys.
    data: everybody's data key; all values are sealed anew.
    index: the pepper of the codes that people are looked up by.
    """
    if retire and keys is not Keys.ROOT:
        raise typer.BadParameter("--retire is for root keys; the others give up their earlier ones by themselves.")
    if rate is not None and keys is Keys.SIGNING:
        raise typer.BadParameter("--rate is for keys of people's data.")
    if keys is not Keys.SIGNING:
        if now or leaked:
            raise typer.BadParameter("--now and --leaked are for signing keys.")
        rotate(load_settings(os.environ), keys.value, rate=rate, retire=retire)
        return
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
