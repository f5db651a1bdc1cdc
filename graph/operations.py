"""Operations made ready to run: what of them can be prepared is prepared once per document."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import (
    FragmentDefinitionNode,
    GraphQLDirective,
    GraphQLIncludeDirective,
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
from models.vocabulary import OnDenied, Purpose

_PLANS_PER_OPERATION = 64  # 2 to the number of conditions that a client really varies


@dataclass(slots=True, eq=False)
class Operation:
    """One operation of a document, and its plans by the values of its conditions."""

    node: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    details: dict[str, FragmentDetails]
    conditions: tuple[str, ...]
    declares_by_variable: bool
    declared: tuple[Purpose | None, OnDenied] | None = None
    plans: OrderedDict[tuple[object, ...], Plan] = field(default_factory=OrderedDict)

    @property
    def is_query(self) -> bool:
        return self.node.operation is OperationType.QUERY


class Operations:
    """A bounded store of operations, each kept with its document's nodes."""

    def __init__(self, planner: Planner, purpose: GraphQLDirective, size: int = 1_000) -> None:
        self._planner = planner
        self._purpose = purpose
        self._size = size
        # Keyed by identity: hashing a syntax tree walks it. The value keeps the node alive.
        self._known: OrderedDict[int, Operation] = OrderedDict()

    def get(self, document: Document, node: OperationDefinitionNode) -> Operation:
        """The operation of a node, from the store or made now."""
        operation = self._known.get(id(node))
        if operation is None:
            operation = self._known[id(node)] = _make(document, node)
            if len(self._known) > self._size:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(id(node))
        return operation

    def plan(self, operation: Operation, variables: VariableValues) -> Plan:
        """The plan for the conditions (`@skip`, `@include`) that `variables` fulfil."""
        key = tuple(variables.coerced.get(name) for name in operation.conditions)
        plan = operation.plans.get(key)
        if plan is None:
            plan = operation.plans[key] = self._planner.plan(operation.node, operation.fragments, variables)
            if len(operation.plans) > _PLANS_PER_OPERATION:
                operation.plans.popitem(last=False)
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
    return Operation(node, document.fragments, details, tuple(sorted(finder.names)), by_variable)


class _Conditions(Visitor):
    """Finds the variables that decide what is selected."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_directive(self, node: Node, *_: object) -> None:
        """Note the variables of `@skip` and `@include`."""
        if node.name.value in (GraphQLSkipDirective.name, GraphQLIncludeDirective.name):  # type: ignore[attr-defined]
            self.names.update(
                argument.value.name.value
                for argument in node.arguments or ()  # type: ignore[attr-defined]
                if isinstance(argument.value, VariableNode)
            )
