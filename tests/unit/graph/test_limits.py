"""How large a document may be, and that finding out stays cheap."""

from __future__ import annotations

from dataclasses import replace

import pytest
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_introspection_query,
    parse,
)
from graphql.language import InlineFragmentNode
from hypothesis import given
from hypothesis import strategies as st

from graph.limits import MAX_NESTING, Limits, Measures, check_nesting, check_size, measure, measure_overlap
from models.errors import LimitExceeded
from tests.unit.graph.small_schema import circular_fragments, doubling_fragments

LIMITS = Limits()


def of_operation(text: str) -> Measures:
    """The measures of the one operation in a document."""
    return measure(parse(text))[-1]


def naive(document: DocumentNode) -> Measures:
    """The same, by spreading out every fragment wherever it is spread."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}

    def walk(selections: SelectionSetNode, depth: int, nesting: int) -> Measures:
        total = Measures(nesting=nesting)
        for node in selections.selections:
            part = Measures()
            if isinstance(node, FieldNode):
                part = Measures(depth + 1, 0, int(node.alias is not None), 1)
                if node.selection_set:
                    part = add(part, walk(node.selection_set, depth + 1, nesting + 1))
            elif isinstance(node, InlineFragmentNode):
                part = walk(node.selection_set, depth, nesting + 1)
            elif isinstance(node, FragmentSpreadNode) and node.name.value in fragments:
                part = walk(fragments[node.name.value].selection_set, depth, nesting + 1)
            total = add(total, part)
        return total

    operation = next(node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    return walk(operation.selection_set, 0, 1)


def add(one: Measures, two: Measures) -> Measures:
    """Two parts of one selection together."""
    return Measures(
        max(one.depth, two.depth), max(one.nesting, two.nesting), one.aliases + two.aliases, one.fields + two.fields
    )


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Random documents whose fragments spread only later ones, or none that exist."""
    count = draw(st.integers(0, 5))

    def selection(level: int, first: int) -> str:
        parts = []
        for _ in range(draw(st.integers(1, 3))):
            kind = draw(st.sampled_from(["leaf", "alias", "field", "inline", "spread"]))
            if kind in ("field", "inline") and level < 3:
                head = "best" if kind == "field" else "...on User"
                parts.append(f"{head}{{{selection(level + 1, first)}}}")
            elif kind == "spread":
                parts.append(f"...F{draw(st.integers(first, count))}")
            else:
                parts.append("id" if kind == "leaf" else "other: id")
        return " ".join(parts)

    text = f"{{{selection(0, 0)}}}"
    return text + "".join(f" fragment F{i} on User{{{selection(0, i + 1)}}}" for i in range(count))


@given(documents())
def test_measures_equal_those_of_the_document_spread_out(text: str) -> None:
    """Each fragment is measured once, and the figures are those of spreading it out everywhere."""
    assert of_operation(text) == naive(parse(text))


@given(documents())
def test_overlap_is_never_less_than_the_repeats_of_the_text(text: str) -> None:
    """A name that is selected n times in one place counts at least n squared."""
    repeated = text.replace("{", "{" + "id " * 30, 1)
    assert measure_overlap(parse(repeated)) >= 900


@pytest.mark.parametrize(
    ("text", "depth", "aliases", "fields"),
    [
        ("{me{id}}", 2, 0, 2),
        ("{a: me{b: id c: id}}", 2, 3, 3),
        ("{me{... on User{best{id}}}}", 3, 0, 3),
        ("{me{...F}} fragment F on User{best{id}}", 3, 0, 3),
        ("{me{...F ...F}} fragment F on User{x: id}", 2, 2, 3),
    ],
)
def test_depth_aliases_and_fields(text: str, depth: int, aliases: int, fields: int) -> None:
    """Fragments add what they hold wherever they are spread, and no depth of their own."""
    found = of_operation(text)
    assert (found.depth, found.aliases, found.fields) == (depth, aliases, fields)


def test_fragments_that_double_are_counted_in_full() -> None:
    """Sixty doublings are 2 ** 60 fields, found without visiting them."""
    assert of_operation(doubling_fragments(60)).fields == 2**60 + 1


def test_fragments_that_double_are_refused() -> None:
    """The document that hangs a server that follows every spread."""
    with pytest.raises(LimitExceeded, match="fields, fragments spread out"):
        check_size(parse(doubling_fragments(50)), LIMITS)


@pytest.mark.parametrize("count", [1, 2, 3, 50])
def test_fragments_in_a_circle_are_measured(count: int) -> None:
    """A circle is validation's to report; measuring it ends."""
    check_size(parse(circular_fragments(count)), LIMITS)


def test_missing_fragments_and_unknown_fields_are_measured() -> None:
    """No schema and no valid document is needed."""
    assert of_operation("{nothing{...Missing x}}").fields == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{" + "best{" * 16 + "id" + "}" * 17, "levels of fields"),
        ("{" + " ".join(f"a{i}: me{{id}}" for i in range(51)) + "}", "aliases"),
        ("{" + " ".join(f"f{i}" for i in range(1_001)) + "}", "fields"),
        ("{" + "...on Query{" * MAX_NESTING + "me{id}" + "}" * (MAX_NESTING + 1), "levels of selections"),
        ("{" + "me{id}" * 150 + "}", "same fields too many times"),
    ],
)
def test_what_is_above_a_limit_is_refused(text: str, message: str) -> None:
    """Each limit refuses by name."""
    with pytest.raises(LimitExceeded, match=message):
        check_size(parse(text), LIMITS)


def test_what_is_at_a_limit_is_accepted() -> None:
    """A limit is the greatest accepted figure."""
    check_size(parse("{a: me{b: id}}"), replace(LIMITS, max_depth=2, max_aliases=2, max_fields=2))


def test_a_chain_of_fragments_counts_as_nesting() -> None:
    """Fragments without fields between them would still make the executor recurse."""
    chain = "".join(f"fragment F{i} on User{{...F{i + 1}}}" for i in range(150))
    with pytest.raises(LimitExceeded, match="levels of selections"):
        check_size(parse(f"{{me{{...F0}}}}{chain}fragment F150 on User{{id}}"), LIMITS)


def test_the_introspection_query_of_clients_is_accepted() -> None:
    """GraphiQL sends it first of all."""
    check_size(parse(get_introspection_query(specified_by_url=True, input_value_deprecation=True)), LIMITS)


@pytest.mark.parametrize("opening", ["{", "[", "(", "{a(b:["])
def test_deep_brackets_are_refused_before_parsing(opening: str) -> None:
    """Ten thousand levels never reach the parser, which recurses."""
    with pytest.raises(LimitExceeded, match="nested deeper"):
        check_nesting(opening * 10_000)


@pytest.mark.parametrize(
    "text",
    [
        '{a(b: "' + "{" * 500 + '")}',
        '{a(b: "\\"' + "{" * 500 + '")}',
        '{a(b: """' + "{" * 500 + ' \\""" ' + "[" * 500 + '""")}',
        "# " + "{" * 500 + "\n{a}",
    ],
)
def test_brackets_in_strings_and_comments_do_not_nest(text: str) -> None:
    """Only the document's own brackets count."""
    check_nesting(text)
