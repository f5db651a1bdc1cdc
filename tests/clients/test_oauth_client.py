"""A service as teams write it, with Authlib's OAuth client: a token by each way to authenticate, used and ended."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import authlib.deprecate  # noqa: F401 - it has its warnings always shown, so it comes before they are not
import pytest
from authlib.oauth2.rfc7523 import PrivateKeyJWT

from tests.e2e.server import SERVICE, Server
from tests.e2e.services import registered
from tests.integration.identity.service_keys import ServiceKey

with warnings.catch_warnings(action="ignore"):  # that it prefers another HTTP library by now
    from authlib.integrations.httpx_client import OAuth2Client

pytestmark = pytest.mark.slow

QUERY = {"query": '{ user(by: {email: "subject@demo.example"}) { email } }'}


class ShortAssertion(PrivateKeyJWT):  # type: ignore[misc]  # the library has no types
    """Authlib's assertions are for an hour unless they are told otherwise; here they are for five minutes at most."""

    @property
    def claims(self) -> dict[str, Any]:
        """What each assertion says besides."""
        return {"exp": int(time.time()) + 60}

    @claims.setter
    def claims(self, _: object) -> None:
        """What the library passes is nothing."""


@pytest.fixture(params=["client_secret_basic", "ES256", "EdDSA", "PS256"])
def client(server: Server, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[OAuth2Client]:
    """The demo service with its secret, and services that sign in each of the ways."""
    if request.param == "client_secret_basic":
        with OAuth2Client(*SERVICE, base_url=server.url) as client:
            yield client
        return
    key, file, method = ServiceKey.make(request.param), tmp_path / "jwks.json", "private_key_jwt"
    file.write_text(key.jwks())
    client_id, _ = registered(server, "--jwks", str(file))
    with OAuth2Client(
        client_id,
        key.key,
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        base_url=server.url,
    ) as client:
        signing = ShortAssertion(f"{server.url}/oauth/token", alg=request.param, headers={"kid": key.kid})
        client.register_client_auth_method(signing)
        yield client


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # what the library writes; it is read as Ed25519
def test_a_token_is_got_used_asked_about_and_ended(server: Server, client: OAuth2Client) -> None:
    """By what the metadata says, and with nothing else said than who the client is."""
    at = server.http.get("/.well-known/oauth-authorization-server").json()
    token = client.fetch_token(at["token_endpoint"], grant_type="client_credentials")
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 600)
    assert client.post("/graphql", json=QUERY).json() == {"data": {"user": {"email": "subject@demo.example"}}}
    asked = {"token": token["access_token"], "token_type_hint": "access_token"}
    assert client.introspect_token(at["introspection_endpoint"], **asked).json()["client_id"] == client.client_id
    assert client.revoke_token(at["revocation_endpoint"], **asked).status_code == 200
    told = client.introspect_token(at["introspection_endpoint"], **asked).json()
    assert told == {"active": False}
