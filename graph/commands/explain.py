"""`fieldward explain`: what would become of a client team's operations. Needs no server and no database."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import orjson
import typer
from typer.core import TyperCommand

from auth.policy import Policy
from auth.principal import PROVEN, Kind, Principal, Scope, Shape
from auth.rules import purposes_lent, purposes_of_person
from graph.catalogue import read_catalogue
from graph.documents import Documents
from graph.explaining.explainer import Explainer
from graph.explaining.folder import File, Piece, pieces, read
from graph.limits import Limits
from graph.plan import Planner
from graph.schema import build, graphql_schema
from graph.settings import MAX_PAGE
from graph.storage_settings import PREFIX
from graph.types.access import AccessDecision, AccessEntry, AccessProblem, AccessReport, AccessVerdict
from models.errors import BadInput
from models.vocabulary import Outcome, Purpose, Role

T = TypeVar("T")
Checked = tuple[Piece, AccessReport]

DENIED: Final = 2
ERROR: Final = 1
_REGION: Final = "here"  # any: who asks belongs to the region that answers
# Typer has no public name for "the command line is wrong".
_UsageError: Final[Any] = typer.BadParameter.__mro__[1]


class Format(StrEnum):
    """How the report is written."""

    TEXT = "text"
    JSON = "json"


class _Command(TyperCommand):
    """A wrong command line is an error like any other here: 2 says that something is denied."""

    def make_context(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - as in the base class
        try:
            return super().make_context(*args, **options)
        except _UsageError as error:
            error.exit_code = ERROR
            raise


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("explain", cls=_Command)(_explain)


def _explain(
    paths: Annotated[list[Path], typer.Argument(help="Files of operations, or folders of them.", show_default=False)],
    role: Annotated[list[str] | None, typer.Option(help="A staff role, like SUPPORT. Repeat for more.")] = None,
    scope: Annotated[
        list[str] | None, typer.Option(help="What a service may do, like user.contact:read. Repeat for more.")
    ] = None,
    purpose: Annotated[str | None, typer.Option(help="What for, as the header Data-Purpose would say.")] = None,
    format: Annotated[Format, typer.Option(help="text or json.")] = Format.TEXT,  # noqa: A002 - the option's name
) -> None:
    """Check operations against the policy. Exit code 0: allowed; 2: something is denied; 1: an error.

    Without a role or scope they are asked by a person without a role; people have done every step-up, and
    what asks for one is said. With --purpose EMERGENCY they have broken the glass, if their role may. An @purpose in
    an operation comes before --purpose, as in a request. FIELDWARD_MAX_PAGE counts as it does for a server.
    """
    who = _who(role or [], scope or [], purpose)
    files = read(paths)
    broken = [file for file in files if file.problem is not None]
    explainer = _explainer()
    checked = [(it, explainer.explain(it.text, it.name, who, purpose)) for it in pieces(files)]
    if not checked and not broken:
        raise BadInput("There is no operation in these files.")
    typer.echo(_json(broken, checked) if format is Format.JSON else "\n".join(_text(broken, checked)))
    code = _code(broken, checked)
    if code:
        raise typer.Exit(code)


def _who(roles: Sequence[str], scopes: Sequence[str], purpose: str | None) -> Principal:
    if roles and scopes:
        raise BadInput("Give roles for a person or scopes for a service, not both.")
    held = frozenset(_known("role", Role, Role, role) for role in roles)
    chosen = None if purpose is None else _known("purpose", Purpose, Purpose, purpose)
    if not scopes:
        purposes = purposes_of_person(held) | purposes_lent(held, chosen)
        return Principal(Shape(Kind.PERSON, held, region=_REGION, assurance=PROVEN), purposes=purposes)
    covered = frozenset(_known("scope", Scope.parse, ("user.contact:read",), scope) for scope in scopes)
    purposes = frozenset(Purpose) if chosen is None else frozenset({chosen})
    return Principal(Shape(Kind.SERVICE, scopes=covered, region=_REGION), purposes=purposes)


def _known(kind: str, make: Callable[[str], T], examples: Any, text: str) -> T:  # noqa: ANN401 - names to show
    try:
        return make(text)
    except ValueError:
        raise BadInput(f"{text!r} is no {kind}; for example: {', '.join(map(str, examples))}.") from None


def _explainer() -> Explainer:
    schema, policy = graphql_schema(build()), Policy(_REGION, step_up=True)
    catalogue = read_catalogue(schema)
    return Explainer(schema, Documents(schema, _limits()), Planner(schema, catalogue), catalogue, policy)


def _limits() -> Limits:
    """Those of a server with this environment, of which nothing else matters here."""
    given = os.environ.get(f"{PREFIX}MAX_PAGE")
    if not given:
        return Limits()
    try:
        size = int(given)
    except ValueError:
        size = 0
    if not 1 <= size <= MAX_PAGE:
        raise BadInput(f"{PREFIX}MAX_PAGE must be a whole number from 1 to {MAX_PAGE}.")
    return Limits(max_page=size)


def _code(broken: Sequence[File], checked: Sequence[Checked]) -> int:
    verdicts = {report.verdict for _piece, report in checked}
    if broken or AccessVerdict.INVALID in verdicts:
        return ERROR
    return DENIED if verdicts & {AccessVerdict.REFUSED, AccessVerdict.PARTIAL} else 0


def _text(broken: Sequence[File], checked: Sequence[Checked]) -> Iterator[str]:
    for file in broken:
        message, line, column = file.problem or ("", 1, 1)
        yield f"{file.path}:{line}:{column}: INVALID"
        yield f"  {message}"
    for piece, report in checked:
        purpose = f" for {report.purpose}" if report.purpose else ""
        yield f"{piece.path}:{piece.line}: {piece.name or 'the operation'}: {report.verdict}{purpose}"
        for problem in report.problems:
            yield f"  {_where(piece, problem)}{problem.message}"
        for entry in _denied(report):
            yield from _lines(piece, entry)
        yield from (f"  {note}" for note in report.notes)
    counts = _counts(broken, checked)
    yield f"{sum(counts.values())} checked: {', '.join(f'{count} {key}' for key, count in counts.items() if count)}"


def _denied(report: AccessReport) -> list[AccessEntry]:
    """What to show of a refusal: what is denied on every row, or else what is on another's."""
    if report.verdict not in (AccessVerdict.REFUSED, AccessVerdict.PARTIAL):
        return []
    certain = [entry for entry in report.entries if entry.certain]
    wholly = [entry for entry in certain if all(map(_is_denial, _decisions(entry)))]
    return wholly or [entry for entry in certain if any(map(_is_denial, _decisions(entry)))] or report.entries


