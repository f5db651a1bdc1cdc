"""What an operation may cost at most: about the number of values its answer can hold.

A field costs one, and a root field in `DEAR` what its work is worth; what is selected beneath it counts
once per element, where a list's length is its `first` (a literal, a variable, or the argument's
default) and `ASSUMED_LENGTH` for a list without one. The sum is prepared once per operation, with each
fragment summed once, so that a request only fills in its variables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
)
from graphql.language import InlineFragmentNode
from graphql.utilities.coerce_input_value import coerce_default_value

from models.errors import LimitExceeded

ASSUMED_LENGTH: Final = 10
PAGE_ARGUMENT: Final = "first"
DEAR: Final[Mapping[str, int]] = {
    "Query.__schema": 4_000,
    "Query.explainAccess": 2_000,
    "Mutation.signIn": 4_000,
    "Mutation.register": 4_000,
    "Mutation.changePassword": 4_000,
    "Mutation.deleteUser": 4_000,
}
"""Root fields whose work is more than their answer shows: hashing a password, planning a document, telling of the
whole schema. By the default limit an operation may ask for four of the dearest."""


@dataclass(slots=True)
class Cost:
    """A sum: a constant, and terms of (variable that multiplies, else factor; factor; what)."""

    constant: int = 0
    terms: list[tuple[str | None, int, Cost]] = field(default_factory=list)

    def add(self, variable: str | None, factor: int, part: Cost) -> None:
        """Add `part` times `factor`, or times `variable` when a request gives it."""
        if variable is None:
            self.constant += factor * part.constant
            if part.terms:
                self.terms.append((None, factor, Cost(0, part.terms)))
        else:
            self.terms.append((variable, factor, part))


@dataclass(frozen=True, slots=True)
class Budget:
    """The limits that a cost is held against."""

    max_cost: int
    max_page: int


def total(cost: Cost, variables: Mapping[str, object], budget: Budget) -> int:
    """The cost of an operation with these (coerced) variables.

    Raises `LimitExceeded` for a page above `budget.max_page` and for a total above
    `budget.max_cost`.
    """
    result = _evaluate(cost, variables, budget, {}) if cost.terms else cost.constant
    if result > budget.max_cost:
        raise LimitExceeded(
            f"The operation costs about {_figure(result)}, counted in values; the limit is {budget.max_cost}. "
            'Ask for smaller pages ("first") or fewer fields.'
        )
    return result


def _figure(number: int) -> str:
    return str(number) if number < 10**9 else "over a billion"


def _evaluate(cost: Cost, variables: Mapping[str, object], budget: Budget, done: dict[int, int]) -> int:
    key = id(cost.terms)  # a fragment's terms are shared by all its spreads
    terms = done.get(key)
    if terms is None:
        terms = 0
        for variable, factor, part in cost.terms:
            given = variables.get(variable) if variable is not None else None
            if isinstance(given, int):
                _check_page(given, budget.max_page)
            times = max(given, 0) if isinstance(given, int) else factor
            terms += times * (_evaluate(part, variables, budget, done) if part.terms else part.constant)
        done[key] = terms
    return cost.constant + terms


def _check_page(size: int, limit: int) -> None:
    if size > limit:
        raise LimitExceeded(f'The argument "{PAGE_ARGUMENT}" may be at most {limit}.')


@dataclass(slots=True)
class Costing:
    """Prepares the costs of a valid document's operations.

    `fragments` are those of the document. A fragment is summed at most twice: within a connection,
    whose own `first` has set the length of the lists right beneath it, and elsewhere.
    """

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    budget: Budget
    _summed: dict[tuple[str, bool], Cost] = field(default_factory=dict)

    def prepare(self, operation: OperationDefinitionNode) -> Cost:
        """Sum up `operation`; raises `LimitExceeded` for a literal page above the limit."""
        return self._sum(operation.selection_set, self.schema.get_root_type(operation.operation), paged=False)

    def _sum(self, selections: SelectionSetNode, parent: GraphQLNamedType | None, *, paged: bool) -> Cost:
        cost = Cost()
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                self._add_field(cost, selection, parent, paged=paged)
            elif isinstance(selection, FragmentSpreadNode):
                cost.add(None, 1, self._fragment(selection.name.value, paged=paged))
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                inner = self.schema.get_type(condition.name.value) if condition else parent
                cost.add(None, 1, self._sum(selection.selection_set, inner, paged=paged))
        return cost

    def _fragment(self, name: str, *, paged: bool) -> Cost:
        key = (name, paged)
        if (cost := self._summed.get(key)) is None:
            fragment = self.fragments[name]
            condition = self.schema.get_type(fragment.type_condition.name.value)
            cost = self._summed[key] = self._sum(fragment.selection_set, condition, paged=paged)
        return cost

    def _add_field(self, cost: Cost, node: FieldNode, parent: GraphQLNamedType | None, *, paged: bool) -> None:
        cost.constant += 1 if parent is None else DEAR.get(f"{parent.name}.{node.name.value}", 1)
        if node.selection_set is None:
            return
        definition = _definition(parent, node.name.value)
        if definition is None:  # a meta field: introspection is bounded by validation
            cost.add(None, 1, self._sum(node.selection_set, None, paged=False))
            return
        inner = get_named_type(definition.type)
        if PAGE_ARGUMENT in definition.args:
            variable, factor = self._page(node, definition)
            cost.add(variable, factor, self._sum(node.selection_set, inner, paged=True))
        else:
            factor = ASSUMED_LENGTH if _is_list(definition) and not paged else 1
            cost.add(None, factor, self._sum(node.selection_set, inner, paged=False))

    def _page(self, node: FieldNode, definition: GraphQLField) -> tuple[str | None, int]:
        """The variable that gives the page size (if one does), and its size otherwise."""
        default = coerce_default_value(definition.args[PAGE_ARGUMENT])
        usual = default if isinstance(default, int) else self.budget.max_page
        for argument in node.arguments or ():
            if argument.name.value == PAGE_ARGUMENT:
                if isinstance(argument.value, VariableNode):
                    return argument.value.name.value, usual
                if isinstance(argument.value, IntValueNode):
                    size = int(argument.value.value)
                    _check_page(size, self.budget.max_page)
                    return None, max(size, 0)
        return None, usual


def _definition(parent: GraphQLNamedType | None, name: str) -> GraphQLField | None:
    """A field of the schema itself; None for what introspection adds."""
    if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) and not parent.name.startswith("__"):
        found: GraphQLField | None = parent.fields.get(name)
        return found
    return None


def _is_list(definition: GraphQLField) -> bool:
    kind = definition.type
    return isinstance(kind.of_type if isinstance(kind, GraphQLNonNull) else kind, GraphQLList)


def prepare_all(
    schema: GraphQLSchema,
    operations: Mapping[str | None, OperationDefinitionNode],
    fragments: Mapping[str, FragmentDefinitionNode],
    budget: Budget,
) -> Mapping[str | None, Cost]:
    """The costs of all `operations` of one valid document, by name."""
    costing = Costing(schema, fragments, budget)
    return {name: costing.prepare(operation) for name, operation in operations.items()}
