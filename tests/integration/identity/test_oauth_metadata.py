"""What is published: the keys (RFC 7517) and the metadata (RFC 8414)."""

from __future__ import annotations

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from models.database import Database
from tests.integration.identity.test_oauth import ask
from tests.integration.identity.workers import ISSUER, Worker


@pytest.fixture
def any_database(memory_database: Database) -> Database:
    """In memory: nothing of this is stored."""
    return memory_database


@pytest.fixture
async def client(worker: Worker) -> tuple[str, str]:
    """A registered service: id and secret."""
    return await worker.clients.add("Help desk", ["user.contact:read"], ["SUPPORT"])


async def test_the_published_keys_verify_a_token(worker: Worker, client: tuple[str, str]) -> None:
    """And hold no private part."""
    token = (await ask(worker, client)).json()["access_token"]
    async with worker.http() as http:
        keys = (await http.get("/.well-known/jwks.json")).json()
    assert all("d" not in key for key in keys["keys"])
    decoded = jwt.decode(token, KeySet.import_key_set(keys), algorithms=["Ed25519"])
    assert (decoded.claims["iss"], decoded.claims["client_id"]) == (ISSUER, client[0])


async def test_the_metadata_names_what_there_is(worker: Worker) -> None:
    """RFC 8414: the addresses lie under the issuer, and only what works is listed."""
    async with worker.http() as http:
        response = await http.get("/.well-known/oauth-authorization-server")
    body = response.json()
    assert body["issuer"] == ISSUER
    assert body["token_endpoint"] == f"{ISSUER}/oauth/token"
    assert body["jwks_uri"] == f"{ISSUER}/.well-known/jwks.json"
    assert body["grant_types_supported"] == ["client_credentials"]
    assert body["token_endpoint_auth_methods_supported"] == ["client_secret_basic", "private_key_jwt"]
    assert body["response_types_supported"] == []
    assert body["revocation_endpoint"] == f"{ISSUER}/oauth/revoke"
    assert body["introspection_endpoint"] == f"{ISSUER}/oauth/introspect"
    for endpoint in ("token", "revocation", "introspection"):
        assert body[f"{endpoint}_endpoint_auth_methods_supported"] == ["client_secret_basic", "private_key_jwt"]
        assert {"ES256", "PS256", "EdDSA"} <= set(body[f"{endpoint}_endpoint_auth_signing_alg_values_supported"])
    assert "user.contact:read" in body["scopes_supported"]
    assert not any("authorization" in scope for scope in body["scopes_supported"])
