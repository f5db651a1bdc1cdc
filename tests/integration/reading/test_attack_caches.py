"""What one caller asks neither fills the memory of the service nor changes what another one gets."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auth.principal import NOBODY, Principal
from graph.messages import Answer, Client, GraphQLRequest
from graph.operations import Operation
from graph.plan import Plan
from models.vocabulary import Purpose, Role
from tests.integration.reading.world import Maker, World, make_engine

FIELDS = "id username email phone fullName givenName familyName birthDate country locale status createdAt"
MANY = "{" + " ".join(f"a{number}: me {{ {FIELDS} }}" for number in range(45)) + "}"
CONDITIONS = [f"$c{number}" for number in range(8)]


def alive(kind: type) -> int:
    """How many instances there are."""
    gc.collect()
    return sum(1 for it in gc.get_objects() if type(it) is kind)


@pytest.mark.slow
async def test_a_flood_of_documents_leaves_nothing_behind(world: World) -> None:
    """Documents that are sent once, by anybody: what was prepared for them goes with them, all but a bounded rest."""
    before = alive(Operation), alive(Plan)
    for number in range(250):
        assert (await world.ask(NOBODY, f"query Q{number} {MANY}")).status == 401
    after = alive(Operation), alive(Plan)
    # The stores of documents hold 125,000 tokens, that of plans 100,000 tokens and fields; each document has
    # more than 760 tokens, and with its fields more than 1,200.
    assert after[0] - before[0] <= 165
    assert after[1] - before[1] <= 85


async def test_a_flood_of_conditions_leaves_little_behind(world: World) -> None:
    """One document with many `@include`s has many plans; their weight together is bounded."""
    declared = ", ".join(f"{name}: Boolean!" for name in CONDITIONS)
    body = " ".join(f"a{i}: me @include(if: {name}) {{ {FIELDS} }}" for i, name in enumerate(CONDITIONS * 5))
    before = alive(Plan)
    for number in range(2 ** len(CONDITIONS)):
        chosen = {name[1:]: bool(number >> place & 1) for place, name in enumerate(CONDITIONS)}
        answer = await world.ask(NOBODY, f"query({declared}) {{ __typename {body} }}", None, **chosen)
        assert answer.status in (200, 401)
    assert alive(Plan) - before <= 150


TEXTS = (
    "query($id: ID!) { user(by: {id: $id}) { id username email birthDate } }",
    "query($id: ID!, $n: Boolean! = true) { node(id: $id) { id ... on User @include(if: $n) { email } } me { id } }",
    "query($id: ID!) @purpose(is: SUPPORT, onDenied: NULL) { user(by: {id: $id}) { username email birthDate } }",
    "query($id: ID!, $p: Purpose = ACCOUNT) @purpose(is: $p) { me { email country } node(id: $id) { __typename } }",
    "query($o: UserOrder) { users(first: 3, orderBy: $o) { nodes { username email lastSeenIp } } }",
    "query($f: UserFilter) { users(first: 3, filter: $f) { edges { node { id country email } } totalCount } }",
)
WORDS: tuple[dict[str, object], ...] = (
    {},
    {"o": {"field": "USERNAME"}},
    {"f": {"country": "DE"}},
    {"p": "SECURITY"},
    {"n": False},
)
REQUESTS = st.lists(
    st.tuples(
        st.integers(0, 7),
        st.integers(0, len(TEXTS) - 1),
        st.sampled_from([Purpose.ACCOUNT, Purpose.SUPPORT, Purpose.SECURITY]),
        st.integers(0, 2),
        st.integers(0, len(WORDS) - 1),
    ),
    min_size=2,
    max_size=5,
)


def callers(world: World, person: Maker, service: Maker) -> Sequence[Principal]:
    """Two plain people, staff of several roles, two services, one of another region, nobody."""
    purposes = [Purpose.ACCOUNT, Purpose.SUPPORT, Purpose.SECURITY]
    return [
        person(world.ids[0]),
        person(world.ids[1]),
        person(world.ids[0], Role.SUPPORT),
        person(world.ids[1], Role.SECURITY, Role.ADMIN),
        service("user.contact:read", purposes=purposes),
        service("user.contact:read", "user.account:read", "user.location:read", purposes=purposes),
        _abroad(person(world.ids[0], Role.SUPPORT)),
        NOBODY,
    ]


def _abroad(who: Principal) -> Principal:
    return replace(who, shape=replace(who.shape, region="us"))


@given(order=REQUESTS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_an_answer_does_not_depend_on_what_was_asked_before(
    world: World, person: Maker, service: Maker, order: list[tuple[int, int, Purpose, int, int]]
) -> None:
    """Whoever asked what for what purpose: each answer is that of a service that was just started."""
    known = callers(world, person, service)
    warm = make_engine(world.database, by_rows=True)
    for who, text, purpose, whom, words in order:
        fresh = make_engine(world.database, by_rows=True)
        variables = {"id": world.ids[whom], **WORDS[words]}
        answers: list[Answer] = [
            await engine.answer(
                GraphQLRequest(TEXTS[text], None, variables),
                known[who],
                declared_purpose=purpose,
                queries_only=False,
                client=Client(),
            )
            for engine in (warm, fresh)
        ]
        assert _comparable(answers[0]) == _comparable(answers[1])


@given(order=REQUESTS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_an_answer_does_not_depend_on_what_is_asked_at_the_same_moment(
    world: World, person: Maker, service: Maker, order: list[tuple[int, int, Purpose, int, int]]
) -> None:
    """Look-ups of several callers may go to the database together; each gets their own answer."""
    known = callers(world, person, service)

    async def ask(who: int, text: int, purpose: Purpose, whom: int, words: int) -> Answer:
        return await world.ask(known[who], TEXTS[text], purpose, id=world.ids[whom], **WORDS[words])

    # Everybody asks everything about everybody, so that many look-ups meet.
    requests = [(who, text, purpose, whom, words) for _, text, purpose, whom, words in order for who in range(8)]
    together = await asyncio.gather(*(ask(*request) for request in requests))
    for request, answer in zip(requests, together, strict=True):
        assert _comparable(answer) == _comparable(await ask(*request))


def _comparable(answer: Answer) -> tuple[int, dict[str, Any]]:
    for error in answer.body.get("errors", ()):
        error["extensions"].pop("decisionId", None)
    return answer.status, answer.body
