"""`fieldward schema`: writes the SDL that the repository keeps, or tells whether it is current."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from graph.schema import sdl

FILE: Final = Path("schema.graphql")


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @app.command()
    def schema(
        check: Annotated[
            bool, typer.Option("--check", help="Write nothing; exit 1 when the file is not current.")
        ] = False,
        path: Annotated[Path, typer.Option(help="The file.")] = FILE,
    ) -> None:
        """Write schema.graphql from the code."""
        current = sdl()
        if not check:
            path.write_text(current)
            typer.echo(f"{path} written")
        elif not path.is_file() or path.read_text() != current:
            typer.echo(f"{path} is not current: run `fieldward schema` and commit it", err=True)
            raise typer.Exit(1)
        else:
            typer.echo(f"{path} is current")
