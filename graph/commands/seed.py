"""`fieldward seed`: invented people for trying out and for measurements."""

from __future__ import annotations

import os
from typing import Annotated, Final

import typer
from rich.console import Console

from graph.commands.demo import refuse_in_production
from graph.commands.opening import with_database
from graph.commands.progress import Bar
from graph.settings import load_settings
from models.database import Database
from models.seeding import seed_people

DEFAULT_SEED: Final = 1

Users = Annotated[int, typer.Option(min=1, max=10_000_000, help="How many people.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same people.")]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @app.command()
    def seed(users: Users, seed: Seed = DEFAULT_SEED) -> None:
        """Add invented people from twenty locales, with devices, addresses and events. Not in production."""
        settings = load_settings(os.environ)
        refuse_in_production(production=settings.production)
        console = Console(stderr=True)

        async def work(database: Database) -> int:
            with Bar("seed", users, console) as bar:
                return await seed_people(
                    database,
                    users,
                    seed=seed,
                    region=settings.region,
                    progress=lambda done: bar.update(done, rows=done),
                )

        new = with_database(settings, lambda line: typer.echo(line, err=True), work)
        typer.echo(f"{new:,} people added, {users - new:,} there already")
