"""A schema cut down to some coordinates, whatever they are: what is left holds together."""

from __future__ import annotations

from typing import Final

from graphql import GraphQLSchema, build_schema, print_schema, validate_schema

from graph.narrowing import narrow

FULL: Final = build_schema("""
directive @mark(with: Colour) on FIELD_DEFINITION
type Query { home: Int me: Person pet: Pet any: Any found(by: By, colour: Colour = RED, first: Int = 5): Person }
interface Named { name: String nick: String }
type Person implements Named { name: String nick: String home: Place }
type Pet implements Named { name: String nick: String }
type Place { street: String }
union Any = Person | Pet
input By { name: String at: Where colour: Colour = RED }
input Where { street: String }
enum Colour { RED GREEN BLUE }
""")


def cut(*kept: str) -> GraphQLSchema:
    """The schema with these coordinates."""
    schema = narrow(FULL, frozenset(kept), frozenset())
    assert validate_schema(schema) == []
    return schema


def printed(*kept: str) -> str:
    """Without descriptions and directives, on few lines."""
    return print_schema(cut(*kept)).replace("\n  ", " ")


def test_only_what_is_kept_and_reached_is_there() -> None:
    """Fields, arguments and types; what nothing leads to goes."""
    text = printed("Query.me", "Person.name", "Pet.name", "Query.found", "Query.found(first:)", "By.name")
    assert "type Query { me: Person found(first: Int = 5): Person\n}" in text
    assert "type Person { name: String\n}" in text
    assert "Pet" not in text
    assert "By" not in text


def test_a_field_whose_type_keeps_nothing_goes() -> None:
    """And with it what held only that, to the end."""
    text = printed("Query.me", "Query.pet", "Person.home", "Pet.name")
    assert "type Query { pet: Pet\n}" in text
    assert "Person" not in text
    assert "Place" not in text


def test_an_interface_shows_what_all_its_types_show() -> None:
    """Of those that are there; a type without it no longer says that it has it."""
    both = printed("Query.me", "Query.pet", "Named.name", "Named.nick", "Person.name", "Person.nick", "Pet.name")
    assert "interface Named { name: String\n}" in both
    assert "type Person implements Named { name: String nick: String\n}" in both
    alone = printed("Query.me", "Named.name", "Named.nick", "Person.name", "Person.nick")
    assert "interface Named { name: String nick: String\n}" in alone
    apart = printed("Query.me", "Query.pet", "Named.name", "Named.nick", "Person.name", "Pet.nick")
    assert "Named" not in apart


def test_the_types_behind_an_interface_are_there() -> None:
    """Although no field leads to them but by it."""
    full = build_schema("type Query { node: Node } interface Node { id: ID } type User implements Node { id: ID }")
    schema = narrow(full, frozenset({"Query.node", "Node.id", "User.id"}), frozenset())
    assert "User" in schema.type_map
    assert validate_schema(schema) == []


def test_a_union_keeps_its_types_that_are_left() -> None:
    """And goes with the last of them."""
    assert "union Any = Pet\n" in printed("Query.any", "Pet.name") + "\n"
    without = printed("Query.any", "Query.found", "Query.found(first:)", "Person.home", "Place.street")
    assert "union Any = Person" in without
    assert "Any" not in printed("Query.any", "Query.home")


def test_enums_are_cut_where_that_is_asked_for() -> None:
    """Others stay whole: they are answers too."""
    full = build_schema(
        "type Query { a(order: Order, colour: Colour): Int } enum Order { UP DOWN } enum Colour { RED BLUE }"
    )
    kept = frozenset({"Query.a", "Query.a(order:)", "Query.a(colour:)", "Order.UP"})
    text = print_schema(narrow(full, kept, frozenset({"Order"})))
    assert "enum Order {\n  UP\n}" in text
    assert "enum Colour {\n  RED\n  BLUE\n}" in text


def test_inputs_keep_their_defaults_and_nested_types() -> None:
    """As far as they are kept."""
    text = printed(
        "Query.found", "Query.found(by:)", "Person.name", "By.at", "By.colour", "Where.street", "Query.found(colour:)"
    )
    assert "input By { at: Where colour: Colour = RED\n}" in text
    assert "input Where { street: String\n}" in text
    assert "colour: Colour = RED): Person" in text
