"""Bad bodies: each gets a well-formed error without a piece of itself, and the next good query is answered."""

from __future__ import annotations

import math

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import Message

from tests.e2e.small_api import GOOD, GRAPHQL, JSON, LIMITS, SmallApi, call, code_of
from tests.unit.graph.small_schema import circular_fragments, doubling_fragments

QUERY = b'"query": "{me{id}}"'
DEEP = b'{"a":' * 10_000 + b"1" + b"}" * 10_000


@pytest.fixture
def api() -> SmallApi:
    """A fresh API."""
    return SmallApi()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b"planted", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b'{"query": "{me{id}}"', "not valid JSON"),
        (b'{"query": "{me{id}}"}planted', "not valid JSON"),
        (b"{'query': 'planted'}", "not valid JSON"),
        (b'{"query": "\xff\xfeplanted"}', "not valid JSON in UTF-8"),
        (b'{"query": "\xed\xa0\x80"}', "not valid JSON in UTF-8"),
        ('{"query": "{me{id}}"}'.encode("utf-16"), "not valid JSON in UTF-8"),
        (b"\xef\xbb\xbf{}", "not valid JSON"),
        (b'{"query": "a\0planted"}', "not valid JSON"),
        (b'{"query": "\\u0000planted"}', "null character"),
        (b"{" + QUERY + b', "variables": {"a": ["\\u0000planted"]}}', "null character"),
        (b"{" + QUERY + b', "variables": {"\\u0000planted": 1}}', "null character"),
        (b'{"query": "\\ud800planted"}', "not valid JSON"),
        (b"{" + QUERY + b', "variables": {"a": NaN}}', "not valid JSON"),
        (b"{" + QUERY + b', "variables": {"a": Infinity}}', "not valid JSON"),
        (b"{" + QUERY + b', "variables": ' + DEEP[:49_000] + b"}", "nested too deeply"),
        (b"[" * 10_000, "nested too deeply"),
        (b"null", "must be a JSON object"),
        (b"true", "must be a JSON object"),
        (b'"planted"', "must be a JSON object"),
        (b"17", "must be a JSON object"),
        (b"[]", "Batches are not supported"),
        (b"[{" + QUERY + b"}, {" + QUERY + b"}]", "Batches are not supported"),
        (b"{}", "query is missing"),
        (b'{"query": null}', "query is missing"),
        (b'{"query": 17}', "query must be a string"),
        (b'{"query": ["planted"]}', "query must be a string"),
        (b'{"query": {"$ne": "planted"}}', "query must be a string"),
        (b"{" + QUERY + b', "variables": "planted"}', "variables must be an object"),
        (b"{" + QUERY + b', "variables": ["planted"]}', "variables must be an object"),
        (b"{" + QUERY + b', "operationName": {"$gt": "planted"}}', "operationName must be a string"),
        (b"{" + QUERY + b', "extensions": ["planted"]}', "extensions must be an object"),
    ],
)
async def test_a_malformed_body_is_refused(api: SmallApi, body: bytes, says: str) -> None:
    """400 under both media types, with what to mend."""
    for accept in (GRAPHQL, JSON):
        response = await api.post(body, accept=accept)
        assert (response.status_code, code_of(response)) == (400, "BAD_USER_INPUT")
        assert says in response.json()["errors"][0]["message"]
        assert "planted" not in response.text
    assert api.engine.asked == []
    await api.assert_still_answers()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"query": ""}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "planted \ufffe"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{a" * 10_000}, "LIMIT_EXCEEDED"),
        ({"query": "{" + " ".join(f"a{i}: me{{id}}" for i in range(1_000)) + "}"}, "LIMIT_EXCEEDED"),
        ({"query": doubling_fragments(50)}, "LIMIT_EXCEEDED"),
        ({"query": circular_fragments(3)}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query A{me{id}} query B{me{id}}"}, "BAD_USER_INPUT"),
        ({"query": "{me{id}}", "operationName": "planted"}, "BAD_USER_INPUT"),
        ({"query": "query($a: UserBy!){user(by: $a){id}}", "variables": {"a": {"$ne": "planted"}}}, "BAD_USER_INPUT"),
        ({"query": "query($a: UserBy!){user(by: $a){id}}", "variables": {"a": {"id": {"$gt": ""}}}}, "BAD_USER_INPUT"),
        ({"query": "query($n: Int){users(first: $n){totalCount}}", "variables": {"n": 10**18}}, "BAD_USER_INPUT"),
        ({"query": "query($n: Int){users(first: $n){totalCount}}", "variables": {"n": 101}}, "LIMIT_EXCEEDED"),
        ({"query": "query($n: Int){users(first: $n){totalCount}}", "variables": {"n": 1e300}}, "BAD_USER_INPUT"),
        ({"query": '{users(filter: {country: {$ne: "planted"}}){totalCount}}'}, "GRAPHQL_PARSE_FAILED"),
    ],
)
async def test_a_bad_request_is_refused(api: SmallApi, content: dict[str, object], code: str) -> None:
    """A well-formed request that is no good is a GraphQL response with errors and no data."""
    response = await api.post(content)
    assert (response.status_code, code_of(response)) == (400, code)
    assert "planted" not in response.text
    assert (await api.post(content, accept=JSON)).status_code == 200
    await api.assert_still_answers()


