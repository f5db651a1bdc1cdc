"""Over HTTP: what introspection shows to whom, and what a caller is told of their own access."""

from __future__ import annotations

import pytest
from graphql import GraphQLSchema, build_client_schema, get_introspection_query, validate_schema

from tests.e2e.conftest import Who
from tests.e2e.server import Account, Server

INTROSPECTION = get_introspection_query(
    specified_by_url=True, directive_is_repeatable=True, input_value_deprecation=True
)
OWN_PURPOSE = {
    "support": "SUPPORT",
    "analyst": "ANALYTICS",
    "privacy": "LEGAL",
    "security": "SECURITY",
    "admin": "ACCOUNT",
    "service": "SUPPORT",
}

# What identifies somebody, and what a link from a mail does.
PUBLIC = {
    "register",
    "signIn",
    "completeSignIn",
    "beginPasskeySignIn",
    "signInWithPasskey",
    "stepUp",
    "refreshSession",
    "verifyEmail",
    "requestPasswordReset",
    "resetPassword",
}


def seen(by: Account | Server, purpose: str | None = None) -> GraphQLSchema:
    """The schema that a client builds."""
    ask = by.ask if isinstance(by, Account) else by.post
    response = ask(INTROSPECTION, purpose=purpose)
    assert response.status_code == 200, response.text
    schema = build_client_schema(response.json()["data"])
    assert validate_schema(schema) == []
    return schema


def fields(schema: GraphQLSchema, name: str) -> set[str]:
    """The fields of a type; none when it is not there."""
    return set(getattr(schema.type_map.get(name), "fields", ()))


def test_without_a_token_the_public_part_shows(server: Server) -> None:
    """What works without signing in."""
    schema = seen(server)
    assert {"me", "user", "users", "node", "explainAccess"}.isdisjoint(fields(schema, "Query"))
    assert fields(schema, "Mutation") == PUBLIC


def test_a_bad_token_shows_the_public_part(server: Server) -> None:
    """It is nobody's."""
    response = server.post("{ __schema { mutationType { fields { name } } } }", token="not.a.token")
    names = {field["name"] for field in response.json()["data"]["__schema"]["mutationType"]["fields"]}
    assert names == PUBLIC


def test_each_role_sees_its_own(who: Who) -> None:
    """Lists of people for staff and services, none for a plain person; `me` for people only."""
    assert "users" not in fields(seen(who("subject")), "Query")
    for name, purpose in OWN_PURPOSE.items():
        schema = seen(who(name), purpose)
        assert "users" in fields(schema, "Query"), name
        assert ("me" in fields(schema, "Query")) == (name != "service"), name


def test_the_header_narrows_and_nothing_is_kept_between_callers(who: Who) -> None:
    """The same document, asked by different people for different purposes, one after the other."""
    for _ in range(2):
        support, analyst = seen(who("support"), "SUPPORT"), seen(who("analyst"), "ANALYTICS")
        assert "email" in fields(support, "User")
        assert "email" not in fields(analyst, "User")
        assert "birthDate" not in fields(support, "User")
        assert "birthDate" in fields(seen(who("support"), "ACCOUNT"), "User")
        assert "birthDate" in fields(seen(who("support")), "User")
        assert "devices" in fields(seen(who("subject"), "SECURITY"), "User")
        assert "devices" not in fields(seen(who("subject"), "PERSONALISATION"), "User")


def test_a_purpose_that_is_not_held_shows_no_person(who: Who) -> None:
    """Nothing can be used for it."""
    schema = seen(who("support"), "LEGAL")
    assert "User" not in schema.type_map
    assert {"me", "users"}.isdisjoint(fields(schema, "Query"))


def test_a_hidden_field_is_denied_by_name(who: Who) -> None:
    """As the contract says, with its reason."""
    response = who("analyst").ask("{ users { nodes { email } } }", purpose="ANALYTICS")
    assert response.status_code == 403
    assert response.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


@pytest.mark.parametrize(
    "query", ["{ users { nodes { emial } } }", "{ usrs { nodes { id } } }", '{ __type(nam: "User") { name } }']
)
def test_no_suggestion_is_made(who: Who, query: str) -> None:
    """A slip is told, not what it may have meant."""
    response = who("analyst").ask(query, purpose="ANALYTICS")
    assert response.status_code == 400
    assert "Did you mean" not in response.text
    assert "email" not in response.text


def test_my_access_tells_of_the_token(who: Who, server: Server) -> None:
    """Role, purposes, the one in force; for nobody: nothing, and no error."""
    query = "{ myAccess { kind roles scopes purposes purpose purposeFrom fields { coordinate others { outcome } } } }"
    mine = who("support").data(query, purpose="SUPPORT")["myAccess"]
    assert (mine["kind"], mine["roles"], mine["purposes"]) == ("PERSON", ["SUPPORT"], ["ACCOUNT", "SUPPORT"])
    assert (mine["purpose"], mine["purposeFrom"]) == ("SUPPORT", "HEADER")
    assert {"coordinate": "User.email", "others": {"outcome": "MASKED"}} in mine["fields"]
    service = who("service").data(query)["myAccess"]
    assert service["scopes"] == ["user.contact:read", "user.name:read"]
    assert (service["purpose"], service["purposeFrom"]) == ("SUPPORT", "TOKEN")
    nobody = server.post(query).json()["data"]["myAccess"]
    assert (nobody["kind"], nobody["roles"], nobody["purposes"], nobody["purpose"]) == ("NOBODY", [], [], None)


def test_explain_access_is_for_those_signed_in(who: Who, server: Server) -> None:
    """Nobody is told to sign in; somebody may ask for any role."""
    document = '"{ users { nodes { email } } }"'
    query = f"{{ explainAccess(document: {document}, role: SUPPORT, purpose: SUPPORT) {{ verdict }} }}"
    assert who("subject").data(query) == {"explainAccess": {"verdict": "ALLOWED"}}
    refused = server.post(query)
    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (401, "UNAUTHENTICATED")
