"""The `fieldward` command: each subcommand has a module in `graph/commands`."""

from __future__ import annotations

import sys

import typer

from graph.commands import clients, database, explain, factors, importing, keys, roles, schema, seed, serve
from models.errors import FieldwardError

COMMANDS = (serve, seed, importing, clients, roles, factors, keys, database, schema, explain)


def build() -> typer.Typer:
    """The application with all its commands."""
    app = typer.Typer(
        help="Fieldward: a user-data service that hands each client only what its role and purpose allow.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,  # they print local variables, and those may hold anything
    )
    for command in COMMANDS:
        command.register(app)
    return app


def main() -> None:
    """Run the command; what is wrong is said in one line."""
    try:
        build()()
    except FieldwardError as error:
        typer.echo(f"fieldward: {error.message}", err=True)
        sys.exit(1)