async def test_a_huge_number_is_no_crash(api: SmallApi) -> None:
    """Beyond 64 bits as well."""
    body = b'{"query": "query($n: Int){users(first: $n){totalCount}}", "variables": {"n": ' + b"9" * 400 + b"}}"
    assert (await api.post(body)).status_code == 400
    await api.assert_still_answers()


async def test_unknown_keys_are_ignored(api: SmallApi) -> None:
    """The specification leaves room for more."""
    assert (await api.post({**GOOD, "id": "x", "doc_id": 3})).status_code == 200


async def test_a_body_of_ten_megabytes_is_refused(api: SmallApi) -> None:
    """By its declared length, before it is read."""
    response = await api.post(b" " * 10_000_000)
    assert (response.status_code, code_of(response)) == (413, "LIMIT_EXCEEDED")
    await api.assert_still_answers()


def piece(content: bytes, *, more: bool = True) -> Message:
    """A piece of a body."""
    return {"type": "http.request", "body": content, "more_body": more}


async def test_a_body_without_a_length_is_read_no_further_than_the_limit(api: SmallApi) -> None:
    """The rest is never asked for: there is none, and yet it is answered."""
    [start, _] = await call(api.app, [piece(b" " * (LIMITS.max_body_bytes + 1))])
    assert start["status"] == 413
    assert (b"connection", b"close") in start["headers"]


async def test_a_body_of_the_greatest_size_is_read(api: SmallApi) -> None:
    """The limit itself is accepted."""
    body = orjson.dumps(GOOD)
    response = await api.post(body + b" " * (LIMITS.max_body_bytes - len(body)))
    assert response.status_code == 200


@pytest.mark.parametrize("length", ["-1", "x", "1e9", "\u0662"])
async def test_a_length_that_is_no_number_does_not_matter(api: SmallApi, length: str) -> None:
    """What is read is counted anyway."""
    [start, _] = await call(api.app, [piece(orjson.dumps(GOOD), more=False)], content_length=length)
    assert start["status"] == 200


async def test_a_length_of_many_digits_is_too_large(api: SmallApi) -> None:
    """However many."""
    [start, _] = await call(api.app, [], content_length="9" * 5_000)
    assert start["status"] == 413


async def test_a_body_in_pieces_is_put_together(api: SmallApi) -> None:
    """Chunks may end anywhere."""
    body = orjson.dumps(GOOD)
    pieces: list[Message | float] = [piece(body[i : i + 3]) for i in range(0, len(body), 3)]
    [start, sent] = await call(api.app, [*pieces, piece(b"", more=False)])
    assert (start["status"], orjson.loads(sent["body"])) == (200, {"data": {"me": {"id": "1"}}})


async def test_a_slow_body_is_given_up(api: SmallApi) -> None:
    """A client that sends a byte now and then holds nothing for long."""
    [start, _] = await call(api.app, [piece(b" "), 0.1, piece(b" "), 1.0, piece(orjson.dumps(GOOD), more=False)])
    assert start["status"] == 408
    await api.assert_still_answers()


async def test_a_client_that_has_gone_gets_nothing(api: SmallApi) -> None:
    """And is no error."""
    assert await call(api.app, [piece(b"{"), {"type": "http.disconnect"}]) == []
    await api.assert_still_answers()


@pytest.mark.parametrize(
    "query_string",
    [
        "query={me{id}}&query={me{name}}",
        "query={me{id}}&variables={}&variables={}",
        "query=%ff",
        "query={me{id}}&variables=planted",
        "query={me{id}}&variables=[]",
        "query={me{id}}&extensions=3",
        "query={me{id}}&variables=%7B%22a%22:%22%5Cu0000planted%22%7D",
        "query={me{id}}" + "&a=1" * 50,
        "variables={}",
        "",
    ],
)
async def test_bad_parameters_are_refused(api: SmallApi, query_string: str) -> None:
    """As bad bodies are."""
    response = await api.client.get(f"/graphql?{query_string}", headers={"accept": GRAPHQL})
    assert (response.status_code, code_of(response)) == (400, "BAD_USER_INPUT")
    assert "planted" not in response.text
    await api.assert_still_answers()


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200) | JSON_VALUES.map(lambda value: repr(value).encode("utf-8", "surrogatepass")))
async def test_no_bytes_break_the_endpoint(api: SmallApi, body: bytes) -> None:
    """Whatever comes is answered with JSON and a status below 500."""
    response = await api.post(body)
    assert response.status_code < 500
    assert response.json()["errors"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=80), JSON_VALUES, JSON_VALUES, JSON_VALUES)
async def test_no_values_break_the_endpoint(
    api: SmallApi, query: str, name: object, variables: object, extensions: object
) -> None:
    """Nor any JSON in any of the parts."""
    try:
        body = orjson.dumps({"query": query, "operationName": name, "variables": variables, "extensions": extensions})
    except orjson.JSONEncodeError:
        return  # integers beyond 64 bits, half a surrogate
    assert math.floor((await api.post(body)).status_code / 100) in (2, 4)
