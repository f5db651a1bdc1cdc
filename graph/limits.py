"""How large a document may be: nesting, depth, aliases, fields.

Every figure is that of the document with all its fragments spread out, yet found in time linear in
the text: each fragment is measured once and its figures are added wherever it is spread, so that
fragments that each spread the next one twice cost nothing. Nothing here needs a schema or a valid
document: unknown types, missing fragments and fragments in circles are measured as far as they go
and left to validation. What an answer may cost is in `graph.cost`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
)
from graphql.language import InlineFragmentNode

from models.errors import LimitExceeded

MAX_NESTING: Final = 100
_BRACKETS: Final = re.compile(
    r'"""(?:\\"""|[^"]|"(?!""))*+"""|"(?:\\.|[^"\\\n])*+"|\#[^\n]*+|(?P<open>[\[{(])|(?P<close>[\]})])'
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the server accepts.

    Tokens, depth, aliases and fields are of one document, and `max_overlap` is what validation may
    have to compare in it (see `measure_overlap`; the default is about 0.05 s at worst). `max_cost`
    is of one operation, about the number of values its answer may hold; `max_page` is the greatest
    `first`; `max_body_bytes` is of a request's body; `seconds` is for a whole request and
    `body_seconds` for receiving its body.
    """

    max_tokens: int = 2_000
    max_depth: int = 16
    max_aliases: int = 50
    max_fields: int = 1_000
    max_overlap: int = 12_000
    max_cost: int = 20_000
    max_page: int = 100
    max_body_bytes: int = 256_000
    seconds: float = 10.0
    body_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class Measures:
    """The size of an operation or fragment with everything it spreads.

    `depth` counts fields within fields, `nesting` selection sets within selection sets (fragments
    count as well), `aliases` and `fields` every occurrence.
    """

    depth: int = 0
    nesting: int = 0
    aliases: int = 0
    fields: int = 0


@dataclass(slots=True)
class _Local:
    """What one definition holds by itself, and the fragments it spreads with where it does."""

    depth: int = 0
    nesting: int = 0
    aliases: int = 0
    fields: int = 0
    spreads: list[tuple[str, int, int]] = field(default_factory=list)


def check_nesting(text: str) -> None:
    """Refuse a text whose brackets nest deeper than a parser should recurse; linear in the text.

    Brackets within strings and comments do not count. Raises `LimitExceeded`.
    """
    depth = 0
    for match in _BRACKETS.finditer(text):
        if match["open"]:
            depth += 1
            if depth > MAX_NESTING:
                raise LimitExceeded(f"The document is nested deeper than {MAX_NESTING} levels.")
        elif match["close"]:
            depth -= 1


def check_size(document: DocumentNode, limits: Limits) -> None:
    """Refuse a document that is deeper or larger than `limits` say. Raises `LimitExceeded`."""
    for measures in measure(document):
        _refuse_above(measures.nesting, MAX_NESTING, "levels of selections, fragments included")
        _refuse_above(measures.depth, limits.max_depth, "levels of fields")
        _refuse_above(measures.aliases, limits.max_aliases, "aliases, fragments spread out")
        _refuse_above(measures.fields, limits.max_fields, "fields, fragments spread out")
    if measure_overlap(document) > limits.max_overlap:
        raise LimitExceeded("The document selects the same fields too many times over.")


def _refuse_above(count: int, limit: int, what: str) -> None:
    if count > limit:
        raise LimitExceeded(f"The document has more than {limit} {what}.")


def measure(document: DocumentNode) -> list[Measures]:
    """The measures of every operation and fragment, in no particular order."""
    fragments: dict[str, _Local] = {}
    operations: list[_Local] = []
    for definition in document.definitions:
        if isinstance(definition, FragmentDefinitionNode):
            fragments.setdefault(definition.name.value, _measure_alone(definition.selection_set))
        elif isinstance(definition, OperationDefinitionNode):
            operations.append(_measure_alone(definition.selection_set))
    totals = _measure_fragments(fragments)
    return [*totals.values(), *(_add_up(local, totals) for local in operations)]


def _measure_alone(selection_set: SelectionSetNode) -> _Local:
    local = _Local()
    stack = [(selection_set, 0, 1)]
    while stack:
        current, depth, nesting = stack.pop()
        local.nesting = max(local.nesting, nesting)
        for selection in current.selections:
            if isinstance(selection, FieldNode):
                local.fields += 1
                local.aliases += selection.alias is not None
                local.depth = max(local.depth, depth + 1)
                if selection.selection_set is not None:
                    stack.append((selection.selection_set, depth + 1, nesting + 1))
            elif isinstance(selection, InlineFragmentNode):
                stack.append((selection.selection_set, depth, nesting + 1))
            elif isinstance(selection, FragmentSpreadNode):
                local.spreads.append((selection.name.value, depth, nesting))
    return local


def _measure_fragments(fragments: Mapping[str, _Local]) -> dict[str, Measures]:
    """Each fragment once, those it spreads first; walked without recursion.

    A spread that closes a circle adds nothing: validation reports it.
    """
    totals: dict[str, Measures] = {}
    for root in fragments:
        stack, begun = [root], set[str]()
        while stack:
            name = stack[-1]
            if name in totals:
                stack.pop()
            elif name in begun:
                totals[name] = _add_up(fragments[name], totals)
            else:
                begun.add(name)
                spread = {name for name, _, _ in fragments[name].spreads}
                stack.extend(spread & fragments.keys() - totals.keys() - begun)
    return totals


def _add_up(local: _Local, totals: Mapping[str, Measures]) -> Measures:
    depth, nesting, aliases, fields = local.depth, local.nesting, local.aliases, local.fields
    for name, spread_depth, spread_nesting in local.spreads:
        if (fragment := totals.get(name)) is not None:
            depth = max(depth, spread_depth + fragment.depth)
            nesting = max(nesting, spread_nesting + fragment.nesting)
            aliases += fragment.aliases
            fields += fragment.fields
    return Measures(depth, nesting, aliases, fields)


def measure_overlap(document: DocumentNode) -> int:
    """A bound on the pairs of fields with one response name that may come to lie in one place.

    Validation compares such fields two by two, which makes it slow on a document that says the
    same over and over. Fields lie in one place only when the fields around them have one name;
    what is at the top of a fragment may come to lie beside any field. Fragments are compared two
    by two as well.
    """
    inside: Counter[tuple[str, str]] = Counter()
    loose: Counter[str] = Counter()
    fragments = sum(isinstance(definition, FragmentDefinitionNode) for definition in document.definitions)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode):
            root = "" if isinstance(definition, OperationDefinitionNode) else None
            _count_names(definition.selection_set, root, inside, loose)
    everywhere: Counter[str] = Counter()
    for (_, name), count in inside.items():
        everywhere[name] += count
    squares = fragments * fragments + sum(count * count for count in inside.values())
    return squares + sum(count * (count + 2 * everywhere[name]) for name, count in loose.items())


def _count_names(
    selection_set: SelectionSetNode, root: str | None, inside: Counter[tuple[str, str]], loose: Counter[str]
) -> None:
    stack = [(selection_set, root)]
    while stack:
        current, around = stack.pop()
        for selection in current.selections:
            if isinstance(selection, FieldNode):
                name = (selection.alias or selection.name).value
                if around is None:
                    loose[name] += 1
                else:
                    inside[around, name] += 1
                if selection.selection_set is not None:
                    stack.append((selection.selection_set, name))
            elif isinstance(selection, InlineFragmentNode):
                stack.append((selection.selection_set, around))
