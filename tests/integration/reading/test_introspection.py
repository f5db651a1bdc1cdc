"""What introspection shows is what the engine admits: the same question asked both ways, field by field."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLSchema, build_client_schema, get_introspection_query, get_named_type, is_leaf_type

from auth.principal import NOBODY, Principal
from auth.rules import purposes_of_person
from graph.schema import build, graphql_schema
from models.vocabulary import Purpose, Role
from tests.integration.reading.world import Maker, World

FULL = graphql_schema(build())
INTROSPECTION = get_introspection_query(specified_by_url=True, input_value_deprecation=True)
ROLES = [*([role] for role in Role), [], [Role.SUPPORT, Role.ANALYST]]
SERVICES = [
    (["user.contact:read", "user.name:read"], Purpose.SUPPORT),
    (["user.device:read"], Purpose.SECURITY),
    (["user.behavior:read"], Purpose.ANALYTICS),
    (["user.contact:write"], Purpose.LEGAL),
]


async def seen(world: World, who: Principal, purpose: Purpose | None) -> GraphQLSchema:
    """The schema as a client builds it from the answer."""
    answer = await world.ask(who, INTROSPECTION, purpose)
    assert answer.status == 200
    return build_client_schema(answer.body["data"])


def names(schema: GraphQLSchema, type_name: str) -> set[str]:
    """The fields or values of a type."""
    kind: Any = schema.type_map.get(type_name)
    return set() if kind is None else set(getattr(kind, "fields", None) or kind.values)


async def usable(world: World, who: Principal, purpose: Purpose, *queries: str) -> bool:
    """Whether at least one of the queries is not refused."""
    found = [(await world.ask(who, query, purpose)).status for query in queries]
    assert set(found) <= {200, 403}
    return 200 in found


async def agree(world: World, who: Principal, purpose: Purpose) -> None:
    """Try every field of a person, every look-up, filter and order."""
    schema, other = await seen(world, who, purpose), world.ids[-1]
    user: Any = FULL.type_map["User"]
    for name, field in user.fields.items():
        leaf = is_leaf_type(get_named_type(field.type))
        part = f"{{ {name} }}" if leaf else f"{{ {name} {{ __typename }} }}"
        queries = [f"{{ user(by: {{id: {key!r}}}) {part} }}".replace("'", '"') for key in (who.id, other)]
        admitted = await usable(world, who, purpose, *queries, f"{{ users(first: 1) {{ nodes {part} }} }}")
        assert admitted == (name in names(schema, "User")), name
    for value in names(FULL, "UserOrderField"):
        query = f"{{ users(first: 1, orderBy: {{field: {value}}}) {{ nodes {{ id }} }} }}"
        assert await usable(world, who, purpose, query) == (value in names(schema, "UserOrderField")), value
    for name in ("country", "locale", "ageBand"):
        query = f'{{ users(first: 1, filter: {{{name}: "x"}}) {{ nodes {{ id }} }} }}'
        assert await usable(world, who, purpose, query) == (name in names(schema, "UserFilter")), name
    row = await world.row(who.id if who.id in world.ids else other)
    keys = {"id": row["_id"], "username": row["username"], "email": row["email"]}
    for name, key in keys.items():
        queries = [f'{{ user(by: {{{name}: "{value}"}}) {{ id }} }}' for value in (key, "nobody@else.example")]
        assert await usable(world, who, purpose, *queries) == (name in names(schema, "UserBy")), name


@pytest.mark.parametrize("roles", ROLES, ids=lambda roles: "+".join(roles) or "none")
async def test_people_see_what_they_can_use(world: World, person: Maker, roles: list[Role]) -> None:
    """Under each purpose of their tokens."""
    for purpose in purposes_of_person(frozenset(roles)):
        await agree(world, person(world.ids[0], *roles), purpose)


@pytest.mark.parametrize(("scopes", "purpose"), SERVICES, ids=str)
async def test_services_see_what_they_can_use(
    world: World, service: Maker, scopes: list[str], purpose: Purpose
) -> None:
    """As far as their scopes reach."""
    await agree(world, service(*scopes, purposes=[purpose]), purpose)


async def test_what_is_hidden_is_denied_and_not_unknown(world: World, person: Maker) -> None:
    """Asked for by name, it is FORBIDDEN with its reason, as the contract says; a type is not found."""
    who = person(world.ids[0], Role.SUPPORT)
    query = '{ __type(name: "User") { fields { name } } gone: __type(name: "Location") { name } }'
    answer = await world.ask(who, query, Purpose.SUPPORT)
    assert "birthDate" not in {field["name"] for field in answer.body["data"]["__type"]["fields"]}
    assert answer.body["data"]["gone"] is None
    refused = await world.ask(who, "{ users { nodes { birthDate } } }", Purpose.SUPPORT)
    assert refused.body["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_the_schema_and_rows_in_one_operation(world: World, person: Maker) -> None:
    """The schema's part is narrowed, the rows are read; aliases, fragments and the order of keys hold."""
    query = """
      query ($name: String!) { kind: __typename ...Schema me { id } ... on Query { it: __type(name: $name) { name } } }
      fragment Schema on Query { __schema { queryType { fields { name } } } }
    """
    answer = await world.ask(person(world.ids[0]), query, Purpose.ACCOUNT, name="UserFilter")
    data = answer.body["data"]
    assert list(data) == ["kind", "__schema", "me", "it"]
    assert (data["kind"], data["me"], data["it"]) == ("Query", {"id": world.ids[0]}, None)
    assert "users" not in {field["name"] for field in data["__schema"]["queryType"]["fields"]}


