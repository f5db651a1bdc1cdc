"""Whatever document is sent, no stored value comes back that the policy does not allow.

An independent witness: it knows nothing of plans and grants, only which value was stored for whom under
which label, and what the rule table says of that label.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from random import Random
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type, is_leaf_type
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auth.policy import Policy
from auth.principal import Principal
from graph.schema import build, graphql_schema
from models.activity import DeviceDocument, EventDocument, IpLogDocument
from models.conditions import verdict_of
from models.fields import labels_of
from models.session import SessionDocument
from models.user import UserDocument
from models.vocabulary import Label, Outcome, Purpose, Relation, Role
from tests.integration.reading.world import Maker, World
from tests.stores import clear

SCHEMA = graphql_schema(build())
POLICY = Policy("eu")
FRAGMENTS = 4
LIKELY = (
    (frozenset[Role](), Purpose.ACCOUNT),
    (frozenset({Role.SUPPORT}), Purpose.SUPPORT),
    (frozenset({Role.SECURITY}), Purpose.SECURITY),
    (frozenset({Role.ADMIN}), Purpose.ACCOUNT),
    (frozenset({Role.PRIVACY}), Purpose.LEGAL),
    (frozenset({Role.ANALYST}), Purpose.ANALYTICS),
)
SCOPES = (
    "user.contact:read",
    "user.name:read",
    "user.behavior:read",
    "user.device:read",
    "user.account:read",
    "user.account.username:read",
    "user.demographic.language:read",
    "user.privacy_preferences:read",
)


class Told(dict[str, set[tuple[str, Label]]]):
    """A stored value: whose it is, and its label."""

    def __repr__(self) -> str:
        return f"<{len(self)} values>"


class Writer:
    """Writes one random valid document: fragments within fragments, merged fields, conditions, aliases."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.used: set[str] = set()
        self.fragments: dict[int, str] = {}

    def document(self, purpose: Purpose) -> str:
        """An operation with up to three roots, and the fragments it spreads."""
        roots = [self.root(number) for number in range(self.random.randint(1, 3))]
        body = " ".join(roots)
        mode = self.random.choice(["REJECT", "NULL", "NULL", "NULL", "NULL"])
        given = {"id": "$id: ID!", "yes": "$yes: Boolean! = true", "no": "$no: Boolean = false", "n": "$n: Int = 2"}
        text = body + " ".join(self.fragments.values())
        declared = ", ".join(declaration for name, declaration in given.items() if re.search(rf"\${name}\b", text))
        head = f"query{f'({declared})' if declared else ''} @purpose(is: {purpose}, onDenied: {mode})"
        return f"{head} {{ {body} }} {' '.join(self.fragments.values())}"

    def root(self, number: int) -> str:
        """One root field; two of one name have different aliases, or are merged."""
        alias = self.random.choice(["", f"r{number}: "])
        user = self.selection("User", 0, FRAGMENTS)
        return self.random.choice(
            [
                f"{alias}me {user}",
                f"r{number}: user(by: {{id: $id}}) {user}",
                f"r{number}: node(id: $id) {{ id ...on Node {{ __typename }} ... on User {user} }}",
                f"r{number}: users(first: 4) {{ nodes {user} edges {{ cursor node {user} }} nodes {{ id }} }}",
                f"r{number}: users(first: 4, orderBy: {{field: LOGIN_COUNT}}) {{ ... {{ nodes {user} }} totalCount }}",
            ]
        )

    def selection(self, kind: str, depth: int, free: int) -> str:
        """A selection set on an object type; fragments numbered below `free` may be spread."""
        parts = [self.part(kind, depth, free) for _ in range(self.random.randint(1, 5))]
        return "{ " + " ".join(parts) + " }"

    def part(self, kind: str, depth: int, free: int) -> str:
        """A field, an inline fragment or a spread."""
        chance = self.random.random()
        when = self.random.choice(["", "", "", " @include(if: $yes)", " @skip(if: $no)", " @skip(if: $yes)"])
        if chance < 0.12:
            return f"...{self.random.choice(['', f' on {kind}'])}{when} {self.selection(kind, depth, free)}"
        if chance < 0.3 and kind == "User" and free > 0:
            return f"...{self.fragment(self.random.randrange(free))}{when}"
        if chance < 0.36:
            return "__typename"
        return self.field(kind, depth, free, when)

    def field(self, kind: str, depth: int, free: int, when: str) -> str:
        """A field with or without an alias; without, it merges with others of its name."""
        declared = SCHEMA.type_map[kind]
        assert isinstance(declared, GraphQLObjectType)
        name = self.random.choice(sorted(declared.fields))
        definition = declared.fields[name]
        named = get_named_type(definition.type)
        alias = self.random.choice(["", "", f"x_{name}: ", f"y_{name}: "])
        arguments = "(first: $n)" if "first" in definition.args else ""
        below = "" if is_leaf_type(named) else self.selection(named.name, depth + 1, free)
        return f"{alias}{name}{arguments}{when} {below}"

    def fragment(self, number: int) -> str:
        """The name of a fragment, made when it is first spread; it spreads only those of lower numbers."""
        if number not in self.fragments:
            self.fragments[number] = ""
            condition = self.random.choice(["User", "User", "Node"])
            body = self.selection("User", 0, number) if condition == "User" else "{ id ... on User { username email } }"
            self.fragments[number] = f"fragment F{number} on {condition} {body}"
        return f"F{number}"