def _decisions(entry: AccessEntry) -> list[AccessDecision]:
    return [decision for decision in (entry.others, entry.own) if decision is not None]


def _is_denial(decision: AccessDecision) -> bool:
    return decision.outcome is Outcome.DENIED


def _lines(piece: Piece, entry: AccessEntry) -> Iterator[str]:
    decision = next((it for it in _decisions(entry) if _is_denial(it)), None)
    via = f" by {entry.via}" if entry.via else ""
    if decision is not None:
        yield f"  {_where(piece, entry)}{entry.coordinate} ({entry.use}{via}): {decision.reason}, {decision.rule}."
        yield f"      {decision.remedy}"


def _where(piece: Piece, entry: AccessEntry | AccessProblem) -> str:
    if entry.line is None:
        return ""
    path, line = piece.place(entry.line)
    return f"{path}:{line}:{entry.column}: "


def _json(broken: Sequence[File], checked: Sequence[Checked]) -> str:
    operations = [
        {"file": str(file.path), "verdict": AccessVerdict.INVALID, "problems": [_problem(file)]} for file in broken
    ]
    operations += [{"file": str(piece.path), **_report(piece, report)} for piece, report in checked]
    report = {"exitCode": _code(broken, checked), "counts": _counts(broken, checked), "operations": operations}
    return orjson.dumps(report, option=orjson.OPT_INDENT_2).decode()


def _problem(file: File) -> dict[str, object]:
    message, line, column = file.problem or ("", 1, 1)
    return {"file": str(file.path), "message": message, "code": "GRAPHQL_PARSE_FAILED", "line": line, "column": column}


def _report(piece: Piece, report: AccessReport) -> dict[str, Any]:
    """As `explainAccess` names it; places are those in the files."""
    found: dict[str, Any] = _camel(asdict(report))
    for entry in (*found["entries"], *found["problems"]):
        if entry["line"] is not None:
            path, entry["line"] = piece.place(entry["line"])
            entry["file"] = str(path)
    return found


def _camel(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return {_name(key): _camel(inner) for key, inner in value.items()}
    return [_camel(inner) for inner in value] if isinstance(value, list) else value


def _name(key: str) -> str:
    head, *rest = key.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _counts(broken: Sequence[File], checked: Sequence[Checked]) -> dict[str, int]:
    verdicts = [*(AccessVerdict.INVALID for _ in broken), *(report.verdict for _piece, report in checked)]
    return {verdict.lower(): verdicts.count(verdict) for verdict in AccessVerdict}
