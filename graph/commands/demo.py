"""The demo: people and a service that everybody may sign in as, so never in production."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from auth.passwords import Passwords
from auth.principal import Scope
from models.base import now
from models.client import ClientDocument, ClientSecret
from models.database import Database
from models.demo import DEMO_PEOPLE, DEMO_USERNAMES, is_loaded, seed_demo
from models.errors import ConfigurationError, Conflict
from models.people.moments import day_of
from models.vocabulary import Access, Label, Purpose

DEMO_PASSWORD: Final = "fieldward-demo-password"  # noqa: S105 - published on purpose, refused in production
DEMO_CLIENT: Final = "demo-service"
DEMO_SECRET: Final = "fieldward-demo-secret"  # noqa: S105 - published on purpose, refused in production
_SCOPES: Final = (Scope(Label.CONTACT, Access.READ), Scope(Label.NAME, Access.READ))


async def load_demo(
    database: Database, passwords: Passwords, *, region: str, production: bool, people: int = DEMO_PEOPLE
) -> bool:
    """Load the demo once, with `people` invented ones; returns whether it was loaded now.

    Raises `ConfigurationError` in production.
    """
    refuse_in_production(production=production)
    if await is_loaded(database):
        return False
    await _add_client(database)  # first: what marks the demo as loaded comes last
    password_hash = await passwords.hash(DEMO_PASSWORD)
    return await seed_demo(database, region=region, password_hash=password_hash, epoch=day_of(now()), people=people)


def refuse_in_production(*, production: bool) -> None:
    """Raise `ConfigurationError` where invented people must not be."""
    if production:
        raise ConfigurationError("Demo and invented people are not loaded in production (FIELDWARD_ENV).")


def sign_ins() -> list[str]:
    """What to print for someone who wants to try it out, one line each."""
    return [
        f"People: {', '.join(DEMO_USERNAMES)} (or <name>@demo.example), password {DEMO_PASSWORD}",
        f"Service: {DEMO_CLIENT}, secret {DEMO_SECRET}",
    ]


async def _add_client(database: Database) -> None:
    """Register the demo service; its secret is fixed, so it cannot be made by `Clients.add`."""
    client = ClientDocument(
        id=DEMO_CLIENT,
        name="Demo service",
        scopes=sorted(map(str, _SCOPES)),
        purposes=[Purpose.SUPPORT],
        secrets=[ClientSecret(hash=sha256(DEMO_SECRET.encode()).digest())],
    )
    try:
        await database.insert(client)
    except Conflict:
        return  # it is there from a start that was interrupted
