"""The workbench's example queries fit the schema."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

ROOT: Final = Path(__file__).resolve().parents[3]
EXAMPLES: Final = re.findall(r"(?:query:|WELCOME =) `([^`]+)`", (ROOT / "workbench/src/examples.js").read_text())


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    """The schema as it is published."""
    return build_schema((ROOT / "schema.graphql").read_text())


def test_there_are_examples() -> None:
    """Each demo sign-in but the minor's, and nobody, has at least one."""
    assert len(EXAMPLES) >= 12


@pytest.mark.parametrize("query", EXAMPLES, ids=lambda query: parse(query).definitions[0].to_dict()["name"]["value"])
def test_an_example_is_valid(schema: GraphQLSchema, query: str) -> None:
    """Whoever may run it."""
    assert validate(schema, parse(query)) == []
