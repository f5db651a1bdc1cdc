"""`fieldward roles`: who is staff. The first administrator is made here."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from textwrap import TextWrapper
from typing import Annotated, Final, TypeVar

import typer

from auth.mail import Notice
from auth.reasons import LEAST, MOST
from auth.revocations import Revocations
from auth.roles import MESSAGES, Holder, RoleProblem, Roles
from graph.commands.opening import with_database
from graph.commands.posting import outbox_of
from graph.settings import Settings, load_settings
from models.base import now
from models.database import Database
from models.errors import BadInput
from models.importing.rejection import Refused
from models.vocabulary import Role

T = TypeVar("T")
Change = Callable[[Roles, str], Awaitable[None]]
Who = Annotated[str, typer.Argument(metavar="PERSON", help="User name, email address or id.")]
Which = Annotated[str, typer.Argument(metavar="ROLE", help=f"One of {', '.join(Role)}.")]
Reason = Annotated[str, typer.Option(help=f"Why, in {LEAST} to {MOST} characters; it is kept with the role.")]
Days = Annotated[int | None, typer.Option(min=1, max=3650, help="It ends by itself after so many days.")]
_WIDTH: Final = 80
_ROLE: Final = 11
_NOBODY: Final = "Nobody has a role. Make the first administrator: fieldward roles grant PERSON ADMIN --reason ..."


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    group = typer.Typer(help="Give and take staff roles, and see who has one.", no_args_is_help=True)
    app.add_typer(group, name="roles")
    group.command("grant")(_grant)
    group.command("revoke")(_revoke)
    group.command("list")(_list)


def _grant(person: Who, role: Which, reason: Reason, days: Days = None) -> None:
    """Give a person a role. It counts within a second, wherever they are signed in."""
    which, ends = _role(role), None if days is None else now() + timedelta(days=days)
    found = _change(
        person,
        Notice.ROLE_GRANTED,
        which,
        lambda roles, whom: roles.grant(whom, which, reason, by=None, expires_at=ends),
    )
    typer.echo(f"{found} is {which}{'' if ends is None else f' until {_moment(ends)}'}.")


def _revoke(person: Who, role: Which, reason: Reason) -> None:
    """Take a role from a person. It ends within a second."""
    which = _role(role)
    found = _change(person, Notice.ROLE_REVOKED, which, lambda roles, whom: roles.revoke(whom, which, reason, by=None))
    typer.echo(f"{found} is {which} no more.")


def _list(
    role: Annotated[str | None, typer.Option(metavar="ROLE", help="Only this role.")] = None,
) -> None:
    """Show who was given a role, by whom, why, and until when."""

    only = None if role is None else _role(role)

    async def find(database: Database) -> Sequence[Holder]:
        return await Roles(database, Revocations(database)).list(only)

    found = _on_database(load_settings(os.environ), find)
    for (name, person), grants in groupby(found, lambda it: (it.username, it.person)):
        typer.echo(f"{name}\n  {person}")
        for each in grants:
            typer.echo(_line(each, now()))
    if not found:
        typer.echo(_NOBODY if only is None else f"Nobody is {only}.")


def _change(name: str, notice: Notice, role: Role, change: Change) -> str:
    """Make a change, tell the person, and return their id. Raises `BadInput`."""
    settings = load_settings(os.environ)

    async def run(database: Database) -> str:
        roles = Roles(database, Revocations(database))
        person = await roles.find(name)
        if person is None:
            raise BadInput(MESSAGES[RoleProblem.NOT_FOUND], path=("person",))
        try:
            await change(roles, person)
        except Refused as refused:
            raise BadInput(f"The reason must be text of {LEAST} to {MOST} characters.", path=("reason",)) from refused
        outbox = outbox_of(settings, database)
        outbox.notify(person, notice, role=role.value)
        await outbox.stop()
        return person

    return _on_database(settings, run)


def _role(text: str) -> Role:
    try:
        return Role(text.upper())
    except ValueError:
        raise BadInput(f"A role is one of {', '.join(Role)}.", path=("role",)) from None


def _on_database(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    return with_database(settings, lambda line: typer.echo(line, err=True), work)


def _line(holder: Holder, at: datetime) -> str:
    """A role, until when, who gave it and why, on lines of 80 columns."""
    grant = holder.grant
    ends = "until revoked"
    if grant.expires_at is not None:
        ends = f"{'until' if grant.expires_at > at else 'ended'} {_moment(grant.expires_at)}"
    since = "" if grant.granted_at is None else f"since {_moment(grant.granted_at)}, "
    # What was there before grants said so names nobody.
    by = grant.granted_by or ("an operator" if grant.granted_at else "nobody named")
    words = f"{since}{ends}, by {by}{f': {grant.reason}' if grant.reason else ''}"
    indent = f"  {grant.role:<{_ROLE}}"
    return TextWrapper(_WIDTH, indent, " " * len(indent), break_on_hyphens=False).fill(words)


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
