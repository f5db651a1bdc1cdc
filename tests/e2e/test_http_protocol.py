"""GraphQL over HTTP: methods, media types, status codes, headers."""

from __future__ import annotations

from datetime import UTC, date, datetime

import orjson
import pytest

from graph.messages import Answer, Cookie
from models.errors import DatabaseUnavailable
from tests.e2e.small_api import GOOD, GRAPHQL, JSON, PERSON, SmallApi, code_of

REFUSED = Answer({"errors": [{"message": "No.", "extensions": {"code": "FORBIDDEN"}}]}, 403)


@pytest.fixture
def api() -> SmallApi:
    """An API where nobody is signed in."""
    return SmallApi()


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [(GRAPHQL, GRAPHQL), (JSON, JSON), ("*/*", JSON), (f"{GRAPHQL}, {JSON};q=0.9", GRAPHQL)],
)
async def test_an_answer_has_the_type_the_client_accepts(api: SmallApi, accept: str, content_type: str) -> None:
    """Both media types, in UTF-8."""
    response = await api.post(GOOD, accept=accept)
    assert response.headers["content-type"] == f"{content_type}; charset=utf-8"
    assert response.json() == {"data": {"me": {"id": "1"}}}


async def test_a_client_that_accepts_neither_is_told(api: SmallApi) -> None:
    """406, and the engine is not asked."""
    response = await api.post(GOOD, accept="application/xml")
    assert response.status_code == 406
    assert api.engine.asked == []


@pytest.mark.parametrize(("accept", "status"), [(GRAPHQL, 403), (JSON, 200)])
async def test_a_refusal_has_its_status_only_under_the_graphql_type(api: SmallApi, accept: str, status: int) -> None:
    """Clients of `application/json` take any other status for a broken server."""
    api.engine.answer_with = REFUSED
    response = await api.post(GOOD, accept=accept)
    assert response.status_code == status
    assert code_of(response) == "FORBIDDEN"


@pytest.mark.parametrize("accept", [GRAPHQL, JSON])
async def test_a_malformed_request_is_400_under_both_types(api: SmallApi, accept: str) -> None:
    """It is no GraphQL response."""
    assert (await api.post(b"{", accept=accept)).status_code == 400


@pytest.mark.parametrize("query", ["{", "{nothing}", "{me}"])
async def test_a_bad_document_is_400(api: SmallApi, query: str) -> None:
    """Under the GraphQL type; 200 under the other."""
    assert (await api.post({"query": query})).status_code == 400
    assert (await api.post({"query": query}, accept=JSON)).status_code == 200


async def test_a_query_by_get(api: SmallApi) -> None:
    """With its variables and operation name as parameters."""
    query = "query A($style: Style){me{name(style: $style) id}} query B{me{id}}"
    response = await api.get(query=query, operationName="A", variables='{"style": "LONG"}', extensions="{}")
    assert response.json() == {"data": {"me": {"id": "1", "name": None}}}


@pytest.mark.parametrize("accept", [GRAPHQL, JSON])
async def test_a_mutation_by_get_is_not_allowed(api: SmallApi, accept: str) -> None:
    """405 under both types, and where to go."""
    response = await api.get(accept=accept, query='mutation {rename(input: {id: "1"}){id}}')
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD"])
async def test_other_methods_are_not_allowed(api: SmallApi, method: str) -> None:
    """405 with the ones that are."""
    response = await api.client.request(method, "/graphql", headers={"accept": GRAPHQL})
    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST, OPTIONS")


async def test_options_names_the_methods(api: SmallApi) -> None:
    """Without a body."""
    response = await api.client.options("/graphql")
    assert (response.status_code, response.content) == (204, b"")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin-1",
        "",
    ],
)
async def test_only_json_in_utf8_is_read(api: SmallApi, content_type: str) -> None:
    """415; these are also the types that foreign pages may send without asking."""
    response = await api.client.post("/graphql", content=orjson.dumps(GOOD), headers={"content-type": content_type})
    assert response.status_code == 415


@pytest.mark.parametrize("content_type", ["application/json;charset=utf-8", 'Application/JSON; charset="UTF-8"'])
async def test_utf8_may_be_said(api: SmallApi, content_type: str) -> None:
    """In any writing."""
    assert (await api.post(orjson.dumps(GOOD), content_type=content_type)).status_code == 200


async def test_a_compressed_body_is_refused(api: SmallApi) -> None:
    """What a few bytes unpack to is unknown."""
    assert (await api.post(GOOD, content_encoding="gzip")).status_code == 415


