"""Requests made to hurt: each gets a well-formed error, and the next good one its answer."""

from __future__ import annotations

import time
from typing import Any, Final

import httpx
import pytest

from tests.e2e.conftest import Who
from tests.e2e.server import GRAPHQL, Account

BOMB: Final = "{ ...F0 } " + " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(40))
DOCUMENTS: Final = {
    "fragments that each spread the next twice": BOMB + " fragment F40 on Query { __typename }",
    "fragments in a circle": "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
    "a thousand aliases": "{" + " ".join(f"a{n}: purposes {{ key }}" for n in range(1000)) + "}",
    "ten thousand levels": "{ me " * 10_000 + "{ id }" + "}" * 10_000,
    "a list ten thousand deep": "{ user(by: {id: " + "[" * 10_000 + "]" * 10_000 + "}) { id } }",
    "a hundred thousand names": "{" + " a" * 100_000 + "}",
    "repeated directives": "{ __typename " + "@skip(if: false) " * 5_000 + "}",
    "a million rows": "{ users(first: 1000000) { nodes { id } } }",
    "pages in all names": "{" + " ".join(f"a{n}: users(first: 100) {{ nodes {{ id }} }}" for n in range(90)) + "}",
    "a negative page": "{ users(first: -1) { nodes { id } } }",
    "deep introspection": "{ __schema { types "
    + "{ fields { type { fields { type " * 20
    + "{ name }"
    + "} } } }" * 20
    + " } }",
    "many variables": "query (" + " ".join(f"$v{n}: String" for n in range(5_000)) + ") { __typename }",
    "two names for one person": '{ user(by: {username: "subject", email: "subject@demo.example"}) { id } }',
    "no name for one person": "{ user(by: {}) { id } }",
    "null for one person": "{ user(by: {username: null}) { id } }",
    "a variable without a value for one person": "query ($n: String) { user(by: {username: $n}) { id } }",
    "nothing": "",
    "white space": " \n" * 100_000,
    "a null byte": '{ user(by: {username: "a\\u0000b"}) { id } }',
    "a lone surrogate": '{ user(by: {username: "\\uD800"}) { id } }',
    "a subscription": "subscription { me { id } }",
    "two operations": "query A { __typename } query B { __typename }",
}
BODIES: Final[dict[str, bytes]] = {
    "ten megabytes": b'{"query": "' + b"a" * 10_000_000 + b'"}',
    "brackets": b"[" * 100_000,
    "nested objects": b'{"query": "{ __typename }", "variables": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}",
    "a batch": b'[{"query": "{ __typename }"}, {"query": "{ __typename }"}]',
    "no JSON": b"query { __typename }",
    "no UTF-8": b'{"query": "\xff\xfe"}',
    "numbers": b'{"query": 1e400}',
    "null": b"null",
    "empty": b"",
}
OPERATORS: Final[list[Any]] = [
    {"$ne": ""},
    {"$gt": ""},
    {"$where": "sleep(5000)"},
    {"$regex": ".*"},
    ["$ne"],
    {"a.$": 1},
]


def assert_refused(response: httpx.Response, account: Account) -> None:
    """A well-formed error, and the service goes on."""
    assert 400 <= response.status_code < 500, response.text[:200]
    answer = response.json()
    assert "data" not in answer
    assert all(error["message"] and error["extensions"]["code"] for error in answer["errors"])
    assert len(response.content) < 20_000
    began = time.monotonic()
    assert account.data("{ me { username } }", purpose="ACCOUNT") == {"me": {"username": "subject"}}
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_hostile_document(name: str, who: Who) -> None:
    """Refused before it costs anything."""
    assert_refused(who("subject").ask(DOCUMENTS[name], purpose="ACCOUNT"), who("subject"))


@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_body(name: str, who: Who) -> None:
    """Refused, whoever sends it."""
    account = who("subject")
    headers = {"accept": GRAPHQL, "content-type": "application/json", "authorization": f"Bearer {account.token}"}
    response = account.server.http.post("/graphql", content=BODIES[name], headers=headers)
    assert_refused(response, account)


@pytest.mark.parametrize("value", OPERATORS, ids=str)
@pytest.mark.parametrize(
    "query",
    [
        "query ($v: UserBy!) { user(by: $v) { id } }",
        "query ($v: UserFilter) { users(filter: $v) { nodes { id } } }",
        "query ($v: ID!) { node(id: $v) { id } }",
        "query ($v: String) { users(after: $v) { nodes { id } } }",
    ],
)
def test_an_operator_as_a_variable(query: str, value: object, who: Who) -> None:
    """Is no value of any input type."""
    assert_refused(who("subject").ask(query, {"v": value}, purpose="ACCOUNT"), who("subject"))


@pytest.mark.parametrize("text", ['{"$ne": ""}', "$where", ".*", "' || 1 == 1 || '", "subject\u0000", "{$gt: ''}"])
def test_an_operator_inside_a_string_is_only_a_string(text: str, who: Who) -> None:
    """It names nobody, or is refused; it never finds somebody else."""
    query = "query ($by: UserBy!) { user(by: $by) { id } }"
    for key in ("username", "id", "email"):
        answer = who("support").ask(query, {"by": {key: text}}, purpose="SUPPORT").json()
        assert (answer.get("data") or {"user": None})["user"] is None
