"""Row functions and ordinary resolvers give the same answers, whatever is asked and whoever asks."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLObjectType, get_named_type, is_leaf_type
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.schema import build, graphql_schema
from models.vocabulary import Purpose, Role
from tests.integration.reading.world import Maker, World

SCHEMA = graphql_schema(build())
SCOPES = ["user.contact:read", "user.name:read", "user.behavior:read", "user.device:read", "user.account:read"]


@st.composite
def selections(draw: st.DrawFn, type_name: str, depth: int = 0) -> str:
    """A selection set on a type: fields, aliases, arguments, directives, inline fragments."""
    kind = SCHEMA.type_map[type_name]
    assert isinstance(kind, GraphQLObjectType)
    parts = []
    for index, name in enumerate(draw(st.lists(st.sampled_from(sorted(kind.fields)), min_size=1, max_size=6))):
        parts.append(draw(entries(type_name, name, f"a{depth}{index}", depth)))
    if draw(st.booleans()):
        parts.append("__typename")
    return "{ " + " ".join(parts) + " }"


@st.composite
def entries(draw: st.DrawFn, type_name: str, name: str, alias: str, depth: int) -> str:
    """One field, perhaps inside of a fragment."""
    kind = SCHEMA.type_map[type_name]
    assert isinstance(kind, GraphQLObjectType)
    field = kind.fields[name]
    named = get_named_type(field.type)
    text = f"{alias}: {name}"
    if "first" in field.args and draw(st.booleans()):
        text += f"(first: {draw(st.integers(1, 4))})"
    text += draw(st.sampled_from(["", "", "", " @include(if: true)", " @skip(if: true)", " @skip(if: $no)"]))
    if not is_leaf_type(named):
        text += " " + draw(selections(named.name, depth + 1))
    wrap = draw(st.sampled_from(["{}", "{}", f"... on {type_name} {{{{ {{}} }}}}", "... @include(if: $yes) {{ {} }}"]))
    return wrap.format(text)


ROOTS = st.sampled_from(
    [
        "me %s",
        "user(by: {id: $id}) %s",
        "node(id: $id) { id ... on User %s }",
        "users(first: 5) { nodes %s }",
        "users(first: 5) { edges { node %s } nodes { id } }",
    ]
)
CALLERS = st.one_of(
    st.frozensets(st.sampled_from(sorted(Role)), max_size=2),
    st.lists(st.sampled_from(SCOPES), min_size=1, max_size=3, unique=True),
)

anything_asked = given(
    root=ROOTS,
    body=selections("User"),
    caller=CALLERS,
    purpose=st.sampled_from(sorted(Purpose)),
    on_denied=st.sampled_from(["REJECT", "NULL"]),
    who=st.integers(0, 39),
    whom=st.integers(0, 39),
)


@anything_asked
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_both_ways_agree(
    world: World,
    person: Maker,
    service: Maker,
    root: str,
    body: str,
    caller: frozenset[Role] | list[str],
    purpose: Purpose,
    on_denied: str,
    who: int,
    whom: int,
) -> None:
    """Data, errors (but for the ids of decisions) and what was withheld are equal."""
    principal = (
        person(world.ids[who], *caller) if isinstance(caller, frozenset) else service(*caller, purposes=list(Purpose))
    )
    text = (
        f"query($id: ID!, $no: Boolean!, $yes: Boolean!) @purpose(is: {purpose}, onDenied: {on_denied}) "
        f"{{ {root % body} }}"
    )
    if "$id" not in root:
        text = text.replace("$id: ID!, ", "")
    for name in ("$no", "$yes"):
        if text.count(name) == 1:
            text = (
                text.replace(f", {name}: Boolean!", "")
                .replace(f"{name}: Boolean!, ", "")
                .replace(f"({name}: Boolean!) ", " ")
            )
    given_ = {"id": world.ids[whom], "no": False, "yes": True}
    quick = await world.ask(principal, text, None, **given_)
    slow = await world.slowly(principal, text, None, **given_)
    assert "GRAPHQL_VALIDATION_FAILED" not in str(quick.body)
    assert quick.status == slow.status
    assert _without_ids(quick.body) == _without_ids(slow.body)
    _without_internal_errors(quick.body)


def _without_ids(body: dict[str, Any]) -> dict[str, Any]:
    for error in body.get("errors", ()):
        error["extensions"].pop("decisionId", None)
    return body


def _without_internal_errors(body: dict[str, Any]) -> None:
    assert "INTERNAL_SERVER_ERROR" not in {error["extensions"]["code"] for error in body.get("errors", ())}
