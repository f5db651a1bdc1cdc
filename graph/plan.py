"""What an operation touches: a tree of the selected fields and the claims they make.

Pure; built once per document, operation and the values of variables in `@skip`/`@include`. Fragments
(named, inline, nested, on interfaces) are folded in, fields with one response key are merged, so
that the tree has the shape of the answer. `graph.limits` has bounded the expanded fields before.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLIncludeDirective,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSkipDirective,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
    is_object_type,
)
from graphql.execution.values import VariableValues, get_directive_values

from auth.policy import Claim
from graph.access import Opens, Rows
from graph.catalogue import Catalogue, FieldSpec
from graph.templates import Template
from models.vocabulary import Access

TYPENAME = "__typename"
META = (".__schema", ".__type")  # the ends of coordinates that ask about the schema itself


@dataclass(slots=True, eq=False)
class PlanField:
    """One entry of the answer: its response key, its definition and what is selected beneath.

    `children[type name][response key]`; `nodes` are all places in the document that ask for it.
    `path` are the response keys from the root, without list indices.
    """

    key: str
    coordinate: str
    definition: GraphQLField | None
    nodes: list[FieldNode]
    path: tuple[str, ...]
    spec: FieldSpec | None = None
    children: dict[str, dict[str, PlanField]] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class PlanRoot:
    """A root field: whose rows it opens, the output claims it makes and where its rows sit.

    `positions` maps response paths (`("users", "nodes")`) to fields that hold guarded rows. What is made for the root
    as it is asked for is kept in `matters` (by the gate) and `template` (`graph.arguments`).
    """

    field: PlanField
    opens: Opens
    claims: tuple[Claim, ...]
    selected: Mapping[str, tuple[PlanField, ...]]
    positions: Mapping[tuple[str, ...], PlanField]
    matters: dict[Hashable, bool] = dataclasses.field(default_factory=dict)
    template: Template | None = None

    @property
    def implied(self) -> tuple[Claim, ...]:
        """What calling it changes or reads, whatever it is given and whatever is selected."""
        labels = ((Access.WRITE, self.opens.changes), (Access.READ, self.opens.reads))
        return tuple(Claim(self.field.coordinate, label, access) for access, some in labels for label in some)


@dataclass(slots=True, eq=False)
class Plan:
    """An operation's roots. Compared and hashed by identity: one plan, one key of every cache.

    `public`: nobody needs to be signed in for any of it. `meta` is what it asks about the schema itself, as an
    operation of its own; then `operation` is the rest, and `keys` are the response keys of both, in order.
    `weight` is the number of its fields and of its document's tokens; `kept`: it is worth remembering.
    """

    operation: OperationDefinitionNode
    roots: tuple[PlanRoot, ...]
    public: bool
    is_query: bool
    meta: OperationDefinitionNode | None = None
    keys: tuple[str, ...] = ()
    weight: int = 0
    kept: bool = True


class Planner:
    """Builds plans against one schema."""

    def __init__(self, schema: GraphQLSchema, catalogue: Catalogue) -> None:
        self._schema = schema
        self._catalogue = catalogue

    def plan(
        self,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: VariableValues,
    ) -> Plan:
        """Plan one operation; `variables` are coerced, only those in skip/include matter."""
        root_type = self._schema.get_root_type(operation.operation)
        assert isinstance(root_type, GraphQLObjectType)  # noqa: S101 - validated before
        walk = _Walk(self._schema, self._catalogue, fragments, variables)
        fields = walk.collect(root_type, [operation.selection_set], ())
        asking = [entry for entry in fields.values() if entry.coordinate.endswith(META)]
        reading = [entry for entry in fields.values() if entry not in asking]
        roots = tuple(self._root(entry, root_type) for entry in reading)
        public = all(root.opens.rows in (Rows.PUBLIC, Rows.SUBJECT) for root in roots)
        plan = Plan(operation, roots, public, root_type is self._schema.query_type)
        if asking:
            plan.operation, plan.meta, plan.keys = _only(operation, reading), _only(operation, asking), tuple(fields)
        plan.weight = sum(1 for entry in fields.values() for _ in (entry, *_beneath(entry)))
        return plan

    def _root(self, entry: PlanField, root_type: GraphQLObjectType) -> PlanRoot:
        name = entry.coordinate.partition(".")[2]
        if name.startswith("__"):
            return PlanRoot(entry, Opens(Rows.PUBLIC), (), {}, {})
        opens = self._catalogue.roots[f"{root_type.name}.{name}"]
        selected: dict[str, list[PlanField]] = {}
        for child in (it for it in _beneath(entry) if it.spec is not None):
            selected.setdefault(child.coordinate, []).append(child)
        positions = dict(_positions(entry, self._catalogue))
        coordinates = dict.fromkeys(selected)
        if opens.rows in (Rows.OWN, Rows.CHOSEN, Rows.MANY) and (positions or root_type is self._schema.query_type):
            # Even `__typename` or a count tells that somebody exists.
            coordinates = {"User.id": None, **coordinates}
        claims = tuple(self._catalogue.claim(coordinate) for coordinate in coordinates)
        return PlanRoot(entry, opens, claims, {k: tuple(v) for k, v in selected.items()}, positions)


def _only(operation: OperationDefinitionNode, entries: Sequence[PlanField]) -> OperationDefinitionNode:
    """The operation with these root fields alone; fragments around them are folded in."""
    return OperationDefinitionNode(
        operation=operation.operation,
        name=operation.name,
        variable_definitions=operation.variable_definitions,
        directives=operation.directives,
        selection_set=SelectionSetNode(selections=tuple(node for entry in entries for node in entry.nodes)),
        loc=operation.loc,
    )


def _beneath(entry: PlanField) -> Iterator[PlanField]:
    for fields in entry.children.values():
        for child in fields.values():
            yield child
            yield from _beneath(child)


def _positions(entry: PlanField, catalogue: Catalogue) -> Iterator[tuple[tuple[str, ...], PlanField]]:
    """The outermost fields whose value is a guarded row or a list of them."""
    if any(name in catalogue.types for name in entry.children):
        yield entry.path, entry
        return
    for fields in entry.children.values():
        for child in fields.values():
            yield from _positions(child, catalogue)


class _Walk:
    """Collects fields as the execution would (GraphQL specification, section 6.3.2)."""

    def __init__(
        self,
        schema: GraphQLSchema,
        catalogue: Catalogue,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: VariableValues,
    ) -> None:
        self._schema, self._catalogue = schema, catalogue
        self._fragments, self._variables = fragments, variables

    def collect(
        self, parent: GraphQLObjectType, sets: Sequence[SelectionSetNode], path: tuple[str, ...]
    ) -> dict[str, PlanField]:
        """The fields of `parent` that `sets` select, by response key, with everything beneath."""
        grouped: dict[str, list[FieldNode]] = {}
        visited: set[str] = set()
        for selection_set in sets:
            self._group(parent, selection_set, grouped, visited)
        return {key: self._entry(parent, key, nodes, path) for key, nodes in grouped.items()}

    def _group(
        self,
        parent: GraphQLObjectType,
        selection_set: SelectionSetNode,
        grouped: dict[str, list[FieldNode]],
        visited: set[str],
    ) -> None:
        for node in selection_set.selections:
            if not self._included(node):
                continue
            if isinstance(node, FieldNode):
                key = node.alias.value if node.alias else node.name.value
                grouped.setdefault(key, []).append(node)
            elif isinstance(node, InlineFragmentNode):
                if node.type_condition is None or self._applies(node.type_condition.name.value, parent):
                    self._group(parent, node.selection_set, grouped, visited)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in visited:
                visited.add(node.name.value)
                fragment = self._fragments[node.name.value]
                if self._applies(fragment.type_condition.name.value, parent):
                    self._group(parent, fragment.selection_set, grouped, visited)

    def _entry(self, parent: GraphQLObjectType, key: str, nodes: list[FieldNode], path: tuple[str, ...]) -> PlanField:
        name = nodes[0].name.value
        here = (*path, key)
        definition = self._schema.get_field(parent, name)
        spec = self._catalogue.types.get(parent.name, {}).get(name)
        entry = PlanField(key, f"{parent.name}.{name}", definition, nodes, here, spec)
        sets = [node.selection_set for node in nodes if node.selection_set]
        if definition is not None and sets:
            for concrete in self._concrete(get_named_type(definition.type)):
                entry.children[concrete.name] = self.collect(concrete, sets, here)
        return entry

    def _concrete(self, named: Any) -> Sequence[GraphQLObjectType]:  # noqa: ANN401 - any named type
        if is_abstract_type(named):
            return self._schema.get_possible_types(named)
        return (named,) if is_object_type(named) else ()

    def _applies(self, condition: str, parent: GraphQLObjectType) -> bool:
        if condition == parent.name:
            return True
        named = self._schema.get_type(condition)
        return bool(named and is_abstract_type(named) and self._schema.is_sub_type(named, parent))

    def _included(self, node: SelectionNode) -> bool:
        if not node.directives:
            return True
        skip = get_directive_values(GraphQLSkipDirective, node, self._variables)
        include = get_directive_values(GraphQLIncludeDirective, node, self._variables)
        return not (skip and skip["if"] is True) and not (include and include["if"] is False)
