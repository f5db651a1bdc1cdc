"""`private_key_jwt` (RFC 7523): what a service signs is taken once, and only when all of it is right."""

from __future__ import annotations

import base64
import hmac
import json
import math
from datetime import timedelta
from typing import Any

import httpx
import pytest

from auth.client_keys import ALGORITHMS, read_keys
from auth.registration import Registration
from models.base import now
from models.database import Database
from tests.integration.identity.service_keys import ServiceKey, asserted
from tests.integration.identity.workers import ISSUER, Worker

TOKEN_ENDPOINT = f"{ISSUER}/oauth/token"
AHEAD = timedelta(hours=1)  # from when a test runs; tests are named before
KEY = ServiceKey.make()
REGISTRATION = Registration.read(name="Mailer", scopes=["user.contact:read"], purposes=["SUPPORT"])


@pytest.fixture
def any_database(memory_database: Database) -> Database:
    """In memory: this is about what is sent, not about how it is stored."""
    return memory_database


@pytest.fixture
async def client_id(worker: Worker) -> str:
    """A service with `KEY` and no secret."""
    return await worker.clients.add_with_keys(REGISTRATION, read_keys(KEY.jwks(), now()))


def b64(data: bytes) -> str:
    """Base64 as JOSE writes it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


async def post(worker: Worker, form: dict[str, str], headers: dict[str, str] | None = None) -> httpx.Response:
    """One token request."""
    async with worker.http() as http:
        return await http.post("/oauth/token", data=form, headers=headers)


async def status(worker: Worker, assertion: str, **more: str) -> int:
    """How a request with this assertion is answered."""
    return (await post(worker, asserted(assertion, **more))).status_code


@pytest.mark.parametrize("audience", [TOKEN_ENDPOINT, ISSUER, [TOKEN_ENDPOINT]], ids=str)
async def test_a_signed_assertion_gets_a_token(worker: Worker, client_id: str, audience: str) -> None:
    """Made out to the issuer or to the token endpoint."""
    response = await post(worker, asserted(KEY.assertion(client_id, audience)))
    assert response.status_code == 200
    assert (await worker.whose(response.json()["access_token"])).id == client_id


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_each_algorithm_that_is_announced_works(worker: Worker, algorithm: str) -> None:
    """With a key that fits it."""
    key = ServiceKey.make(algorithm)
    client_id = await worker.clients.add_with_keys(REGISTRATION, read_keys(key.jwks(), now()))
    assert await status(worker, key.assertion(client_id, ISSUER)) == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "somebody"},
        {"sub": "cli_eu_somebody"},
        {"sub": ["x"]},
        {"sub": "\ud800"},
        {"jti": "\ud800", "iss": "\ud800"},
        {"exp": 10**400},
        {"aud": "https://other.example"},
        {"aud": f"{ISSUER}/graphql"},
        {"aud": [ISSUER, "https://other.example"]},
        {"aud": []},
        {"aud": None},
        {"exp": 1},
        {"exp": AHEAD},
        {"exp": math.nan},
        {"exp": math.inf},
        {"exp": "soon"},
        {"exp": 10**30},
        {"iat": AHEAD},
        {"iat": 1},
        {"iat": math.nan},
        {"nbf": AHEAD},
        {"nbf": math.nan},
        {"jti": ""},
        {"jti": 7},
        {"jti": ["a"]},
        {"jti": "x" * 257},
    ],
    ids=lambda changes: json.dumps(changes, default=str)[:40],
)
async def test_a_good_signature_does_not_make_wrong_claims_right(
    worker: Worker, client_id: str, changes: dict[str, Any]
) -> None:
    """RFC 7523, section 3; at most five minutes, for one audience."""
    ahead = int((now() + AHEAD).timestamp())
    claims: dict[str, Any] = {name: ahead if claim is AHEAD else claim for name, claim in changes.items()}
    response = await post(worker, asserted(KEY.assertion(client_id, ISSUER, **claims)))
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("without", ["iss", "sub", "aud", "exp", "jti"])
async def test_no_claim_may_be_missing(worker: Worker, client_id: str, without: str) -> None:
    """Without `iat` it holds all the same: that one is optional."""
    assert await status(worker, KEY.assertion(client_id, ISSUER, without=without)) == 401
    assert await status(worker, KEY.assertion(client_id, ISSUER, without="iat")) == 200


async def test_without_its_time_of_making_five_minutes_count_from_now(worker: Worker, client_id: str) -> None:
    """Else whoever leaves `iat` out could sign for a year."""
    ahead = int(now().timestamp())
    assert await status(worker, KEY.assertion(client_id, ISSUER, without="iat", exp=ahead + 290)) == 200
    assert await status(worker, KEY.assertion(client_id, ISSUER, without="iat", exp=ahead + 320)) == 401


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "another"},
        {"kid": 7},
        {"typ": "at+jwt"},
        {"typ": "logout+jwt"},
        {"alg": "ES384"},
        {"crit": ["exp"], "exp": 1},
    ],
    ids=str,
)
async def test_a_header_of_another_kind_is_refused(worker: Worker, client_id: str, header: dict[str, Any]) -> None:
    """An access token is no assertion, and the algorithm is that of the key."""
    key = ServiceKey.make("ES384").key if header.get("alg") == "ES384" else None
    assert await status(worker, KEY.assertion(client_id, ISSUER, header, key=key)) == 401


@pytest.mark.parametrize("header", [{"typ": "JWT"}, {"typ": "client-authentication+jwt"}, {"kid": None}], ids=str)
async def test_what_clients_write_is_taken(worker: Worker, client_id: str, header: dict[str, Any]) -> None:
    """With a type or without; a service with one key need not name it."""
    assert await status(worker, KEY.assertion(client_id, ISSUER, header)) == 200


async def test_of_several_keys_one_has_to_be_named(worker: Worker) -> None:
    """Each of them works by its name."""
    other = ServiceKey.make("Ed25519", kid="2026-04")
    jwks = json.dumps({"keys": [KEY.public(), other.public()]})
    client_id = await worker.clients.add_with_keys(REGISTRATION, read_keys(jwks, now()))
    assert await status(worker, KEY.assertion(client_id, ISSUER)) == 200
    assert await status(worker, other.assertion(client_id, ISSUER)) == 200
    assert await status(worker, KEY.assertion(client_id, ISSUER, {"kid": None})) == 401
    assert await status(worker, KEY.assertion(client_id, ISSUER, {"kid": other.kid})) == 401


async def test_the_public_key_is_no_shared_secret(worker: Worker, client_id: str) -> None:
    """An HMAC under it is refused, and so is no signature at all (RFC 8725, section 2.1)."""
    public = KEY.public()
    head, claims, _ = KEY.assertion(client_id, ISSUER).split(".")
    named = b64(b'{"alg":"HS256","kid":"2026-03"}')
    text = f"{named}.{claims}"
    raw, pem = base64.urlsafe_b64decode(public["x"] + "="), KEY.key.as_pem(private=False)
    for secret in (json.dumps(public).encode(), pem, raw):
        assert await status(worker, f"{text}.{b64(hmac.digest(secret, text.encode(), 'sha256'))}") == 401
    unsigned = b64(b'{"alg":"none","kid":"2026-03"}')
    for assertion in (f"{head}.{claims}.", f"{unsigned}.{claims}."):
        assert await status(worker, assertion) == 401


async def test_anothers_key_is_refused(worker: Worker, client_id: str) -> None:
    """Not even under the right name, nor brought along in the header."""
    stranger = ServiceKey.make()
    assert await status(worker, stranger.assertion(client_id, ISSUER)) == 401
    assert await status(worker, stranger.assertion(client_id, ISSUER, {"jwk": stranger.public()})) == 401


async def test_a_removed_key_and_a_removed_service_hold_no_longer(worker: Worker, client_id: str) -> None:
    """Nor do the tokens they got."""
    token = (await post(worker, asserted(KEY.assertion(client_id, ISSUER)))).json()["access_token"]
    other = ServiceKey.make("Ed25519", kid="2026-04")
    assert await worker.clients.change(client_id, Registration(), keys=read_keys(other.jwks(), now()))
    assert not (await worker.whose(token)).authenticated
    assert await status(worker, KEY.assertion(client_id, ISSUER)) == 401
    assert await status(worker, other.assertion(client_id, ISSUER)) == 200
    await worker.clients.remove(client_id)
    assert await status(worker, other.assertion(client_id, ISSUER)) == 401


async def test_one_way_to_authenticate_per_request(worker: Worker, client_id: str) -> None:
    """RFC 6749, section 2.3; and a client_id beside the assertion has to be its own."""
    basic = {"Authorization": "Basic YTpi"}
    response = await post(worker, asserted(KEY.assertion(client_id, ISSUER)), basic)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
    assert await status(worker, KEY.assertion(client_id, ISSUER), client_id=client_id) == 200
    assert await status(worker, KEY.assertion(client_id, ISSUER), client_id="another") == 400


@pytest.mark.parametrize(
    "form",
    [
        {"client_assertion": "x"},
        {"client_assertion": "a.b.c"},
        {"client_assertion": ".."},
        {"client_assertion": "é"},
        {"client_assertion": "e30.bnVsbA.x"},
        {"client_assertion": "e30.eyJzdWIiOiJcdTAwMDAifQ.x"},
        {"client_assertion": "x" * 9_000},
        {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"},
        {"client_assertion_type": ""},
        {"client_assertion": ""},
    ],
    ids=lambda form: ascii(form)[:50],
)
async def test_what_is_no_assertion_is_refused(worker: Worker, client_id: str, form: dict[str, str]) -> None:
    """With the same error as one that does not hold."""
    response = await post(worker, {**asserted(KEY.assertion(client_id, ISSUER)), **form})
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


async def test_the_use_of_a_key_is_noted(worker: Worker, client_id: str) -> None:
    """By its thumbprint."""
    await status(worker, KEY.assertion(client_id, ISSUER))
    await worker.clients.close()
    found = await worker.clients.find(client_id)
    assert found is not None
    assert list(found.used) == [found.keys[0].id]
    assert found.last_used_at is not None
