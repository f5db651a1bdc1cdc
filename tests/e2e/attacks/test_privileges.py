"""No mutation's input gives more rights than its caller has."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    get_named_type,
)

from graph.schema import build, graphql_schema
from models.user import UserDocument
from tests.e2e.attacks.tables import table
from tests.e2e.conftest import Newcomer
from tests.e2e.second_factors import arrive
from tests.e2e.server import Account, Server

Input = dict[str, Any]

SCHEMA: Final = graphql_schema(build())
MUTATIONS: Final = SCHEMA.mutation_type.fields if SCHEMA.mutation_type else {}
# What is stored of people, as it is stored and as it is asked for, and what other programs make of input.
SMUGGLED: Final = sorted(
    {
        *UserDocument.model_fields,
        *(re.sub(r"_(\w)", lambda found: found[1].upper(), name) for name in UserDocument.model_fields),
        *("_id", "role", "isAdmin", "admin", "person", "principal", "purposes", "scopes", "session", "methods", "amr"),
        *("__proto__", "constructor", "__class__", "$set", "$where"),
    }
)
PLAIN: Final[Mapping[str, object]] = {
    "String": "x",
    "ID": "usr_eu_01hzzzzzzzzzzzzzzzzzzzzzzz",
    "Int": 1,
    "Boolean": False,
    "Date": "1990-01-01",
    "DateTime": "2030-01-01T00:00:00Z",
}


def sample(given: GraphQLInputType) -> object:
    """A value that the type takes."""
    if isinstance(given, GraphQLNonNull):
        return sample(given.of_type)
    if isinstance(given, GraphQLList):
        return [sample(given.of_type)]
    if isinstance(given, GraphQLEnumType):
        return next(iter(given.values))
    if isinstance(given, GraphQLInputObjectType):
        return {name: sample(field.type) for name, field in given.fields.items()}
    return PLAIN[given.name]


def objects(given: GraphQLInputType, value: Any) -> Iterator[tuple[GraphQLInputObjectType, Input]]:  # noqa: ANN401 - any type, as the caller has it
    """Every input object inside `value`, with its type."""
    named = get_named_type(given)
    if isinstance(named, GraphQLInputObjectType):
        yield named, value
        for name, field in named.fields.items():
            yield from objects(field.type, value[name])


def inputs() -> Iterator[Any]:
    """Each mutation that takes an object, each object in it, and each field that does not belong there."""
    for mutation, field in MUTATIONS.items():
        for argument in field.args.values():
            for position, (kind, _) in enumerate(objects(argument.type, sample(argument.type))):
                yield pytest.param(mutation, position, id=f"{mutation}-{kind.name}")


@pytest.mark.parametrize(("mutation", "position"), list(inputs()))
def test_no_input_takes_a_field_that_is_not_its_own(mutation: str, position: int, server: Server) -> None:
    """Whatever is stored of people, none of it is written by being sent along; without it the input is read."""
    [argument] = MUTATIONS[mutation].args.values()
    document = f"mutation ($input: {argument.type}) {{ {mutation}(input: $input) {{ __typename }} }}"
    as_it_should_be = server.post(document, {"input": sample(argument.type)}).json()
    assert "BAD_USER_INPUT" not in _codes(as_it_should_be), as_it_should_be
    for name in SMUGGLED:
        given = sample(argument.type)
        kind, target = list(objects(argument.type, given))[position]
        if name in kind.fields:
            continue
        target[name] = "x"
        answer = server.post(document, {"input": given})
        assert (answer.status_code, _codes(answer.json())) == (400, {"BAD_USER_INPUT"}), name


def _codes(body: Input) -> set[str]:
    return {error["extensions"]["code"] for error in body.get("errors", ())}


def test_every_input_that_names_somebody_or_something_is_attacked() -> None:
    """A mutation that takes an id has a line in the table that gives another's."""
    attacked = {entry.values[0]["call"].partition("(")[0] for entry in table("privileges")}
    naming = {
        mutation
        for mutation, field in MUTATIONS.items()
        for argument in field.args.values()
        for kind, _ in objects(argument.type, sample(argument.type))
        if any(get_named_type(member.type).name == "ID" for member in kind.fields.values())
    }
    assert {"updateUser", "endSession"} <= naming
    assert naming <= attacked


@dataclass(frozen=True)
class World:
    """An ordinary person, and what belongs to another."""

    me: Account
    names: Mapping[str, str]
    other: str


@pytest.fixture(scope="module")
def world(server: Server) -> World:
    """Somebody who attacks, and somebody who has things worth having."""
    attacker, other = arrive(server), arrive(server)
    other.enrol_app()
    until = time.monotonic() + 20
    with server.database() as client:
        stored = client.get_default_database()
        session = stored.sessions.find_one({"person": other.account.id})
        factor = stored.factors.find_one({"person": other.account.id})
        # What the registration set going in the background is done by then.
        while stored.tickets.find_one({"person": other.account.id}) is None:
            assert time.monotonic() < until, "no link was sent to the new address"
            time.sleep(0.05)
    assert session is not None
    assert factor is not None
    names = {
        "$me": attacker.account.id,
        "$other": other.account.id,
        "$session": session["_id"],
        "$factor": factor["_id"],
    }
    return World(attacker.account, {**names, "$grant": "brk_eu_01hzzzzzzzzzzzzzzzzzzzzzzz"}, other.account.id)


@pytest.mark.parametrize("attack", table("privileges"))
def test_an_ordinary_person_gets_at_nothing_else(attack: Mapping[str, Any], world: World, server: Server) -> None:
    """It is refused, and nothing that is stored of the other one has changed; nor what oneself may do."""
    before = _everything(server, world)
    call = attack["call"]
    for word, value in world.names.items():
        call = call.replace(word, value)
    field = call.partition("(")[0]
    body = world.me.ask(
        f"mutation {{ {field}{call.removeprefix(field)} {{ errors {{ code }} }} }}",
        purpose=attack.get("purpose", "ACCOUNT"),
    ).json()
    payload = (body.get("data") or {}).get(field) or {"errors": []}
    codes = _codes(body) | {error["code"] for error in payload["errors"]}
    assert codes, body
    assert codes <= set(attack["codes"]), body
    assert _everything(server, world) == before


def _everything(server: Server, world: World) -> dict[str, Any]:
    with server.database() as client:
        stored = client.get_default_database()
        kept = {name: list(stored[name].find({"person": world.other})) for name in ("sessions", "factors", "tickets")}
        people = {"_id": {"$in": [world.other, world.me.id]}}
        return {**kept, "users": list(stored.users.find(people).sort("_id")), "all": stored.users.count_documents({})}


def test_registering_again_changes_nobody(server: Server, newcomer: Newcomer) -> None:
    """Not even one's own account: whoever is there stays as they are."""
    account = newcomer()
    name = account.data("{ me { username } }", purpose="ACCOUNT")["me"]["username"]
    register = "mutation ($input: RegisterInput!) { register(input: $input) { user { id } errors { code } } }"
    again = {
        "username": name,
        "email": f"{name}@people.example",
        "password": "another-quiet-harbour",
        "fullName": "Owned",
    }
    answer = account.ask(register, {"input": again}).json()["data"]["register"]
    assert (answer["user"], [error["code"] for error in answer["errors"]]) == (None, ["TAKEN"])
    assert account.data("{ me { fullName } }", purpose="ACCOUNT")["me"]["fullName"] is None
