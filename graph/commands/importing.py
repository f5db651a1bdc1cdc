"""`fieldward import`: existing people from CSV or JSON Lines."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from graph.commands.opening import with_database
from graph.commands.progress import Bar
from graph.settings import load_settings
from models.database import Database
from models.errors import BadInput, ConfigurationError
from models.importing.mapping import ColumnMapping, target_of
from models.importing.runner import Import, Progress, Summary
from models.importing.source import Format, open_source

EXIT_REJECTED: Final = 2  # everything else was imported
_MAX_BATCH: Final = 10_000

File = Annotated[Path, typer.Argument(metavar="FILE", help="CSV or JSON Lines in UTF-8, also compressed with gzip.")]
Maps = Annotated[list[str] | None, typer.Option("--map", metavar="FIELD=COLUMN", help="Take FIELD from COLUMN.")]
Defaults = Annotated[
    list[str] | None, typer.Option("--default", metavar="FIELD=VALUE", help="For rows that leave FIELD empty.")
]
FormatOption = Annotated[Format | None, typer.Option("--format", help="Without it the name of the file decides.")]
Region = Annotated[str | None, typer.Option(metavar="REGION", help="Must be the region of this database.")]
BatchSize = Annotated[int, typer.Option("--batch", min=1, max=_MAX_BATCH, help="Rows per batch and checkpoint.")]
Rejects = Annotated[
    Path | None, typer.Option("--rejects", metavar="FILE", help="Where the report of rejected rows goes.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything, store nothing.")]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @app.command(name="import")
    def import_file(
        file: File,
        maps: Maps = None,
        defaults: Defaults = None,
        format_: FormatOption = None,
        region: Region = None,
        batch: BatchSize = 1000,
        rejects: Rejects = None,
        dry_run: DryRun = False,
    ) -> None:
        """Bring in existing people. Run it again after an interruption: it goes on where it stopped.

        Exits with 0, with 2 when rows were rejected, with 1 when it could not be done.
        """
        mapping = column_mapping(maps or (), defaults or ())
        _run(ImportOptions(file, mapping, rejects, format_, batch, dry_run), region)


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What a caller of the command may choose."""

    path: Path
    mapping: ColumnMapping
    rejects: Path | None = None
    format: Format | None = None
    batch: int = 1000
    dry: bool = False


def _run(options: ImportOptions, region: str | None) -> None:
    settings = load_settings(os.environ)
    if region not in (None, settings.region):
        raise ConfigurationError("--region is not the region of this database (FIELDWARD_REGION).")
    console = Console(stderr=True)
    summary = with_database(
        settings,
        lambda line: typer.echo(line, err=True),
        lambda database: import_people(database, options, region=settings.region, console=console),
    )
    for line in describe(summary, dry=options.dry):
        typer.echo(line)
    if summary.rejected:
        raise typer.Exit(EXIT_REJECTED)


async def import_people(database: Database, options: ImportOptions, *, region: str, console: Console) -> Summary:
    """Import one file with a progress bar. Raises `BadInput` when it cannot be read as what it should be."""
    if not options.path.is_file():
        raise BadInput("There is no such file to import.")
    try:
        source = open_source(options.path, options.mapping, options.format)
    except OSError:
        raise BadInput("The file cannot be read.") from None
    with source, Bar("import", source.size, console) as bar:
        running = Import(
            database=database,
            path=options.path,
            source=source,
            mapping=options.mapping,
            region=region,
            rejects=options.rejects,
            batch=options.batch,
            dry=options.dry,
        )
        return await running.run(lambda state: _show(bar, state))


def _show(bar: Bar, state: Progress) -> None:
    bar.update(state.read, rows=state.rows, before=state.before)


def column_mapping(maps: Iterable[str], defaults: Iterable[str]) -> ColumnMapping:
    """Read `--map email=E-Mail` and `--default country=DE`. Raises `BadInput`."""
    return ColumnMapping(explicit=dict(_pairs("--map", maps)), defaults=dict(_pairs("--default", defaults)))


def _pairs(option: str, texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not value.strip():
            raise BadInput(f"{option} is written FIELD=VALUE.")
        yield target_of(name.strip()), value.strip()


def describe(summary: Summary, *, dry: bool) -> list[str]:
    """The summary in plain lines; names of fields and columns, never a value."""
    verb = "would be imported" if dry else "imported"
    lines = [f"{summary.imported:,} {verb}, {summary.unchanged:,} there already, {summary.rejected:,} rejected"]
    if summary.resumed_at is not None:
        lines.insert(0, f"went on at line {summary.resumed_at:,} where an earlier run stopped")
    lines += [f"  {code}: {count:,}" for code, count in summary.codes.items()]
    if summary.unknown:
        lines.append(f"columns not imported: {', '.join(summary.unknown)}")
    if summary.rejects is not None:
        lines.append(f"report of rejected rows: {summary.rejects}")
    return lines
