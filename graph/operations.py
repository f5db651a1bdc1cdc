"""Operations made ready to run: what of them can be prepared is prepared once per document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

from graphql import (
    FragmentDefinitionNode,
    GraphQLDirective,
    GraphQLIncludeDirective,
    GraphQLSchema,
    GraphQLSkipDirective,
    Node,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    Visitor,
    visit,
)
from graphql.execution.collect_fields import FragmentDetails
from graphql.execution.values import VariableValues, get_directive_values

from graph.documents import Document
from graph.plan import Plan, Planner
from graph.variables import PlainVariables, coerce_variables
from graph.weighed import Weighed
from models.vocabulary import OnDenied, Purpose

_PLANS: Final = 2_000
_WEIGHT: Final = 100_000  # of all plans together, about half a kilobyte each


@dataclass(slots=True, eq=False)
class Operation:
    """One operation of a document. `weight` is the document's: its tokens."""

    node: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    details: dict[str, FragmentDetails]
    conditions: tuple[str, ...]
    declares_by_variable: bool
    weight: int
    declared: tuple[Purpose | None, OnDenied] | None = None
    plain: PlainVariables | None = None

    @property
    def is_query(self) -> bool:
        return self.node.operation is OperationType.QUERY


class Operations:
    """Operations, each kept for as long as its document is, and a bounded store of their plans."""

    def __init__(
        self, schema: GraphQLSchema, planner: Planner, purpose: GraphQLDirective, weight: int = _WEIGHT
    ) -> None:
        self._schema, self._planner = schema, planner
        self._purpose = purpose
        # The inner keys are identities: hashing a syntax tree walks it. The document keeps the nodes alive.
        self._known: WeakKeyDictionary[Document, dict[int, Operation]] = WeakKeyDictionary()
        self._plans = Weighed[tuple[Operation, tuple[object, ...]], Plan](_PLANS, weight)

    def get(self, document: Document, node: OperationDefinitionNode) -> Operation:
        """The operation of a document's node, from the store or made now."""
        known = self._known.get(document)
        if known is None:
            known = self._known[document] = {}
        operation = known.get(id(node))
        if operation is None:
            operation = known[id(node)] = _make(document, node)
        return operation

    def variables(self, operation: Operation, raw: Mapping[str, Any]) -> VariableValues:
        """The coerced variables of a request. Raises as `coerce_variables`."""
        if operation.plain is None:
            operation.plain = PlainVariables(self._schema, operation.node)
        found = operation.plain.coerce(raw)
        return coerce_variables(self._schema, operation.node, raw) if found is None else found

    def plan(self, operation: Operation, variables: VariableValues, *, kept: bool = True) -> Plan:
        """The plan for the conditions (`@skip`, `@include`) that `variables` fulfil.

        Nothing is remembered of it unless its document is `kept`: of documents that are asked for once,
        plans and decisions would only drive out others.
        """
        key = operation, tuple(variables.coerced.get(name) for name in operation.conditions)
        plan = self._plans.get(key)
        if plan is None:
            plan = self._planner.plan(operation.node, operation.fragments, variables)
            plan.weight, plan.kept = plan.weight + operation.weight, kept
            if kept:
                self._plans.put(key, plan, plan.weight)
        return plan

    def declared(self, operation: Operation, variables: VariableValues) -> tuple[Purpose | None, OnDenied]:
        """What the operation's `@purpose` says, if it has one."""
        if operation.declared is not None:
            return operation.declared
        values = get_directive_values(self._purpose, operation.node, variables) if operation.node.directives else None
        found = (values["is"], values.get("onDenied") or OnDenied.REJECT) if values else (None, OnDenied.REJECT)
        if not operation.declares_by_variable:
            operation.declared = found
        return found


def _make(document: Document, node: OperationDefinitionNode) -> Operation:
    finder = _Conditions()
    visit(document.ast, finder)
    details = {name: FragmentDetails(fragment, None) for name, fragment in document.fragments.items()}
    by_variable = any(
        isinstance(argument.value, VariableNode)
        for directive in node.directives or ()
        for argument in directive.arguments or ()
    )
    return Operation(node, document.fragments, details, tuple(sorted(finder.names)), by_variable, document.tokens)


class _Conditions(Visitor):
    """Finds the variables that decide what is selected."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_directive(self, node: Node, *_: object) -> None:
        """Note the variables of `@skip` and `@include`."""
        if node.name.value in (GraphQLSkipDirective.name, GraphQLIncludeDirective.name):  # type: ignore[attr-defined]  # a directive node, as the loop has seen
            self.names.update(
                argument.value.name.value
                for argument in node.arguments or ()  # type: ignore[attr-defined]  # a directive node, as the loop has seen
                if isinstance(argument.value, VariableNode)
            )
