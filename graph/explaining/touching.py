"""What the arguments in a document touch, with the values of variables unknown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from graphql import (
    ArgumentNode,
    EnumValueNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    ListValueNode,
    Node,
    ObjectFieldNode,
    ObjectValueNode,
    ValueNode,
    VariableNode,
    get_named_type,
)

from auth.policy import Claim
from graph.access import Reads, Rows, Writes
from graph.catalogue import Catalogue, input_claim
from graph.plan import PlanRoot
from graph.templates import Touched
from graph.types.access import AccessUse


@dataclass(frozen=True, slots=True, eq=False)
class Touch:
    """One use of a field by an argument. `variable` names the one that may or may not hold it."""

    via: str
    use: AccessUse
    touched: Touched
    node: Node
    variable: str | None = None

    @property
    def claim(self) -> Claim:
        return self.touched.claim


def touches(root: PlanRoot, catalogue: Catalogue) -> list[Touch]:
    """All that the arguments of a root field use, or may use."""
    definition, node = root.field.definition, root.field.nodes[0]
    if definition is None:
        return []
    return [
        touch
        for argument in node.arguments or ()
        for touch in _value(get_named_type(definition.args[argument.name.value].type), argument.value, catalogue)
    ]


def names_oneself(root: PlanRoot) -> bool:
    """Whether a `CHOSEN` root certainly means the caller: an input written out, without an identifier."""
    if root.opens.rows is not Rows.CHOSEN:
        return False
    given: dict[str, ArgumentNode] = {it.name.value: it for it in root.field.nodes[0].arguments or ()}
    if "input" not in given:
        return False
    value = given["input"].value
    return isinstance(value, ObjectValueNode) and not {"id", "user"} & {field.name.value for field in value.fields}


def _value(kind: Any, value: ValueNode, catalogue: Catalogue) -> Iterator[Touch]:  # noqa: ANN401 - any input type
    if isinstance(value, VariableNode):
        yield from _anything(kind, value, catalogue, ())
    elif isinstance(value, ListValueNode):
        for item in value.values:
            yield from _value(kind, item, catalogue)
    elif isinstance(kind, GraphQLEnumType) and isinstance(value, EnumValueNode):
        yield from (it for it in _orders(kind, value, catalogue, None) if it.via == f"{kind.name}.{value.value}")
    elif isinstance(kind, GraphQLInputObjectType) and isinstance(value, ObjectValueNode):
        for field in value.fields:
            yield from _field(kind, field.name.value, field, catalogue, None)
            yield from _value(get_named_type(kind.fields[field.name.value].type), field.value, catalogue)


def _anything(kind: Any, node: VariableNode, catalogue: Catalogue, above: tuple[str, ...]) -> Iterator[Touch]:  # noqa: ANN401 - any input type
    """All that a variable of an input type could use."""
    if isinstance(kind, GraphQLEnumType):
        yield from _orders(kind, node, catalogue, node.name.value)
    elif isinstance(kind, GraphQLInputObjectType) and kind.name not in above:
        for name, field in kind.fields.items():
            yield from _field(kind, name, node, catalogue, node.name.value)
            yield from _anything(get_named_type(field.type), node, catalogue, (*above, kind.name))


def _field(
    kind: GraphQLInputObjectType,
    name: str,
    node: ObjectFieldNode | VariableNode,
    catalogue: Catalogue,
    variable: str | None,
) -> Iterator[Touch]:
    guard = catalogue.inputs[kind.name].get(name)
    coordinate = f"{kind.name}.{name}"
    if isinstance(guard, Writes):
        yield Touch(coordinate, AccessUse.WRITE, Touched(input_claim(catalogue, coordinate, guard)), node, variable)
    elif isinstance(guard, Reads):
        use = AccessUse.LOOK_UP if guard.exact else AccessUse.FILTER
        touched = Touched(catalogue.claim(guard.coordinate), clear=not guard.exact)
        yield Touch(coordinate, use, touched, node, variable)


def _orders(kind: GraphQLEnumType, node: Node, catalogue: Catalogue, variable: str | None) -> Iterator[Touch]:
    guards = {member.value: guard for member, guard in catalogue.enums[kind.name].items()}
    for name, value in kind.values.items():
        guard = guards.get(value.value)
        if guard is not None:
            touched = Touched(catalogue.claim(guard.coordinate), clear=True)
            yield Touch(f"{kind.name}.{name}", AccessUse.ORDER, touched, node, variable)
