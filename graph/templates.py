"""The arguments of a root field, remembered as a template with places for variables.

Where every variable that they use has a value, coerced arguments differ from request to request only in those
values: which arguments there are, their defaults and their literals do not depend on any. So the first request
is coerced by graphql-core, and what it made is the template for those after it. What does not fit, a variable
without a value above all, goes the ordinary way again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Final, NamedTuple

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLNonNull,
    GraphQLScalarType,
    ListValueNode,
    ObjectValueNode,
    ValueNode,
    VariableNode,
    Visitor,
    get_named_type,
    visit,
)

from auth.policy import Claim

_SHARED: Final = (str, int, float, Enum, type(None))  # what may be part of many answers at once: it never changes


class Touched(NamedTuple):
    """A claim that an argument makes; `clear` when a masked right is not enough."""

    claim: Claim
    clear: bool = False


class Filled(dict[str, Any]):
    """Arguments that a template made. What they touch does not depend on the variables."""

    __slots__ = ()


class _Place(NamedTuple):
    """One argument, or one field of an input object: a variable's value, an object of such places, or `value`."""

    name: str
    variable: str | None = None
    inner: tuple[_Place, ...] | None = None
    value: Any = None


class Template:
    """The arguments of one root field. `fill` gives None where the ordinary way has to be taken."""

    __slots__ = ("_places", "touched")

    def __init__(self, places: tuple[_Place, ...] | None) -> None:
        self._places = places
        self.touched: tuple[Touched, ...] | None = None  # by whatever it makes, once that is known

    @classmethod
    def learn(cls, definition: GraphQLField, node: FieldNode, made: Mapping[str, Any]) -> Template:
        """The template that `made`, the coerced arguments of a request whose variables all had values, shows."""
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        parts = {
            argument.out_name or name: (argument.type, given[name])
            for name, argument in definition.args.items()
            if name in given
        }
        places = tuple(_places(parts, made, deeper=True))
        return cls(None if None in places else tuple(filter(None, places)))

    def fill(self, variables: Mapping[str, Any]) -> Filled | None:
        """The arguments with the coerced values of `variables`."""
        if self._places is None:
            return None
        found = Filled()
        return found if _fill(found, self._places, variables) else None


def _fill(found: dict[str, Any], places: tuple[_Place, ...], variables: Mapping[str, Any]) -> bool:
    for name, variable, inner, value in places:
        if variable is not None:
            given = variables.get(variable)
            if given is None:
                return False
            found[name] = given
        elif inner is not None:
            found[name] = within = dict[str, Any]()
            if not _fill(within, inner, variables):
                return False
        else:
            found[name] = value
    return True


def used_variables(node: FieldNode) -> frozenset[str]:
    """The names of the variables in a field's arguments."""
    finder = _Variables()
    for argument in node.arguments or ():
        visit(argument.value, finder)
    return frozenset(finder.names)


def _places(
    parts: Mapping[str, tuple[GraphQLInputType, ValueNode]], made: Mapping[str, Any], *, deeper: bool
) -> Iterator[_Place | None]:
    """A place for each of the values in `made`, in their order; None for one that fits into no template."""
    for name, value in made.items():
        kind, node = parts.get(name, (None, None))
        if isinstance(node, VariableNode):
            # What an enum or an input object touches depends on its value.
            fits = isinstance(get_named_type(kind), GraphQLScalarType)
            yield _Place(name, variable=node.name.value) if fits else None
        elif isinstance(node, ObjectValueNode | ListValueNode):
            fields = _fields(kind, node) if deeper and type(value) is dict else None
            inner = tuple(_places(fields, value, deeper=False)) if fields is not None else (None,)
            yield None if None in inner else _Place(name, inner=tuple(filter(None, inner)))
        else:
            yield _Place(name, value=value) if isinstance(value, _SHARED) else None


def _fields(kind: GraphQLInputType | None, node: ValueNode) -> Mapping[str, tuple[GraphQLInputType, ValueNode]] | None:
    """The fields that an object literal gives, by the name that they have when coerced; None for any other value."""
    bare = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    if not isinstance(bare, GraphQLInputObjectType) or not isinstance(node, ObjectValueNode):
        return None
    given = {field.name.value: field.value for field in node.fields}
    return {bare.fields[name].out_name or name: (bare.fields[name].type, value) for name, value in given.items()}


class _Variables(Visitor):
    """Finds variables."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: object) -> None:
        """Note its name."""
        self.names.add(node.name.value)
