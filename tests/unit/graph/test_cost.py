"""What an operation may cost, with its variables filled in."""

from __future__ import annotations

import pytest
from graphql import GraphQLObjectType
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.cost import ASSUMED_LENGTH, DEAR
from graph.documents import Documents
from graph.limits import Limits
from graph.schema import build, graphql_schema
from models.errors import LimitExceeded
from tests.unit.graph.small_schema import small_schema

LIMITS = Limits(max_cost=10**9)


def cost(text: str, limits: Limits = LIMITS, **variables: object) -> int:
    """The cost of the one operation in `text`."""
    documents = Documents(small_schema(), limits)
    document = documents.get(text)
    assert not document.errors
    return documents.check_cost(document, None, variables)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{me{id name}}", 3),
        ("{users{totalCount}}", 1 + 20),
        ("{users(first: 3){nodes{id name}}}", 1 + 3 * (1 + 2)),
        ("{users(first: 0){nodes{id}}}", 1),
        ("{users(first: -5){nodes{id}}}", 1),
        ("{me{tags{text}}}", 1 + 1 + ASSUMED_LENGTH),
        ("{me{friends(first: 2){friends(first: 3){id}}}}", 1 + 1 + 2 * (1 + 3)),
        ("{me{friends{id}}}", 1 + 1 + LIMITS.max_page),
        ("{users(first: 3){...F}} fragment F on UserConnection{nodes{id}}", 1 + 3 * (1 + 1)),
        ("{users(first: 3){... on UserConnection{nodes{...G ...G}}}} fragment G on User{id}", 1 + 3 * (1 + 2)),
        ("{__schema{types{name}}}", DEAR["Query.__schema"] + 2),
        ("{__schema{types{...F}}} fragment F on __Type{fields{name}}", DEAR["Query.__schema"] + 3),
        ("{node{... on User{tags{text}}}}", 1 + 1 + ASSUMED_LENGTH),
    ],
)
def test_cost_is_the_number_of_values(text: str, expected: int) -> None:
    """A list multiplies what is within it by its page size."""
    assert cost(text) == expected


@given(st.integers(0, 100), st.integers(0, 100))
@settings(deadline=None)
def test_variables_cost_what_literals_cost(outer: int, inner: int) -> None:
    """It makes no difference how a page size is given, fragments included."""
    template = "{me{friends(first: %s){...F}}} fragment F on User{id friends(first: %s){id name}}"
    literal = cost(template % (outer, inner))
    assert cost("query($a: Int, $b: Int)" + template % ("$a", "$b"), a=outer, b=inner) == literal


@pytest.mark.parametrize("variables", [{}, {"n": None}])
def test_a_page_size_that_is_not_given_is_the_default(variables: dict[str, object]) -> None:
    """An absent or null variable leaves the argument's default."""
    assert cost("query($n: Int){users(first: $n){nodes{id}}}", LIMITS, **variables) == 1 + 20 * 2


def test_an_expensive_operation_is_refused() -> None:
    """The limit names itself and the way out."""
    with pytest.raises(LimitExceeded, match="the limit is 50"):
        cost("query($n: Int){users(first: $n){nodes{id name}}}", Limits(max_cost=50), n=20)


def test_a_page_above_the_limit_is_refused() -> None:
    """A page size in a variable is held to the limit, wherever it stands."""
    with pytest.raises(LimitExceeded, match="at most 100"):
        cost("query($n: Int){me{...F}} fragment F on User{friends(first: $n){id}}", n=101)


def test_a_literal_page_above_the_limit_is_refused() -> None:
    """A literal is known at once: the document itself is refused."""
    [error] = Documents(small_schema(), LIMITS).get("{users(first: 101){totalCount}}").errors
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"


def test_costs_that_multiply_without_end_are_refused_at_once() -> None:
    """Fragments of lists of lists are summed once each, whatever the sum."""
    chain = "".join(f"fragment F{i} on User{{friends(first: $n){{...F{i + 1}}}}}" for i in range(12))
    text = f"query($n: Int){{me{{...F0}}}}{chain}fragment F12 on User{{id}}"
    with pytest.raises(LimitExceeded, match="over a billion"):
        cost(text, n=100)


def test_fragments_that_double_are_summed_once_each() -> None:
    """Forty doublings with a variable in each: following every spread would never end."""
    chain = "".join(f"fragment F{i} on User{{...F{i + 1} friends(first: $n){{...F{i + 1}}}}}" for i in range(40))
    text = f"query($n: Int){{me{{...F0}}}}{chain}fragment F40 on User{{id}}"
    limits = Limits(max_depth=99, max_fields=10**20, max_cost=10**30)
    assert cost(text, limits, n=1) == 2 * 2**40


@pytest.mark.parametrize("coordinate", sorted(DEAR))
def test_a_dear_root_field_is_one_of_the_schema(coordinate: str) -> None:
    """A name that was changed would cost one again."""
    schema = graphql_schema(build())
    type_name, _, name = coordinate.partition(".")
    kind = schema.type_map[type_name]
    assert isinstance(kind, GraphQLObjectType)
    assert schema.get_field(kind, name) is not None


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("mutation", 'signIn(input: {login: "someone", password: "%d"}) { errors { code } }'),
        ("query", 'explainAccess(document: "{ me { id } } # %d") { verdict }'),
        ("query", "__schema { types { name } } # %d\n"),
    ],
)
def test_one_operation_does_dear_work_a_few_times_at_most(kind: str, field: str) -> None:
    """Forty passwords or forty documents in one request are the work of forty requests."""
    documents = Documents(graphql_schema(build()), Limits())

    def check(times: int) -> None:
        fields = " ".join(f"a{number}: {field % number}" for number in range(times))
        document = documents.get(f"{kind} {{ {fields} }}")
        assert not document.errors
        documents.check_cost(document, None, {})

    check(4)
    with pytest.raises(LimitExceeded):
        check(40)
