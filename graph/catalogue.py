"""Every coordinate of the schema and what it touches, read once from the finished schema.

Deny by default at start-up: an object field that is neither personal nor public, a root field that
does not say whose rows it opens, and a guarded field that is not nullable are refused by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_list_type,
    is_non_null_type,
)

from auth.policy import Claim
from graph.access import GUARD, PUBLIC, Opens, Reads, Stored, Writes
from graph.directives import ReadsDirective
from models.errors import ConfigurationError
from models.labels import LABELS
from models.vocabulary import Access, Label

_DEFINITION = "strawberry-definition"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of a guarded type. `holds` is the guarded type of its value or items, if any."""

    coordinate: str
    name: str
    python_name: str
    stored: Stored
    holds: str | None
    many: bool
    mask: Callable[[object], str] | None

    @property
    def claim(self) -> Claim:
        return Claim(self.coordinate, self.stored.label)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """`types[type][field]`, `by_python[type][attribute]`, `roots[coordinate]`, and what input fields
    (`inputs[type][field]`) and enum values (`enums[type][value]`) touch."""

    types: Mapping[str, Mapping[str, FieldSpec]]
    by_python: Mapping[str, Mapping[str, FieldSpec]]
    roots: Mapping[str, Opens]
    inputs: Mapping[str, Mapping[str, Reads | Writes]]
    enums: Mapping[str, Mapping[Any, Reads]]

    def claim(self, coordinate: str) -> Claim:
        """The claim of reading an output coordinate; raises `KeyError` for an unknown one."""
        type_name, _, name = coordinate.partition(".")
        return self.types[type_name][name].claim


def read_catalogue(schema: GraphQLSchema) -> Catalogue:
    """Read `schema`; raises `ConfigurationError` naming every field that breaks the rules."""
    problems: list[str] = []
    types: dict[str, dict[str, FieldSpec]] = {}
    roots: dict[str, Opens] = {}
    for graphql_type in _own_types(schema):
        if graphql_type in (schema.query_type, schema.mutation_type):
            roots.update(_roots(graphql_type, problems))
        else:
            fields = _fields(graphql_type, problems)
            if fields:
                types[graphql_type.name] = fields
    problems += [
        f"{spec.coordinate} holds {spec.holds}, which is not guarded"
        for fields in types.values()
        for spec in fields.values()
        if spec.holds and spec.holds not in types
    ]
    inputs = {
        graphql_type.name: _input_fields(graphql_type, problems)
        for graphql_type in schema.type_map.values()
        if isinstance(graphql_type, GraphQLInputObjectType)
    }
    if problems:
        raise ConfigurationError("The schema is not safe to serve: " + "; ".join(problems) + ".")
    return Catalogue(
        types=types,
        by_python={name: {s.python_name: s for s in fields.values()} for name, fields in types.items()},
        roots=roots,
        inputs=inputs,
        enums={t.name: _enum_values(t) for t in schema.type_map.values() if isinstance(t, GraphQLEnumType)},
    )


def _own_types(schema: GraphQLSchema) -> Iterator[GraphQLObjectType | GraphQLInterfaceType]:
    for graphql_type in schema.type_map.values():
        if graphql_type.name.startswith("__"):
            continue
        if isinstance(graphql_type, GraphQLObjectType | GraphQLInterfaceType):
            yield graphql_type


def _roots(graphql_type: GraphQLNamedType, problems: list[str]) -> Iterator[tuple[str, Opens]]:
    assert isinstance(graphql_type, GraphQLObjectType)  # noqa: S101 - for the type checker; chosen by the caller
    for name, field in graphql_type.fields.items():
        coordinate = f"{graphql_type.name}.{name}"
        opens = _metadata(field).get(GUARD)
        if isinstance(opens, Opens):
            yield coordinate, opens
        else:
            problems.append(f"{coordinate} does not say whose rows it opens")


def _fields(graphql_type: GraphQLObjectType | GraphQLInterfaceType, problems: list[str]) -> dict[str, FieldSpec]:
    structural = getattr(_origin(graphql_type), "STRUCTURAL", None) is not None
    found: dict[str, FieldSpec] = {}
    for name, field in graphql_type.fields.items():
        coordinate = f"{graphql_type.name}.{name}"
        stored = _metadata(field).get(GUARD)
        if isinstance(stored, Stored):
            if is_non_null_type(field.type):
                problems.append(f"{coordinate} is guarded, so it must be nullable")
            found[name] = _spec(coordinate, name, field, stored)
        elif PUBLIC in _metadata(field):
            stored = Stored(Label.UNIQUE_ID, "_id", "_id")
            found[name] = _spec(coordinate, name, field, stored)
        elif not structural:
            problems.append(f"{coordinate} has neither a label nor an explicit public")
    return found


def _spec(coordinate: str, name: str, field: GraphQLField, stored: Stored) -> FieldSpec:
    named = get_named_type(field.type)
    holds = named.name if isinstance(named, GraphQLObjectType) else None
    nullable = field.type.of_type if is_non_null_type(field.type) else field.type
    many = is_list_type(nullable)
    maskable = holds is None and not many and named.name == "String"
    return FieldSpec(
        coordinate=coordinate,
        name=name,
        python_name=field.extensions[_DEFINITION].python_name,
        stored=stored,
        holds=holds,
        many=many,
        mask=LABELS[stored.label].mask if maskable else None,
    )


def _input_fields(graphql_type: GraphQLInputObjectType, problems: list[str]) -> dict[str, Reads | Writes]:
    found: dict[str, Reads | Writes] = {}
    for name, field in graphql_type.fields.items():
        guard = _metadata(field).get(GUARD)
        if isinstance(guard, Reads | Writes):
            found[name] = guard
        elif PUBLIC not in _metadata(field):
            problems.append(f"{graphql_type.name}.{name} says neither what it reads nor what it writes")
    return found


def _enum_values(graphql_type: GraphQLEnumType) -> dict[Any, Reads]:
    definition = graphql_type.extensions.get(_DEFINITION) if graphql_type.extensions else None
    found: dict[Any, Reads] = {}
    if definition is None:
        return found
    for value in definition.values:
        for directive in value.directives:
            if isinstance(directive, ReadsDirective):
                found[definition.wrapped_cls[value.name]] = Reads(directive.field)
    return found


def _metadata(field: Any) -> Mapping[str, Any]:  # noqa: ANN401 - an output or input field
    definition = (field.extensions or {}).get(_DEFINITION)
    return definition.metadata if definition is not None else {}


def _origin(graphql_type: GraphQLNamedType) -> object:
    definition = (graphql_type.extensions or {}).get(_DEFINITION)
    return getattr(definition, "origin", None)


def input_claim(catalogue: Catalogue, coordinate: str, guard: Reads | Writes) -> Claim:
    """The claim that using an input field makes: on the output it reads, or on itself to write."""
    if isinstance(guard, Reads):
        return catalogue.claim(guard.coordinate)
    return Claim(coordinate, guard.label, Access.WRITE)
