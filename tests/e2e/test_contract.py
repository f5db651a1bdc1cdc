"""The schema that the service shows holds every name of the contract, with its type."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from graphql import (
    GraphQLSchema,
    build_client_schema,
    build_schema,
    get_introspection_query,
    is_enum_type,
    is_input_object_type,
    is_interface_type,
    is_object_type,
)

from tests.e2e.conftest import Who
from tests.e2e.server import JSON, SERVICE, USERNAMES, Server
from tests.e2e.test_matrix import MATRIX

CONTRACT: Final = build_schema(Path(__file__).with_name("contract.graphql").read_text("utf-8"))
# What an issue of its own delivers; once it is there it must be as the contract says.
LATER: Final = ("User.accessLog", "AccessLogEntry")


def names(schema: GraphQLSchema) -> Iterator[tuple[str, str]]:
    """Every coordinate of a schema and its type; `-` where there is none."""
    for name, kind in schema.type_map.items():
        if name.startswith("__"):
            continue
        yield name, type(kind).__name__
        if is_enum_type(kind):
            yield from ((f"{name}.{value}", "-") for value in kind.values)
        if is_input_object_type(kind):
            yield from ((f"{name}.{key}", str(field.type)) for key, field in kind.fields.items())
        if is_object_type(kind) or is_interface_type(kind):
            yield from ((f"{name}:{each}", "implements") for each in kind.interfaces)
            for key, field in kind.fields.items():
                yield f"{name}.{key}", str(field.type)
                yield from ((f"{name}.{key}({arg})", str(it.type)) for arg, it in field.args.items())
    for directive in schema.directives:
        yield f"@{directive.name}", "-"
        yield from ((f"@{directive.name}({arg})", str(it.type)) for arg, it in directive.args.items())


PROMISED: Final = sorted({each for each in names(CONTRACT) if not each[0].endswith(".anything")})


@pytest.fixture(scope="module")
def shown(server: Server, who: Who) -> dict[str, str]:
    """What the service shows to somebody: the union over all callers and their purposes."""
    found: dict[str, str] = {}
    query = get_introspection_query(descriptions=False, input_value_deprecation=True)
    answers = [server.post(query).json()]
    for name, purposes in MATRIX["tokens"].items():
        answers += [who(name).ask(query, purpose=purpose).json() for purpose in purposes]
    for answer in answers:
        assert "errors" not in answer
        found.update(names(build_client_schema(answer["data"])))
    return found


@pytest.mark.parametrize("promise", PROMISED, ids=lambda it: it[0])
def test_every_name_of_the_contract_is_there(promise: tuple[str, str], shown: dict[str, str]) -> None:
    """With the contract's type."""
    coordinate, kind = promise
    assert shown.get(coordinate, kind if coordinate.startswith(LATER) else None) == kind


def test_users_come_by_twenty(who: Who) -> None:
    """The contract's default page."""
    people = who("support").data("{ users { nodes { id } } }", purpose="SUPPORT")["users"]["nodes"]
    assert len(people) == 20


@pytest.mark.parametrize("name", USERNAMES)
def test_every_demo_person_signs_in_by_name_and_by_email(name: str, server: Server, who: Who) -> None:
    """As the contract lists them; both lead to the same person."""
    assert server.sign_in(f"{name}@demo.example").id == who(name).id
    assert who(name).data("{ me { username } }", purpose="ACCOUNT") == {"me": {"username": name}}


def test_the_demo_service_gets_a_token(server: Server) -> None:
    """By client credentials, with the contract's scopes and purposes."""
    answer = server.http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=SERVICE)
    token = answer.json()
    assert (answer.status_code, token["token_type"].lower()) == (200, "bearer")
    assert set(token["scope"].split()) == {"user.contact:read", "user.name:read"}
    assert token["purpose"].split() == ["SUPPORT"]
    assert answer.headers["cache-control"] == "no-store"


def test_a_wrong_service_secret_is_refused(server: Server) -> None:
    """RFC 6749, section 5.2."""
    answer = server.http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=(SERVICE[0], "wrong"))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic")


def test_the_well_known_addresses(server: Server) -> None:
    """Keys and metadata for those who check tokens."""
    keys = server.http.get("/.well-known/jwks.json").json()["keys"]
    assert keys
    assert all("d" not in key for key in keys)
    metadata = server.http.get("/.well-known/oauth-authorization-server").json()
    assert metadata["issuer"] == server.url
    assert metadata["token_endpoint"] == f"{server.url}/oauth/token"


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
def test_operators_need_no_token(path: str, server: Server) -> None:
    """As the contract's table of addresses says."""
    assert server.http.get(path).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "{ __typename }",
        "{ __schema { queryType { name } } }",
        "{ purposes { key name lawfulBasis labels retentionDays recipients refusal } }",
        'mutation { refreshSession(input: {refreshToken: "none"}) { accessToken errors { code } } }',
    ],
)
@pytest.mark.parametrize("accept", ["application/graphql-response+json", JSON])
def test_what_is_public_needs_neither_token_nor_purpose(query: str, accept: str, server: Server) -> None:
    """Nor does a token make it fail."""
    response = server.post(query, accept=accept)
    assert (response.status_code, "errors" in response.json()) == (200, False)


def test_every_purpose_is_explained(server: Server) -> None:
    """To everybody; a name says one thing."""
    notices: list[dict[str, Any]] = server.post("{ purposes { key name } }").json()["data"]["purposes"]
    assert {notice["key"] for notice in notices} == set(MATRIX["purposes"])
    assert all(" and " not in notice["name"] for notice in notices)


def test_a_browser_gets_graphiql_or_its_page(server: Server) -> None:
    """GET from a browser shows a page that loads nothing from elsewhere."""
    response = server.http.get("/graphql", headers={"accept": "text/html"})
    assert (response.status_code, response.headers["content-type"].partition(";")[0]) == (200, "text/html")
    assert "://" not in response.text.replace(server.url, "").replace("http://www.w3.org/2000/svg", "")
