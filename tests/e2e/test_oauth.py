"""The OAuth endpoints of a running service: what they tell, refuse and end, and what `/graphql` makes of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.conftest import Who
from tests.e2e.people import refused_soon
from tests.e2e.server import GRAPHQL, JSON, SERVICE, Server
from tests.e2e.services import GRANT, asked, fieldward, registered, token
from tests.integration.identity.service_keys import ServiceKey, asserted


def test_the_metadata_is_true(server: Server) -> None:
    """Each endpoint that it names is there, and asks for a credential by the methods that it names (RFC 8414)."""
    said = server.http.get("/.well-known/oauth-authorization-server")
    body = said.json()
    assert said.headers["cache-control"] == "public, max-age=300"
    assert body["issuer"] == server.url
    for name in ("token_endpoint", "revocation_endpoint", "introspection_endpoint"):
        answer = server.http.post(body[name], data={"token": "x"})
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert answer.headers["cache-control"] == "no-store"
    keys = server.http.get(body["jwks_uri"])
    assert keys.headers["content-type"] == "application/jwk-set+json"
    assert all(key["alg"] == "Ed25519" and "d" not in key for key in keys.json()["keys"])


def test_a_service_signs_its_requests(server: Server, tmp_path: Path) -> None:
    """Its key is registered by the command; it has no secret, and its assertion works once."""
    key, file = ServiceKey.make("Ed25519"), tmp_path / "jwks.json"
    file.write_text(key.jwks())
    client_id, secret = registered(server, "--jwks", str(file), "--owner", "Mail team")
    assert secret == ""
    form = asserted(key.assertion(client_id, f"{server.url}/oauth/token"))
    answer = server.http.post("/oauth/token", data=form)
    assert answer.status_code == 200
    assert asked(server, answer.json()["access_token"]).json()["data"]["user"] == {"email": "subject@demo.example"}
    again = server.http.post("/oauth/token", data=form)
    assert (again.status_code, again.json()["error"]) == (401, "invalid_client")
    shown = fieldward(server, "clients", "show", client_id)
    assert "Mail team" in shown
    assert re.search(rf"{key.kid}: OKP Ed25519, used 20\d\d-", shown)


def test_a_token_for_another_region_is_denied(server: Server) -> None:
    """With the reason REGION; the service may have tokens for both."""
    service = registered(server, "--region", "us", "--region", "eu")
    assert asked(server, token(server, service)).status_code == 200
    answer = asked(server, token(server, service, region="us"))
    assert answer.status_code == 403
    assert {error["extensions"]["reason"] for error in answer.json()["errors"]} == {"REGION"}
    refused = server.http.post("/oauth/token", data={**GRANT, "region": "us"}, auth=SERVICE)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_target")


def test_a_service_ends_its_own_token(server: Server) -> None:
    """It is refused from then on, and another one of the same service is not."""
    ended, other = token(server), token(server)
    assert server.http.post("/oauth/revoke", data={"token": ended}, auth=SERVICE).status_code == 200
    assert refused_soon(lambda: asked(server, ended).status_code)
    challenge = asked(server, ended).headers["www-authenticate"]
    assert challenge.startswith('Bearer realm="fieldward", error="invalid_token", error_description="')
    assert asked(server, other).status_code == 200
    told = server.http.post("/oauth/introspect", data={"token": ended}, auth=SERVICE).json()
    assert told == {"active": False}


def test_nobody_asks_about_or_ends_what_is_a_persons(server: Server, who: Who) -> None:
    """A gateway that is registered for it may ask, and still not end it."""
    gateway, session = registered(server, "--introspect"), who("subject").token
    assert server.http.post("/oauth/introspect", data={"token": session}, auth=SERVICE).json() == {"active": False}
    told = server.http.post("/oauth/introspect", data={"token": session}, auth=gateway).json()
    assert (told["active"], told["sub"], told["kind"]) == (True, who("subject").id, "PERSON")
    for service in (SERVICE, gateway):
        answer = server.http.post("/oauth/revoke", data={"token": session}, auth=service)
        assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")
    assert who("subject").ask("{ me { id } }", purpose="ACCOUNT").status_code == 200


@pytest.mark.slow
def test_a_narrowed_service_loses_its_tokens(server: Server) -> None:
    """Within a second; a new one carries what is left."""
    service = registered(server, "--scope", "user.name:read")
    before = token(server, service)
    assert asked(server, before, "fullName email").status_code == 200
    fieldward(server, "clients", "change", service[0], "--scope", "user.contact:read")
    assert refused_soon(lambda: asked(server, before).status_code)
    after = token(server, service)
    assert asked(server, after).status_code == 200
    assert asked(server, after, "fullName").status_code == 403


@pytest.mark.parametrize(
    ("fields", "scope"),
    [
        ("fullName", "user.name:read"),
        ("phone fullName country", "user.location.imprecise:read user.name:read"),
        ("loginCount", "user.account:read"),
    ],
)
def test_a_lack_of_scopes_is_named(server: Server, fields: str, scope: str) -> None:
    """Those that would do (RFC 6750, section 3.1), beside the errors of GraphQL."""
    service = registered(server)
    answer = asked(server, token(server, service), fields)
    assert answer.status_code == 403
    expected = f'Bearer realm="fieldward", error="insufficient_scope", scope="{scope}"'
    assert answer.headers["www-authenticate"] == expected


def test_what_is_denied_for_another_reason_has_no_challenge(server: Server, who: Who) -> None:
    """More scopes would not help a person, nor where all is 200."""
    for kind in (GRAPHQL, JSON):
        answer = who("support").ask("{ users { nodes { birthDate } } }", purpose="SUPPORT", accept=kind)
        assert "www-authenticate" not in answer.headers
    query = "{ users { nodes { fullName } } }"
    told = server.post(query, token=token(server, registered(server)), accept=JSON)
    assert (told.status_code, "www-authenticate" in told.headers) == (200, False)


def test_no_credential_is_written_to_the_log(server: Server) -> None:
    """Neither a secret nor an assertion nor a token, good or bad."""
    key = ServiceKey.make()
    service = registered(server)
    text, assertion = token(server, service), key.assertion(service[0], server.url)
    server.http.post("/oauth/token", data=asserted(assertion))
    server.http.post("/oauth/token", data=GRANT, auth=(service[0], "planted-secret"))
    for path in ("introspect", "revoke"):
        server.http.post(f"/oauth/{path}", data={"token": text}, auth=service)
    said = server.said()
    for planted in (service[1], text, assertion, "planted-secret"):
        assert planted not in said
