"""What introspection shows: the part of the schema that the caller can use, and nothing else.

Shaped by role, scopes and purpose, as Hasura's schema is by role: the purpose that a request chose, or
all that its token carries when it chose none. A type, field, argument, input or enum value that is not
usable does not exist here; it stays FORBIDDEN, with its reason, to whoever asks for it by name.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from graphql import GraphQLSchema, OperationDefinitionNode, default_field_resolver, default_type_resolver
from graphql.execution.values import VariableValues
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from auth.policy import Policy
from auth.principal import Principal, Shape
from graph.catalogue import Catalogue
from graph.context import Context
from graph.errors import ErrorMap, format_error
from graph.narrowing import narrow
from graph.operations import Operation
from graph.plan import Plan
from graph.purpose import Declared, choose
from graph.usable import Coordinates, Usability
from models.vocabulary import Purpose

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
_COMBINATIONS: Final = 200
_VIEWS: Final = 64
_ANSWERS: Final = 4  # the standard query in its variants
_Executor: Final[Any] = StrawberryGraphQLCoreExecutionContext  # its base has no public name that lasts


@dataclass(slots=True)
class _Kept(Generic[K, V]):
    """The values asked for last, at most `size` of them."""

    size: int
    values: OrderedDict[K, V] = field(default_factory=OrderedDict)

    def get(self, key: K, make: Callable[[], V]) -> V:
        """The value of `key`, from the store or made now."""
        if key in self.values:
            self.values.move_to_end(key)
            return self.values[key]
        made = self.values[key] = make()
        if len(self.values) > self.size:
            self.values.popitem(last=False)
        return made


@dataclass(frozen=True, slots=True)
class _Found:
    """A part of a response."""

    data: Mapping[str, Any]
    errors: Sequence[ErrorMap]


@dataclass(slots=True, eq=False)
class _View:
    """A narrowed schema, and what was answered from it to operations that have no variables."""

    schema: GraphQLSchema
    answers: _Kept[Plan, _Found]


class Introspection:
    """Narrowed schemas, each prepared once: equal parts are one schema, whoever they are shown to."""

    def __init__(self, schema: GraphQLSchema, catalogue: Catalogue, policy: Policy) -> None:
        self._full = schema
        self._step_up = policy.step_up
        self._usability = Usability(schema, catalogue, policy)
        self._guarded_enums = frozenset(name for name, guards in catalogue.enums.items() if guards)
        self._usable: _Kept[tuple[Shape, frozenset[Purpose]], Coordinates] = _Kept(_COMBINATIONS)
        self._views: _Kept[Coordinates, _View] = _Kept(_VIEWS)

    def schema(self, shape: Shape, purposes: frozenset[Purpose]) -> GraphQLSchema:
        """What a shape can use under any of `purposes`, one at a time. It is for showing, not for running."""
        return self._view(shape, purposes).schema

    def complete(self, body: dict[str, Any], plan: Plan, operation: Operation, context: Context) -> None:
        """Add what `plan` asks about the schema to a response that holds the rest already."""
        meta, variables, principal = plan.meta, context.variables, context.principal
        if meta is None or body.get("data") is None:
            return
        view = self._view(principal.shape, purposes_shown(principal, context.declared))
        if operation.node.variable_definitions:
            found = _run(view.schema, meta, operation, variables)
        else:
            found = view.answers.get(plan, lambda: _run(view.schema, meta, operation, variables))
        both = {**body["data"], **found.data}
        body["data"] = {key: both[key] for key in plan.keys}
        if found.errors:
            body.setdefault("errors", []).extend(found.errors)

    def _view(self, shape: Shape, purposes: frozenset[Purpose]) -> _View:
        # What only needs step-up is there: whoever does not see it would not know what to step up for.
        shape = shape.proven if self._step_up else shape
        usable = self._usable.get((shape, purposes), lambda: self._usability.of(shape, purposes))
        return self._views.get(usable, lambda: _View(narrow(self._full, usable, self._guarded_enums), _Kept(_ANSWERS)))


def purposes_shown(principal: Principal, declared: Declared) -> frozenset[Purpose]:
    """The purpose that a request chose; all of the token's when it chose none; none when it may not have it."""
    if not declared:
        return principal.purposes
    purpose, _why_none = choose(principal, declared.directive, declared.header)
    return frozenset() if purpose is None else frozenset({purpose})


def _run(
    schema: GraphQLSchema, meta: OperationDefinitionNode, operation: Operation, variables: VariableValues
) -> _Found:
    """Answer from `schema`. Only an argument can be wrong here, and then its field is null."""
    executor = _Executor(
        schema,
        dict(operation.fragments),
        operation.details,
        None,
        None,
        meta,
        variables,
        default_field_resolver,
        default_type_resolver,
        default_field_resolver,
        hide_suggestions=True,
    )
    result = executor.execute_operation()
    return _Found(result.data, [format_error(error) for error in result.errors or ()])
