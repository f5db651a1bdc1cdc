"""A schema cut down to some of its coordinates, for showing only.

Keeps names, descriptions, defaults, deprecations and the directives of what stays. A type of which
nothing stays goes, with every field that has it; an interface keeps what all its types keep.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_introspection_type,
)

Composite = GraphQLObjectType | GraphQLInterfaceType
T = TypeVar("T")
V = TypeVar("V", GraphQLArgument, GraphQLInputField)


def narrow(schema: GraphQLSchema, kept: frozenset[str], guarded_enums: frozenset[str]) -> GraphQLSchema:
    """The part of `schema` whose coordinates are in `kept`; other enums than `guarded_enums` stay whole."""
    return _Narrowing(schema, kept, guarded_enums).schema()


class _Narrowing:
    """Builds one schema: new types by name, made when first referred to."""

    def __init__(self, schema: GraphQLSchema, kept: frozenset[str], guarded_enums: frozenset[str]) -> None:
        self._full = schema
        self._kept = kept
        self._guarded_enums = guarded_enums
        self._fields = self._composites()
        self._made: dict[str, GraphQLNamedType] = {}

    def schema(self) -> GraphQLSchema:
        """The new schema, with the types that are reached from its roots and no others."""
        full = self._full
        options: dict[str, Any] = {
            "query": self._root(full.query_type),
            "mutation": self._root(full.mutation_type),
            # None of their arguments is of a type that is ever cut.
            "directives": full.directives,
            "description": full.description,
            "extensions": full.extensions,
        }
        reached = GraphQLSchema(**options)
        behind = [
            self._type(possible)
            for interface in reached.type_map.values()
            if isinstance(interface, GraphQLInterfaceType)
            for possible in full.get_possible_types(cast("Any", full.type_map[interface.name]))
            if self._fields.get(possible.name)
        ]
        return GraphQLSchema(**options, types=behind) if behind else reached

    def _composites(self) -> dict[str, dict[str, GraphQLField]]:
        """The fields that stay, by type: those kept whose own type keeps something."""
        fields = {
            kind.name: {name: field for name, field in kind.fields.items() if f"{kind.name}.{name}" in self._kept}
            for kind in self._full.type_map.values()
            if isinstance(kind, Composite) and not is_introspection_type(kind)
        }
        changed = True
        while changed:
            changed = False
            for name, own in fields.items():
                staying = {key: field for key, field in own.items() if self._stays(name, key, field, fields)}
                changed = changed or len(staying) < len(own)
                fields[name] = staying
        return fields

    def _stays(self, owner: str, name: str, field: GraphQLField, fields: Mapping[str, Mapping[str, Any]]) -> bool:
        kind = get_named_type(field.type)
        if isinstance(kind, GraphQLUnionType):
            if not any(fields.get(possible.name) for possible in kind.types):
                return False
        elif isinstance(kind, Composite) and not fields.get(kind.name):
            return False
        interface = self._full.type_map[owner]
        if not isinstance(interface, GraphQLInterfaceType):
            return True
        possible = [it.name for it in self._full.get_possible_types(interface) if fields.get(it.name)]
        return bool(possible) and all(name in fields[it] for it in possible)

    def _root(self, kind: GraphQLObjectType | None) -> GraphQLObjectType | None:
        return cast("GraphQLObjectType", self._type(kind)) if kind and self._fields[kind.name] else None

    def _reference(self, kind: T) -> T:
        """A type reference with its lists and non-nulls."""
        if isinstance(kind, GraphQLNonNull):
            return cast("T", GraphQLNonNull(self._reference(kind.of_type)))
        if isinstance(kind, GraphQLList):
            return cast("T", GraphQLList(self._reference(kind.of_type)))
        return cast("T", self._type(cast("GraphQLNamedType", kind)))

    def _type(self, kind: GraphQLNamedType) -> GraphQLNamedType:
        made = self._made.get(kind.name)
        if made is None:
            made = self._made[kind.name] = self._make(kind)
        return made

    def _make(self, kind: GraphQLNamedType) -> GraphQLNamedType:
        options: dict[str, Any] = dict(kind.to_kwargs())
        if isinstance(kind, Composite):
            options["fields"] = self._lazily(self._outputs, kind.name)
            options["interfaces"] = [self._type(it) for it in kind.interfaces if self._fields.get(it.name)]
            return type(kind)(**options)
        if isinstance(kind, GraphQLUnionType):
            options["types"] = [self._type(it) for it in kind.types if self._fields.get(it.name)]
            return GraphQLUnionType(**options)
        if isinstance(kind, GraphQLInputObjectType):
            options["fields"] = self._lazily(self._inputs, kind)
            return GraphQLInputObjectType(**options)
        if isinstance(kind, GraphQLEnumType) and kind.name in self._guarded_enums:
            values = {name: value for name, value in kind.values.items() if f"{kind.name}.{name}" in self._kept}
            return GraphQLEnumType(**{**options, "values": values})
        return kind

    def _outputs(self, name: str) -> dict[str, GraphQLField]:
        return {key: self._output(f"{name}.{key}", field) for key, field in self._fields[name].items()}

    def _output(self, coordinate: str, field: GraphQLField) -> GraphQLField:
        options: dict[str, Any] = dict(field.to_kwargs())
        options["type_"] = self._reference(field.type)
        options["args"] = {
            name: _retyped(argument, self._reference(argument.type))
            for name, argument in field.args.items()
            if f"{coordinate}({name}:)" in self._kept
        }
        return GraphQLField(**options)

    def _inputs(self, kind: GraphQLInputObjectType) -> dict[str, Any]:
        return {
            name: _retyped(field, self._reference(field.type))
            for name, field in kind.fields.items()
            if f"{kind.name}.{name}" in self._kept
        }

    @staticmethod
    def _lazily(make: Callable[[Any], Any], given: object) -> Callable[[], Any]:
        """Fields are made when asked for: types refer to each other in circles."""
        return lambda: make(given)


def _retyped(field: V, kind: object) -> V:
    """A copy of an argument or input field with another type."""
    options: dict[str, Any] = dict(field.to_kwargs())
    return type(field)(**{**options, "type_": kind})
