"""Arguments from a template are those that the library makes, for every document and every value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest
from graphql import FieldNode, GraphQLError, GraphQLField, GraphQLSchema, OperationDefinitionNode, build_schema, parse
from graphql.execution.values import VariableValues, get_argument_values, get_variable_values

from graph.templates import Filled, Template, used_variables
from graph.variables import PlainVariables

SCHEMA: Final[GraphQLSchema] = build_schema("""
    enum Side { LEFT RIGHT }
    scalar Any
    input By @oneOf { id: ID name: String }
    input Range { from: Int = 1 to: Int side: Side inner: Range list: [Int] any: Any }
    type Query {
        one(by: By!): Int
        some(first: Int = 20, after: String, range: Range, side: Side = LEFT, ids: [ID!], any: Any, sure: Int! = 3): Int
    }
""")
FILLED: Final = (
    "query($id: ID!) { one(by: {id: $id}) }",
    'query($id: ID!) { one(by: {name: "a"}) }',
    "query($n: Int) { some(first: $n) }",
    "query($n: Int!, $a: String) { some(after: $a, first: $n, sure: $n) }",
    "query($n: Int) { some(range: {to: $n, side: RIGHT}, side: RIGHT) }",
    "query($i: [ID!]) { some(ids: $i) }",
    "query { some(first: 3, after: null) }",
    "query { some }",
)
NOT_FILLED: Final = (
    "query($b: By!) { one(by: $b) }",
    "query($s: Side) { some(side: $s) }",
    'query($id: ID!) { some(ids: [$id, "2"]) }',
    "query($n: Int) { some(range: {inner: {to: $n}}) }",
    "query($n: Int) { some(any: {a: $n}) }",
    "query($n: Int) { some(any: [$n]) }",
    "query($n: Int) { some(range: {any: {a: $n}}) }",
    "query($n: Int) { some(range: {list: [$n]}) }",
)
GIVEN: Final[tuple[Mapping[str, Any], ...]] = (
    {"id": "1", "n": 5, "a": "x", "i": ["1"], "b": {"id": "1"}, "s": "LEFT"},
    {"id": "2", "n": 7, "a": "y", "i": ["2", "3"], "b": {"name": "1"}, "s": "RIGHT"},
    {"id": 3, "n": 0, "a": "", "i": [], "b": {"name": ""}, "s": "LEFT", "more": 1},
)
ODD: Final[tuple[Mapping[str, Any], ...]] = (
    {},
    {"id": None, "n": None, "a": None, "i": None, "s": None},
    {"id": 1.5, "n": "1", "a": 1, "i": [None], "b": {}, "s": "UP"},
    {"id": True, "n": True, "a": [], "i": "1", "b": {"id": "1", "name": "2"}, "s": 1},
    {"id": {}, "n": 2**40, "a": {}, "i": {}, "b": 1, "s": []},
)


def operation_of(document: str) -> OperationDefinitionNode:
    """The only operation of a document."""
    definition = parse(document).definitions[0]
    assert isinstance(definition, OperationDefinitionNode)
    return definition


def library(operation: OperationDefinitionNode, raw: Mapping[str, Any]) -> VariableValues | None:
    """The variables as the library coerces them; None for those it refuses."""
    found = get_variable_values(SCHEMA, operation.variable_definitions or (), dict(raw))
    return found if isinstance(found, VariableValues) else None


def told(variables: VariableValues | None) -> tuple[object, object] | None:
    """Their values and where these came from. Types by their text: the library makes new ones for each request."""
    if variables is None:
        return None
    sources = {name: (str(it.signature.type), it.value) for name, it in variables.sources.items()}
    return sources, variables.coerced


def asked(operation: OperationDefinitionNode) -> tuple[GraphQLField, FieldNode]:
    """Its only field, as the schema has it and as the document does."""
    node = operation.selection_set.selections[0]
    assert isinstance(node, FieldNode)
    assert SCHEMA.query_type is not None
    return SCHEMA.query_type.fields[node.name.value], node


def arguments_of(operation: OperationDefinitionNode, variables: VariableValues) -> dict[str, Any] | None:
    """The arguments of its field as the library coerces them; None for those it refuses."""
    try:
        return get_argument_values(*asked(operation), variables)
    except GraphQLError:
        return None


def template_of(operation: OperationDefinitionNode, variables: VariableValues) -> Template:
    """What is learned from one request."""
    made = arguments_of(operation, variables)
    assert made is not None
    return Template.learn(*asked(operation), made)


@pytest.mark.parametrize("document", [*FILLED, *NOT_FILLED])
def test_a_template_makes_what_the_library_makes(document: str) -> None:
    """Whatever is given: the same arguments in the same order, or it leaves them to the library."""
    operation = operation_of(document)
    first = library(operation, GIVEN[0])
    assert first is not None
    template = template_of(operation, first)
    for raw in (*GIVEN, *ODD):
        variables = library(operation, raw)
        filled = template.fill(variables.coerced) if variables is not None else None
        if filled is not None and variables is not None:
            made = arguments_of(operation, variables)
            assert made is not None
            assert (filled, list(filled)) == (made, list(made))


@pytest.mark.parametrize("document", FILLED)
def test_values_are_filled_in(document: str) -> None:
    """Where all variables have values, the library is not asked again."""
    operation = operation_of(document)
    variables = [library(operation, raw) for raw in GIVEN]
    assert variables[0] is not None
    template = template_of(operation, variables[0])
    assert [type(template.fill(each.coerced)) for each in variables if each] == [Filled] * len(GIVEN)


@pytest.mark.parametrize("document", NOT_FILLED)
def test_what_depends_on_more_than_a_value_is_left_to_the_library(document: str) -> None:
    """Enums and input objects from variables, lists, what is nested deeper, and scalars made of several parts."""
    operation = operation_of(document)
    variables = library(operation, GIVEN[0])
    assert variables is not None
    assert template_of(operation, variables).fill(variables.coerced) is None


def test_the_variables_of_a_field_are_found_wherever_they_are() -> None:
    """A template is learned only from a request that gives all of them."""
    operation = operation_of("query($n: Int, $a: Int, $b: Int) { some(first: $n, range: {inner: {list: [$a, 2]}}) }")
    assert used_variables(asked(operation)[1]) == {"n", "a"}


@pytest.mark.parametrize(
    "document", [*FILLED, *NOT_FILLED, "query($n: Int = 4, $a: String = null) { some(first: $n) }"]
)
def test_prepared_variables_are_what_the_library_makes(document: str) -> None:
    """Values and where they came from; what it refuses is never taken."""
    operation = operation_of(document)
    prepared = PlainVariables(SCHEMA, operation)
    for raw in (*GIVEN, *ODD):
        found = prepared.coerce(raw)
        assert found is None or told(found) == told(library(operation, raw))


def test_scalars_are_prepared() -> None:
    """An optional one may be left out, but not be null: then the library is asked."""
    prepared = PlainVariables(SCHEMA, operation_of("query($n: Int!, $a: String) { some(first: $n, after: $a) }"))
    found = [prepared.coerce(raw) for raw in ({"n": 1, "a": "b"}, {"n": 1}, {"n": 1, "a": None}, {"a": "b"})]
    assert [each and each.coerced for each in found] == [{"n": 1, "a": "b"}, {"n": 1}, None, None]