@pytest.fixture(scope="module")
async def told(world: World) -> Told:
    """Every stored value that belongs to one person and one label alone."""
    found = Told()
    for document in (UserDocument, DeviceDocument, IpLogDocument, EventDocument, SessionDocument):
        labels = labels_of(document)
        rows = await world.database.find(document, {})
        await clear(world.database, document, *rows)
        for raw in rows:
            for path, label in labels.items():
                for value in _at(raw, path.split(".")):
                    found.setdefault(_text(value), set()).add((raw[document.PERSON], label))
    return Told({text: owners for text, owners in found.items() if len(owners) == 1 and len(text) > 4})


@given(
    seed=st.integers(0, 2**32),
    acting=st.sampled_from(LIKELY) | st.tuples(st.frozensets(st.sampled_from(Role)), st.sampled_from(Purpose)),
    scopes=st.none() | st.none() | st.lists(st.sampled_from(SCOPES), min_size=1, max_size=4, unique=True),
    who=st.integers(0, 9),
    whom=st.integers(0, 9),
)
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.slow
async def test_no_value_comes_back_that_is_not_allowed(
    world: World,
    person: Maker,
    service: Maker,
    told: Told,
    seed: int,
    acting: tuple[frozenset[Role], Purpose],
    scopes: list[str] | None,
    who: int,
    whom: int,
) -> None:
    """Every leaf of the answer, by renderers and by resolvers, is asked where it comes from."""
    roles, purpose = acting
    caller = person(world.ids[who], *roles) if scopes is None else service(*scopes, purposes=list(Purpose))
    text = Writer(Random(seed)).document(purpose)
    given = {"id": world.ids[whom]}
    for answer in (await world.ask(caller, text, None, **given), await world.slowly(caller, text, None, **given)):
        codes = {error["extensions"]["code"] for error in answer.body.get("errors", ())}
        assert codes <= {"FORBIDDEN", "LIMIT_EXCEEDED"}, (answer.body["errors"], text)
        for leaf in _leaves(answer.body.get("data")):
            for owner, label in told.get(_text(leaf), ()):
                await _assert_allowed(world, caller, purpose, owner, label)


async def _assert_allowed(world: World, caller: Principal, purpose: Purpose, owner: str, label: Label) -> None:
    if label is Label.UNIQUE_ID:
        return
    relation = Relation.SELF if owner == caller.person else Relation.OTHER
    decision = POLICY.decide(caller.shape, purpose, label, relation)
    assert decision.outcome is Outcome.CLEAR, (label, relation, decision)
    verdict = verdict_of(POLICY.grant(caller.shape, purpose, ()).conditions[relation])
    assert verdict is None or verdict(await world.row(owner)) is None, label


def test_the_witness_sees_what_is_there(told: Told) -> None:
    """It would be blind with few values of few labels."""
    labels = {label for owners in told.values() for _, label in owners}
    assert len(told) > 500
    assert labels >= {Label.EMAIL, Label.USERNAME, Label.NAME, Label.BIRTH_DATE, Label.IP_ADDRESS, Label.DEVICE_ID}


def _at(raw: Any, path: list[str]) -> Iterator[Any]:  # noqa: ANN401 - a stored document or a part of it
    if isinstance(raw, list):
        for item in raw:
            yield from _at(item, path)
    elif not path:
        if raw is not None and not isinstance(raw, dict | bool | int | bytes):
            yield raw
    elif isinstance(raw, dict) and path[0] in raw:
        yield from _at(raw[path[0]], path[1:])


def _leaves(value: Any) -> Iterator[Any]:  # noqa: ANN401 - an answer or a part of it
    if isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    elif value is not None and not isinstance(value, bool | int):
        yield value


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)