async def test_a_query_that_is_not_kept_is_asked_for(api: SmallApi) -> None:
    """A hash alone is not enough yet."""
    response = await api.post({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0"}}})
    assert code_of(response) == "PERSISTED_QUERY_NOT_FOUND"


async def test_a_browser_gets_a_page(api: SmallApi) -> None:
    """That loads nothing from anywhere."""
    response = await api.client.get("/graphql", headers={"accept": "text/html,*/*;q=0.8"})
    assert response.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in response.headers["content-security-policy"]


async def test_a_browser_that_sends_a_query_gets_its_answer(api: SmallApi) -> None:
    """A link to a query."""
    response = await api.get(accept="text/html,*/*;q=0.8", query="{me{id}}")
    assert response.json() == {"data": {"me": {"id": "1"}}}


async def test_answers_are_not_stored(api: SmallApi) -> None:
    """By nobody on the way, nor taken for anything but what they are."""
    headers = (await api.post(GOOD)).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert {"Accept", "Authorization", "Cookie", "Data-Purpose"} <= set(headers["vary"].split(", "))


async def test_a_challenge_goes_with_401(api: SmallApi) -> None:
    """RFC 6750, section 3."""
    api.engine.answer_with = Answer({"errors": []}, 401, challenge='Bearer error="invalid_token"')
    assert (await api.post(GOOD)).headers["www-authenticate"] == 'Bearer error="invalid_token"'


async def test_401_always_has_a_challenge(api: SmallApi) -> None:
    """RFC 9110, section 11.6.1."""
    api.engine.answer_with = Answer({"errors": []}, 401)
    assert (await api.post(GOOD)).headers["www-authenticate"] == "Bearer"


async def test_retry_after_is_sent(api: SmallApi) -> None:
    """In seconds."""
    api.engine.answer_with = Answer({"errors": []}, 429, retry_after=30)
    assert (await api.post(GOOD)).headers["retry-after"] == "30"


async def test_dates_are_written_in_utc(api: SmallApi) -> None:
    """Datetimes and dates need no conversion before."""
    api.engine.answer_with = Answer({"data": {"a": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "b": date(2026, 1, 2)}})
    assert (await api.post(GOOD)).json() == {"data": {"a": "2026-01-02T03:04:05Z", "b": "2026-01-02"}}


async def test_an_answer_that_cannot_be_written_is_an_error(api: SmallApi) -> None:
    """And not half an answer."""
    api.engine.answer_with = Answer({"data": object()})
    response = await api.post(GOOD)
    assert (response.status_code, code_of(response)) == (500, "INTERNAL_SERVER_ERROR")


async def test_an_engine_that_fails_is_masked(api: SmallApi) -> None:
    """Its exception stays inside."""
    api.engine.raises = ValueError("planted")
    response = await api.post(GOOD)
    assert (response.status_code, code_of(response)) == (500, "INTERNAL_SERVER_ERROR")
    assert "planted" not in response.text


async def test_a_request_has_a_deadline(api: SmallApi) -> None:
    """503 and when to try again, instead of a hang."""
    api.engine.delay = 30
    response = await api.post(GOOD)
    assert (response.status_code, code_of(response)) == (503, "UNAVAILABLE")
    assert response.headers["retry-after"] == "1"
    api.engine.delay = 0
    await api.assert_still_answers()


async def test_an_identity_without_a_database_is_unavailable(api: SmallApi) -> None:
    """Nobody is taken for nobody because a look-up failed."""
    api.identity.raises = DatabaseUnavailable()
    response = await api.post(GOOD)
    assert (response.status_code, code_of(response)) == (503, "UNAVAILABLE")


async def test_the_purpose_and_the_client_reach_the_engine(api: SmallApi) -> None:
    """Several purposes are handed over together: the engine refuses them."""
    await api.client.post(
        "/graphql",
        json=GOOD,
        headers=[("data-purpose", "SUPPORT"), ("data-purpose", "LEGAL"), ("user-agent", "x" * 999)],
    )
    [(_, purpose, client)] = api.engine.asked
    assert purpose == "SUPPORT, LEGAL"
    assert client.ip == "127.0.0.1"
    assert client.user_agent == "x" * 200


@pytest.mark.parametrize("secure", [True, False])
async def test_cookies_are_for_the_browser_only(secure: bool) -> None:
    """Out of reach of scripts and foreign pages, and in production only over TLS and of this very host."""
    api = SmallApi(secure=secure)
    api.engine.answer_with = Answer({"data": {}}, cookies=[Cookie("fieldward_access", "a.b-c", 300)])
    cookie = (await api.post(GOOD)).headers["set-cookie"]
    assert cookie.startswith("__Host-fieldward_access=a.b-c;" if secure else "fieldward_access=a.b-c;")
    assert "Domain" not in cookie
    assert {"HttpOnly", "SameSite=Lax", "Max-Age=300", "Path=/"} <= set(cookie.split("; "))
    assert ("Secure" in cookie.split("; ")) is secure


async def test_a_cookie_is_deleted(api: SmallApi) -> None:
    """By one that has expired."""
    api.engine.answer_with = Answer({"data": {}}, cookies=[Cookie("fieldward_access", None, 300)])
    assert "Max-Age=0" in (await api.post(GOOD)).headers["set-cookie"]


async def test_a_bearer_token_needs_no_preflight() -> None:
    """CSRF is about what browsers send by themselves."""
    response = await SmallApi(PERSON).get(query="{me{id}}", headers={"origin": "https://evil.example"})
    assert response.status_code == 200
