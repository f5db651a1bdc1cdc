"""`fieldward factors`: what a person proves themself by, and taking it away when it is lost or not theirs."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from textwrap import TextWrapper
from typing import Annotated, Final, TypeVar

import typer

from auth.factors import FactorProblem, FactorRefused
from auth.factors.removal import Held, Past, Removal, Removed
from auth.mail import Notice
from auth.reasons import LEAST, MOST
from auth.revocations import Revocations
from auth.roles import MESSAGES, RoleProblem, Roles
from graph.commands.opening import with_database
from graph.commands.posting import outbox_of
from graph.settings import Settings, load_settings
from models.database import Database
from models.errors import BadInput
from models.importing.rejection import Refused

T = TypeVar("T")
Who = Annotated[str, typer.Argument(metavar="PERSON", help="User name, email address or id.")]
Which = Annotated[
    str | None,
    typer.Argument(metavar="FACTOR_ID", help="One factor, as `factors list` shows it.", show_default=False),
]
All = Annotated[bool, typer.Option("--all", help="All of the person's factors, with the recovery codes.")]
Reason = Annotated[str, typer.Option(help=f"Why, in {LEAST} to {MOST} characters; it is kept.")]
_WIDTH: Final = 80
_NONE: Final = "This person has no second factor."
_NO_SUCH: Final = "This person has no such factor."
_ENDED: Final = "ended, as it was too short to be alone; ask for a link to a new one"
_PASSWORD: Final = "Their password was too short to be alone and holds no more: a link by mail gives a new one."  # noqa: S105 - words


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    group = typer.Typer(help="See people's second factors, and remove lost or foreign ones.", no_args_is_help=True)
    app.add_typer(group, name="factors")
    group.command("list")(_list)
    group.command("remove")(_remove)


def _list(person: Who) -> None:
    """Show a person's second factors, without their secrets, and what operators have removed before."""

    async def find(_database: Database, removal: Removal, whom: str) -> list[str]:
        held, past = await removal.held(whom), await removal.past(whom)
        shown = [line for each in held for line in _lines(each)] if held else [f"  {_NONE}"]
        return [whom, *shown, *(line for each in past for line in _past(each))]

    for line in _on_person(load_settings(os.environ), person, find):
        typer.echo(line)


def _remove(person: Who, reason: Reason, factor: Which = None, everything: All = False) -> None:
    """Remove one factor of a person, or all. Their sessions end, and they are told by mail.

    Make sure before, by other ways, whom you are speaking with: a second factor is there because passwords get lost.
    """
    if (factor is None) is not everything:
        raise BadInput("Name one factor, or say --all.", path=("factor",))
    settings = load_settings(os.environ)

    async def remove(database: Database, removal: Removal, whom: str) -> tuple[str, Removed]:
        try:
            removed = await removal.remove(whom, factor, reason)
        except Refused as refused:
            raise BadInput(f"The reason must be text of {LEAST} to {MOST} characters.", path=("reason",)) from refused
        except FactorRefused as refused:
            if refused.problem is not FactorProblem.NOT_FOUND:
                raise
            raise BadInput(_NONE if everything else _NO_SUCH, path=("factor",)) from refused
        outbox, password = outbox_of(settings, database), {"password": _ENDED} if removed.password else {}
        outbox.notify(whom, Notice.FACTOR_REMOVED, removed_by="an operator of this service", **password)
        await outbox.stop()
        return whom, removed

    whom, removed = _on_person(settings, person, remove)
    typer.echo(f"Removed of {whom}:")
    for each in removed.factors:
        typer.echo(f"  {each.id} {each.kind}")
    typer.echo("All their sessions have ended.")
    if removed.password:
        typer.echo(_PASSWORD)


def _on_person(settings: Settings, name: str, work: Callable[[Database, Removal, str], Awaitable[T]]) -> T:
    """Run `work` for the person of this id, user name or address. Raises `BadInput` where there is none."""

    async def run(database: Database) -> T:
        revocations = Revocations(database)
        whom = await Roles(database, revocations).find(name)
        if whom is None:
            raise BadInput(MESSAGES[RoleProblem.NOT_FOUND], path=("person",))
        return await work(database, Removal(database, revocations), whom)

    return with_database(settings, lambda line: typer.echo(line, err=True), run)


def _lines(held: Held) -> Iterator[str]:
    """The id alone on its line, to be copied, and then what there is to know."""
    name = "" if held.name is None else f" {held.name},"
    yield f"  {held.id}"
    yield _wrapped(f"{held.kind},{name} created {_moment(held.created_at)}, last used {_moment(held.last_used_at)}")


def _past(removal: Past) -> Iterator[str]:
    kinds = ", ".join(removal.kinds)
    yield f"  removed {_moment(removal.at)} by an operator"
    yield _wrapped(f"{kinds}: {removal.reason}")


def _wrapped(text: str) -> str:
    return TextWrapper(_WIDTH, "    ", "    ", break_on_hyphens=False).fill(text)


def _moment(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"