async def test_what_was_answered_before_does_not_stand_in_for_another_question(world: World, person: Maker) -> None:
    """One document, other variables; then another caller, another purpose."""
    who = person(world.ids[0])
    query = "query ($name: String!) { __type(name: $name) { name } }"
    for name in ("User", "Device", "UserFilter", "User"):
        answer = await world.ask(who, query, Purpose.ACCOUNT, name=name)
        assert answer.body == {"data": {"__type": None if name == "UserFilter" else {"name": name}}}
    plain = '{ __type(name: "Device") { name } }'
    for asker, purpose, expected in (
        (who, Purpose.ACCOUNT, {"name": "Device"}),
        (who, Purpose.PERSONALISATION, None),
        (person(world.ids[1], Role.SUPPORT), Purpose.SUPPORT, None),
        (who, Purpose.ACCOUNT, {"name": "Device"}),
    ):
        assert (await world.ask(asker, plain, purpose)).body == {"data": {"__type": expected}}


async def test_a_refused_operation_shows_no_schema(world: World, person: Maker) -> None:
    """What is refused is refused as a whole."""
    answer = await world.ask(person(world.ids[0]), "{ __schema { queryType { name } } users { totalCount } }")
    assert answer.status == 403
    assert "data" not in answer.body


async def test_conditions_count_in_the_schema_part_too(world: World) -> None:
    """`@skip` and `@include` around and within."""
    query = """
      query ($yes: Boolean!) {
        __schema { queryType { name @skip(if: $yes) kind } mutationType @skip(if: $yes) { name } }
        __type(name: "Query") @skip(if: $yes) { name }
      }
    """
    answer = await world.ask(NOBODY, query, yes=True)
    assert answer.body == {"data": {"__schema": {"queryType": {"kind": "OBJECT"}}}}


async def test_without_a_purpose_chosen_all_of_the_token_show(world: World, person: Maker) -> None:
    """And with one chosen, that one; the directive comes before the header."""
    who = person(world.ids[0], Role.SUPPORT)
    query = 'query %s { __type(name: "User") { fields { name } } }'
    found = []
    for directive, header in (("", None), ("", Purpose.SUPPORT), ("@purpose(is: SUPPORT)", Purpose.ACCOUNT)):
        answer = await world.ask(who, query % directive, header)
        found.append({field["name"] for field in answer.body["data"]["__type"]["fields"]})
    assert "birthDate" in found[0]
    assert "birthDate" not in found[1]
    assert found[1] == found[2]


@pytest.mark.parametrize(
    "query",
    [
        "{ me { emial } }",
        "{ usres { nodes { id } } }",
        "{ users(ordrBy: null) { nodes { id } } }",
        "{ users(orderBy: {field: LOGIN_COUN}) { nodes { id } } }",
        "{ users(filter: {contry: null}) { nodes { id } } }",
        "{ me { ... on Usr { id } } }",
    ],
)
async def test_a_slip_is_told_without_suggestions(world: World, query: str) -> None:
    """No "Did you mean", and no list of values that not everybody may use."""
    answer = await world.ask(NOBODY, query)
    assert answer.status == 400
    text = str(answer.body)
    for hidden in ("Did you mean", "LOGIN_COUNT", "'email'", '"email"', "orderBy:", "country"):
        assert hidden not in text
