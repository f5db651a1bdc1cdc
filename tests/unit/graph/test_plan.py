"""What an operation touches: the tree of its answer, and its claims."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import FragmentDefinitionNode, OperationDefinitionNode, parse
from graphql.execution.values import VariableValues, get_variable_values

from graph.catalogue import read_catalogue
from graph.plan import Plan, PlanField, Planner
from graph.schema import build, graphql_schema

SCHEMA = graphql_schema(build())
PLANNER = Planner(SCHEMA, read_catalogue(SCHEMA))


def plan(text: str, **variables: object) -> Plan:
    """Plan the first operation of a document."""
    document = parse(text)
    [operation, *_] = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    fragments = {n.name.value: n for n in document.definitions if isinstance(n, FragmentDefinitionNode)}
    values = get_variable_values(SCHEMA, operation.variable_definitions or (), variables)
    assert isinstance(values, VariableValues)
    return PLANNER.plan(operation, fragments, values)


def claims(text: str, **variables: object) -> set[str]:
    """The output coordinates that all roots claim."""
    return {claim.coordinate for root in plan(text, **variables).roots for claim in root.claims}


def tree(field: PlanField) -> dict[str, Any]:
    """The shape of the answer beneath a field."""
    return {key: tree(child) for fields in field.children.values() for key, child in fields.items()}


def test_a_row_is_claimed_even_by_its_type_name() -> None:
    """That somebody is there is something to know."""
    assert claims("{ me { __typename } }") == {"User.id"}


def test_fragments_are_folded_in() -> None:
    """Named in named, inline, with and without a condition, on the interface."""
    text = """
      query { node(id: "x") { id ...A ... on User { phone } ... { __typename } } }
      fragment A on Node { ... on User { email ...B } }
      fragment B on User { address { ...C } }
      fragment C on Address { city }
    """
    assert claims(text) == {"User.id", "User.phone", "User.email", "User.address", "Address.city"}


def test_a_fragment_on_another_type_claims_nothing() -> None:
    """It can never apply."""
    text = "{ node(id: 1) { ...on Node { id } ... on User { ... on Node { id } } } }"
    assert claims(text) == {"User.id"}


def test_one_response_key_is_one_entry_with_all_that_is_selected_beneath() -> None:
    """Merged as the execution merges."""
    text = "{ me { address { city } ...F address { street } } } fragment F on User { address { country city } }"
    [root] = plan(text).roots
    assert tree(root.field) == {"address": {"city": {}, "street": {}, "country": {}}}
    assert list(tree(root.field)["address"]) == ["city", "country", "street"]


def test_aliases_are_entries_of_their_own() -> None:
    """Two aliases of one field make one claim and two entries."""
    [root] = plan("{ me { a: email b: email } }").roots
    assert list(tree(root.field)) == ["a", "b"]
    assert [entry.path for entry in root.selected["User.email"]] == [("me", "a"), ("me", "b")]


@pytest.mark.parametrize(
    ("directive", "value", "claimed"),
    [
        ("@include(if: $x)", True, True),
        ("@include(if: $x)", False, False),
        ("@skip(if: $x)", True, False),
        ("@skip(if: $x)", False, True),
        ("@skip(if: false) @include(if: $x)", True, True),
        ("@skip(if: true) @include(if: $x)", True, False),
    ],
)
def test_conditions_are_followed(directive: str, value: bool, claimed: bool) -> None:
    """On fields, spreads and inline fragments."""
    for text in (
        f"query($x: Boolean!) {{ me {{ id email {directive} }} }}",
        f"query($x: Boolean!) {{ me {{ id ... {directive} {{ email }} }} }}",
        f"query($x: Boolean!) {{ me {{ id ...F {directive} }} }} fragment F on User {{ email }}",
    ):
        assert ("User.email" in claims(text, x=value)) is claimed


def test_positions_are_where_rows_sit() -> None:
    """The outermost guarded values of each root."""
    [users] = plan("{ users { nodes { id devices { name } } edges { node { id } } pageInfo { hasNextPage } } }").roots
    assert list(users.positions) == [("users", "nodes"), ("users", "edges", "node")]
    [update] = plan("mutation { updateUser(input: {}) { user { id } errors { code } } }").roots
    assert list(update.positions) == [("updateUser", "user")]


def test_a_mutation_without_a_row_claims_no_row() -> None:
    """Only what it changes counts then."""
    [delete] = plan('mutation { deleteUser(input: {password: "x"}) { deleted } }').roots
    assert delete.claims == ()
    assert [claim.coordinate for claim in delete.implied] == ["Mutation.deleteUser"]


def test_public_operations_are_told_apart() -> None:
    """All roots must be public."""
    assert plan("{ purposes { key } __typename }").public
    assert not plan("{ purposes { key } me { id } }").public
    assert plan('mutation { signIn(input: {login: "a", password: "b"}) { user { email } } }').public
