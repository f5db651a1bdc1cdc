"""The hooks of the executor are really called: a new version that no longer does fails here."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from graphql import parse
from graphql.execution.values import VariableValues, get_variable_values

from graph.context import Context
from graph.executor import RowExecutor
from graph.rendering import Tally
from graph.rows import Judge, Row, RowList, read_attribute
from graph.schema import build, graphql_schema
from models.reading import Loaded
from models.vocabulary import Relation

OWN = (Relation.SELF, None)


class Recording:
    """Stands in for a context: notes what it was asked to render."""

    by_rows = True

    def __init__(self) -> None:
        self.rows: list[tuple[str, ...]] = []
        self.lists: list[tuple[str, ...]] = []

    def render(self, _row: Row, position: tuple[str, ...]) -> dict[str, Any]:
        """A row at a place."""
        self.rows.append(position)
        return {"rendered": True}

    def render_all(self, loaded: Loaded, position: tuple[str, ...]) -> list[dict[str, Any]]:
        """Rows at a place."""
        self.lists.append(position)
        return [{"rendered": True} for _ in loaded.raws]


def execute(text: str, root: object) -> tuple[Any, Recording]:
    """Run a query over plain objects with the row executor."""
    schema = graphql_schema(build())
    document = parse(text)
    operation: Any = document.definitions[0]
    variables = get_variable_values(schema, (), {})
    assert isinstance(variables, VariableValues)
    recording = Recording()
    for field in schema.query_type.fields.values():  # type: ignore[union-attr]  # it is there, or the test fails
        field.resolve = lambda source, info, **_: read_attribute(source, info.field_name)
    for field in schema.type_map["UserConnection"].fields.values():  # type: ignore[attr-defined]  # the library's own, which its types leave out
        field.resolve = lambda source, info, **_: read_attribute(source, info.field_name)
    executor = RowExecutor(
        schema,
        {},
        {},
        root,
        cast("Context", recording),
        operation,
        variables,
        read_attribute,
        lambda *_: None,
        read_attribute,
    )
    result: Any = executor.execute_operation()
    assert result.errors is None
    return result.data, recording


def test_a_row_is_completed_by_the_hook() -> None:
    """The path tells where it sits, without list indices."""
    judge = cast("Judge", None)
    data, recording = execute("{ a: me { id } }", SimpleNamespace(me=Row({}, OWN, judge, Tally())))
    assert data == {"a": {"rendered": True}}
    assert recording.rows == [("a",)]


def test_a_list_of_rows_is_completed_by_one_call() -> None:
    """Not by one call per row."""
    rows = RowList(Loaded([{}, {}], OWN), cast("Judge", None), Tally())
    data, recording = execute("{ users { nodes { id } } }", SimpleNamespace(users=SimpleNamespace(nodes=rows)))
    assert data == {"users": {"nodes": [{"rendered": True}, {"rendered": True}]}}
    assert recording.lists == [("users", "nodes")]
    assert recording.rows == []
