"""Coerces a request's variables; says which one is wrong and where in it, never with its value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from graphql import (
    GraphQLError,
    GraphQLInputType,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLSchema,
    OperationDefinitionNode,
    VariableDefinitionNode,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource, get_variable_values
from graphql.pyutils import Undefined
from graphql.utilities import type_from_ast
from graphql.utilities.validate_input_value import validate_input_value

from graph.errors import BAD_USER_INPUT, ErrorMap, RefusedError, error_map, node_location, value_problem
from models.errors import LimitExceeded

MAX_ERRORS: Final = 10


class VariablesError(RefusedError):
    """The variables that do not fit, one error map each."""


class _EnoughError(Exception):
    """As many errors found as are worth telling."""


class PlainVariables:
    """The variables of one operation, prepared where all of them are scalars."""

    __slots__ = ("_each",)

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode) -> None:
        found = [_plain(schema, definition) for definition in operation.variable_definitions or ()]
        self._each = None if None in found else tuple(filter(None, found))

    def coerce(self, raw: Mapping[str, Any]) -> VariableValues | None:
        """As `coerce_variables`, or None where that has to be asked: for a default, a null, or what does not fit."""
        if self._each is None:
            return None
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        for name, signature, coerce, optional in self._each:
            value = raw.get(name)
            if value is None:
                if not optional or name in raw:
                    return None
                sources[name] = VariableValueSource(signature)
                continue
            try:
                made = coerce(value)
            except Exception:  # noqa: BLE001 - any type's own error; the other way says what is wrong
                return None
            if made is Undefined:
                return None
            sources[name] = VariableValueSource(signature, value)
            coerced[name] = made
        return VariableValues(sources, coerced)


_Plain = tuple[str, GraphQLVariableSignature, Callable[[Any], Any], bool]


def _plain(schema: GraphQLSchema, definition: VariableDefinitionNode) -> _Plain | None:
    """Name, signature, coercion, and whether it may be left out; None for a variable that is no scalar."""
    signature = get_variable_signature(schema, definition)
    if isinstance(signature, GraphQLError):
        return None
    required = isinstance(signature.type, GraphQLNonNull)
    kind = signature.type.of_type if isinstance(signature.type, GraphQLNonNull) else signature.type
    if not isinstance(kind, GraphQLScalarType):
        return None
    return signature.name, signature, kind.coerce_input_value, not required and definition.default_value is None


def coerce_variables(
    schema: GraphQLSchema, operation: OperationDefinitionNode, raw: Mapping[str, Any]
) -> VariableValues:
    """Coerce the variables that `operation` declares from the request's `raw` ones.

    Unknown variables are left out. Raises `VariablesError`, and `LimitExceeded` for a value nested
    too deeply.
    """
    definitions = operation.variable_definitions or ()
    values = get_variable_values(schema, definitions, dict(raw), max_errors=1, hide_suggestions=True)
    if isinstance(values, VariableValues):
        return values
    errors: list[ErrorMap] = []
    try:
        for definition in definitions:
            _explain(schema, definition, raw, errors)
    except _EnoughError:
        pass
    except RecursionError:
        raise LimitExceeded("The variables are nested too deeply.") from None
    raise VariablesError(errors or [error_map("The variables cannot be used.", BAD_USER_INPUT)])


def _explain(
    schema: GraphQLSchema, definition: VariableDefinitionNode, raw: Mapping[str, Any], errors: list[ErrorMap]
) -> None:
    name = definition.variable.name.value
    kind: GraphQLInputType = type_from_ast(schema, definition.type)  # type: ignore[assignment]  # validated
    value = raw.get(name, Undefined)
    if value is Undefined and definition.default_value is not None:
        return

    def refuse(error: GraphQLError, path: list[str | int]) -> None:
        if len(errors) >= MAX_ERRORS:
            raise _EnoughError
        message = f'The variable "${name}" {value_problem(error, path, kind)}.'
        errors.append(
            error_map(
                message, BAD_USER_INPUT, locations=node_location(definition), variable=name, inputPath=[name, *path]
            )
        )

    validate_input_value(value, kind, refuse, hide_suggestions=True)
