"""What the arguments of a root field touch, and whose row they name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from graphql import GraphQLEnumType, GraphQLError, GraphQLInputObjectType, get_named_type
from graphql.execution.values import VariableValues, get_argument_values

from graph.access import Reads, Rows
from graph.catalogue import Catalogue, input_claim
from graph.plan import PlanRoot
from graph.templates import Filled, Template, Touched, used_variables
from models.errors import BadInput
from models.names import email_key, normalise_username


class Chosen(NamedTuple):
    """The one person that arguments name: the stored path and value to look for."""

    path: str
    value: str

    @property
    def filter(self) -> Mapping[str, str]:
        """As a MongoDB filter; the value is a string, so no operator can hide in it."""
        return {self.path: self.value}


def arguments_of(root: PlanRoot, variables: VariableValues) -> Mapping[str, Any]:
    """The coerced arguments of a root field. Raises `BadInput` for what only its variables make wrong."""
    definition, template = root.field.definition, root.template
    if definition is None or not definition.args:
        return {}
    if template is not None and (filled := template.fill(variables.coerced)) is not None:
        return filled
    node = root.field.nodes[0]
    try:
        made = get_argument_values(definition, node, variables, None)
    except GraphQLError:
        # The library's message may hold the value.
        raise BadInput(f"The arguments of {root.field.coordinate} have a value that cannot be used.") from None
    if template is None and all(variables.coerced.get(name) is not None for name in used_variables(node)):
        root.template = Template.learn(definition, node, made)
    return made


def touched_by(root: PlanRoot, arguments: Mapping[str, Any], catalogue: Catalogue) -> tuple[Touched, ...]:
    """The claims that the given arguments make; what is not given claims nothing."""
    template = root.template
    if template is None or type(arguments) is not Filled:
        return _touched(root, arguments, catalogue)
    if template.touched is None:
        template.touched = _touched(root, arguments, catalogue)
    return template.touched


def _touched(root: PlanRoot, arguments: Mapping[str, Any], catalogue: Catalogue) -> tuple[Touched, ...]:
    definition = root.field.definition
    if definition is None:
        return ()
    found: dict[Touched, None] = {}
    for name, value in arguments.items():
        found.update(dict.fromkeys(_walk(get_named_type(definition.args[name].type), value, catalogue)))
    return tuple(found)


def _walk(kind: Any, value: Any, catalogue: Catalogue) -> Iterator[Touched]:  # noqa: ANN401 - any input type and value
    if isinstance(value, list):
        for item in value:
            yield from _walk(kind, item, catalogue)
    elif isinstance(kind, GraphQLEnumType):
        guard = catalogue.enums[kind.name].get(value)
        if guard is not None:
            yield Touched(catalogue.claim(guard.coordinate), clear=True)
    elif isinstance(kind, GraphQLInputObjectType) and isinstance(value, Mapping):
        for name, inner in value.items():
            guarded = catalogue.inputs[kind.name].get(name)
            if guarded is not None:
                clear = isinstance(guarded, Reads) and not guarded.exact
                yield Touched(input_claim(catalogue, f"{kind.name}.{name}", guarded), clear)
            yield from _walk(get_named_type(kind.fields[name].type), inner, catalogue)


def chosen(root: PlanRoot, arguments: Mapping[str, Any]) -> Chosen | None:
    """The person whom the arguments of a `CHOSEN` root name; None: the caller themself.

    A name or address that cannot exist is looked for all the same, and not found.
    """
    if root.opens.rows is not Rows.CHOSEN:
        return None
    if (changes := arguments.get("input")) is not None:
        # What a change gives besides the identifier is a new value, and names nobody.
        return choose({"id": changes.get("user", changes.get("id"))})
    return choose(arguments.get("by") or arguments)


def choose(keys: Mapping[str, Any]) -> Chosen | None:
    """The person that `id`, `username` or `email` among `keys` names."""
    if (identifier := keys.get("id")) is not None:
        return Chosen("_id", str(identifier))
    try:
        if "username" in keys:
            return Chosen("username_key", normalise_username(str(keys["username"]))[1])
        if "email" in keys:
            return Chosen("email", email_key(str(keys["email"])))
    except BadInput:
        return Chosen("_id", "")
    return None
