"""The README says what the code does: names, defaults, statuses, examples, messages."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import pytest
import typer
from graphql import GraphQLSchema, parse, validate

from auth.break_glass import BreakGlassProblem
from auth.policy import Policy
from auth.principal import Kind, Shape
from auth.purposes import PURPOSES
from auth.roles import RoleProblem
from auth.rules import RULES, purposes_of_person
from auth.screening import Problem
from graph.catalogue import read_catalogue
from graph.cli import build
from graph.errors import STATUS
from graph.http import CSRF
from graph.limits import Limits
from graph.mail_settings import ACCOUNT_PATH
from graph.schema import build as build_schema
from graph.schema import graphql_schema
from graph.settings import RESERVED, Settings
from graph.storage_settings import PREFIX
from models.labels import BULLET
from models.vocabulary import Outcome, Purpose, Reason, Relation, Role

ROOT: Final = Path(__file__).parents[2]
README: Final = (ROOT / "README.md").read_text()
Row = tuple[str, ...]


def table(heading: str, *columns: str) -> list[Row]:
    """The rows of the first table with these first `columns` beneath a heading; backquotes are taken off."""
    section = README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    assert section, f"README has no section {heading}"
    rows = [tuple(cell.strip() for cell in line[1:-1].split(" | ")) for line in section.splitlines() if line[:1] == "|"]
    start = next(index for index, row in enumerate(rows) if row[: len(columns)] == columns)
    found: list[Row] = []
    for row in rows[start + 2 :]:
        if set(row[0]) <= {"-"} or len(row) != len(rows[start]):
            break
        found.append(tuple(cell.replace("`", "") for cell in row))
    return found


def column(heading: str, *columns: str) -> list[str]:
    """The first column of that table."""
    return [row[0] for row in table(heading, *columns)]


def blocks(kind: str) -> list[str]:
    """The fenced blocks of one kind in the README."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    """The schema as it is served."""
    return graphql_schema(build_schema())


def test_every_setting_is_told_with_its_default() -> None:
    """And none that there is not."""
    words = {"None": "unset", "": "http://127.0.0.1:PORT", "frozenset()": "none"}
    defaults = {name: str(field.default) for name, field in Settings.model_fields.items()}
    defaults["account_url"] = f"{PREFIX}ISSUER{ACCOUNT_PATH}"
    defaults["step_up"] = "off"
    assert {row[0]: row[1] for row in table("Settings", "variable", "default")} == {
        PREFIX + name.upper(): words.get(default, default) for name, default in defaults.items()
    }


@pytest.mark.parametrize("name", RESERVED)
def test_what_is_kept_for_later_is_told(name: str) -> None:
    """Nobody should look for what a refused variable does."""
    assert f"`{PREFIX}{name}`" in README


def test_every_purpose_is_told_as_the_registry_says() -> None:
    """Its plain name, lawful basis and retention."""
    assert [row[:4] for row in table("Purposes", "purpose", "in plain words")] == [
        (key, spec.name, spec.basis, str(spec.retention_days)) for key, spec in PURPOSES.items()
    ]


def test_who_carries_a_purpose_is_told() -> None:
    """Roles by the rules that name them; people as their tokens have it."""
    for row in table("Purposes", "purpose", "in plain words"):
        roles = {role for role in Role if any(rule.who is role and row[0] in rule.purposes for rule in RULES)}
        assert set(re.findall(r"\b[A-Z]{4,}\b", row[4])) == roles
        own = "people without a role" in row[4] or "everybody who signs in" in row[4]
        assert own == (row[0] in purposes_of_person(frozenset())), row[0]


def test_every_role_is_told() -> None:
    """In the order of the vocabulary."""
    assert column("Purposes", "role") == list(Role)


def test_every_reason_is_told() -> None:
    """Those that are kept for later too."""
    assert column("When a field is denied", "reason", "meaning") == list(Reason)


def test_every_error_code_is_told_with_its_status() -> None:
    """Of GraphQL and of HTTP."""
    told = {row[0]: int(row[1]) for row in table("Errors", "code", "status")}
    assert told == {**STATUS, CSRF: 403}


def test_every_domain_failure_is_told() -> None:
    """Found where mutations note them."""
    sources = "".join(path.read_text() for path in (ROOT / "graph" / "mutations").glob("*.py"))
    noted = set(re.findall(r"\.add\(\s*\"([A-Z_]+)\"", sources)) | set(
        re.findall(r"^    \"([A-Z_]+)\": ", sources, re.MULTILINE)
    )
    assert len(noted) > 10
    noted |= {*Problem, *RoleProblem, *BreakGlassProblem}
    assert {code for code in noted if f"`{code}`" not in README} == set()


def test_every_limit_is_told_with_its_default() -> None:
    """And no other."""
    told = [(row[0], row[1]) for row in table("Limits", "limit", "default")]
    assert told == [(field.name, f"{field.default:,.0f}") for field in fields(Limits)]


def test_every_mutation_is_told(schema: GraphQLSchema) -> None:
    """And no other."""
    assert schema.mutation_type is not None
    assert set(column("Mutations", "mutation")) == set(schema.mutation_type.fields)


def commands() -> Iterator[str]:
    """All commands with their subcommands, as they are typed."""
    group: Any = typer.main.get_command(build())
    for name, command in group.commands.items():
        yield from (f"{name} {inner}" for inner in command.commands) if hasattr(command, "commands") else (name,)


def test_every_command_is_told() -> None:
    """And no other. `fieldward clients add, list` names two."""
    told = set()
    for row in table("Commands", "command"):
        words = re.sub(r" (?:--\S+|[A-Z]+)", "", row[0].removeprefix("fieldward ")).replace(",", "").split()
        told |= {" ".join((words[0], inner)) for inner in words[1:]} if words[1:] else {words[0]}
    assert told == set(commands())


def test_the_first_table_is_what_the_policy_decides(schema: GraphQLSchema) -> None:
    """Who sees what in clear, masked or not at all, and why not."""
    policy, catalogue = Policy("eu"), read_catalogue(schema)
    header = next(line for line in README.splitlines() if line.startswith("| signed in as |"))
    names = [cell.strip() for cell in header.strip("| ").split("|")][2:]
    for who, purpose, *cells in table("A first query", "signed in as", "purpose"):
        roles = frozenset({Role(who.upper())} if who.upper() in Role.__members__ else ())
        relation = Relation.SELF if who == "subject" else Relation.OTHER
        for name, cell in zip(names, cells, strict=True):
            label = catalogue.claim(f"User.{name}").label
            decision = policy.decide(Shape(Kind.PERSON, roles, region="eu"), Purpose(purpose), label, relation)
            expected = f"null ({decision.reason})" if decision.outcome is Outcome.DENIED else cell
            assert cell == expected, (who, purpose, name)
            assert cell.startswith("null") == (decision.outcome is Outcome.DENIED), (who, purpose, name)
            assert (BULLET in cell) == (decision.outcome is Outcome.MASKED), (who, purpose, name)


def documents() -> list[str]:
    """Every GraphQL document in the README: blocks of their own, in commands, and in the text."""
    sent = [json.loads(f'"{text}"') for text in re.findall(r'"query": "((?:[^"\\]|\\.)*)"', README)]
    said = re.findall(r"`((?:query|mutation)\b[^`]*\}|\{ [^`]+ \})`", README)
    return [*blocks("graphql"), *sent, *said]


@pytest.mark.parametrize("text", documents())
def test_examples_fit_the_schema(schema: GraphQLSchema, text: str) -> None:
    """Copied, they run."""
    assert [error.message for error in validate(schema, parse(text))] == []


@pytest.mark.parametrize("text", blocks("json"))
def test_answers_are_answers(text: str) -> None:
    """A GraphQL response: data or errors, and whole."""
    assert json.loads(text).keys() & {"data", "errors"}


def messages() -> list[str]:
    """Every text in the code, `...` in the place of what is filled in."""
    found: list[str] = []
    for path in (file for part in ("auth", "graph", "models") for file in (ROOT / part).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                found.append("".join(str(v.value) if isinstance(v, ast.Constant) else "..." for v in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return found


def test_start_up_messages_are_those_of_the_code() -> None:
    """Each piece of a quoted line, in its order, in one text."""
    known = messages()
    for said in column("When it does not start", "it says"):
        pieces = [piece.strip() for piece in re.split(r"\.\.\.|\b\d+\b|FIELDWARD_\w+:?", said)]
        pattern = re.compile(".*".join(re.escape(piece) for piece in pieces if piece), re.DOTALL)
        assert any(pattern.search(text) for text in known), said
