"""OAuth 2 for services: the token endpoint (RFC 6749, section 4.4), JWKS (RFC 7517) and metadata (RFC 8414).

Clients authenticate by `client_secret_basic` and in no other way. `scope` narrows what the client is
registered for, and so does `purpose`, an addition of this service: purposes separated by spaces.
"""

from __future__ import annotations

import asyncio
import binascii
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl, unquote_plus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from auth.clients import Clients, scopes_of
from auth.principal import Kind, Scope
from auth.revocations import Revocations
from auth.tokens import Claims, Tokens
from models.base import now as utc_now
from models.client import ClientDocument
from models.crypto.signing import SigningRing
from models.errors import DatabaseUnavailable
from models.vocabulary import Access, Label, Purpose

SERVICE_LIFETIME: Final = timedelta(minutes=10)
MAX_BODY: Final = 8192  # bytes
MAX_PARAMETERS: Final = 20
BODY_SECONDS: Final = 5.0
_FORM: Final = "application/x-www-form-urlencoded"
_NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_PUBLIC: Final = {"Cache-Control": "public, max-age=300"}
_CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="fieldward", charset="UTF-8"'}


class Refusal(Exception):
    """An error response of RFC 6749, section 5.2. The description never repeats what was sent."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error, self.description, self.status = error, description, status


class OAuth:
    """The endpoints. `region` is the one that tokens of services are for."""

    def __init__(
        self,
        clients: Clients,
        tokens: Tokens,
        revocations: Revocations,
        ring: SigningRing,
        *,
        region: str,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._clients, self._tokens, self._revocations = clients, tokens, revocations
        self._ring, self._region, self._clock = ring, region, clock

    def routes(self) -> list[Route]:
        """What to mount at the root of the application."""
        return [
            Route("/oauth/token", self.token, methods=["POST"]),
            Route("/.well-known/jwks.json", self.jwks, methods=["GET"]),
            Route("/.well-known/oauth-authorization-server", self.metadata, methods=["GET"]),
        ]

    async def token(self, request: Request) -> Response:
        """Exchange client credentials for an access token."""
        try:
            return JSONResponse(await self._grant(request), headers=_NO_STORE)
        except Refusal as refusal:
            body = {"error": refusal.error, "error_description": refusal.description}
            headers = {**_NO_STORE, **(_CHALLENGE if refusal.status == 401 else {})}
            return JSONResponse(body, refusal.status, headers)
        except DatabaseUnavailable as error:
            body = {"error": "temporarily_unavailable", "error_description": error.message}
            return JSONResponse(body, 503, {**_NO_STORE, "Retry-After": "2"})

    async def jwks(self, _request: Request) -> Response:
        """The public keys that verify access tokens."""
        return JSONResponse(self._ring.jwks(), headers=_PUBLIC, media_type="application/jwk-set+json")

    async def metadata(self, _request: Request) -> Response:
        """What this authorization server can do."""
        issuer = self._tokens.issuer
        base = issuer.rstrip("/")
        scopes = [str(Scope(label, access)) for label in Label for access in Access]
        body = {
            "issuer": issuer,
            "token_endpoint": f"{base}/oauth/token",
            "jwks_uri": f"{base}/.well-known/jwks.json",
            "scopes_supported": [scope for scope in scopes if not scope.startswith(Label.AUTHORIZATION)],
            "response_types_supported": [],
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "purposes_supported": list(Purpose),
        }
        return JSONResponse(body, headers=_PUBLIC)

    async def _grant(self, request: Request) -> Mapping[str, object]:
        parameters = await _parameters(request)
        client_id, secret = _credentials(request)
        # NOTE: the token is dated before the client is read, so that its removal meanwhile ends the token.
        issued = self._revocations.issuing_time(self._clock(), client_id)
        client = await self._client(client_id, secret, parameters)
        if "grant_type" not in parameters:
            raise Refusal("invalid_request", "The parameter grant_type is missing.")
        if parameters["grant_type"] != "client_credentials":
            raise Refusal("unsupported_grant_type", "Only client_credentials is supported.")
        scopes = narrowed_scopes(client, parameters.get("scope"))
        purposes = narrowed_purposes(client, parameters.get("purpose"))
        claims = Claims(
            subject=client.id,
            kind=Kind.SERVICE,
            issued_at=issued,
            expires_at=issued + SERVICE_LIFETIME,
            scopes=scopes,
            purposes=purposes,
            region=self._region,
            authenticated_at=issued,
        )
        return {
            "access_token": self._tokens.issue(claims),
            "token_type": "Bearer",
            "expires_in": int(SERVICE_LIFETIME.total_seconds()),
            "scope": " ".join(sorted(map(str, scopes))),
            "purpose": " ".join(sorted(purposes)),
        }

    async def _client(self, client_id: str, secret: str, parameters: Mapping[str, str]) -> ClientDocument:
        if "client_secret" in parameters or parameters.get("client_id", client_id) != client_id:
            raise Refusal("invalid_request", "Authenticate by client_secret_basic only: no credentials in the body.")
        client = await self._clients.authenticate(client_id, secret)
        if client is None:
            raise Refusal("invalid_client", "The client is unknown or the secret is wrong.", 401)
        return client


def narrowed_scopes(client: ClientDocument, requested: str | None) -> frozenset[Scope]:
    """The scopes to grant: all the client has, or those requested, each covered by one of its own."""
    own = scopes_of(client)
    if requested is None:
        return own
    try:
        scopes = frozenset(map(Scope.parse, requested.split()))
    except ValueError:
        raise Refusal("invalid_scope", "A scope is written label:read or label:write.") from None
    if not scopes or not all(_is_covered(scope, own) for scope in scopes):
        raise Refusal("invalid_scope", "The client is not registered for this scope.")
    return scopes


def narrowed_purposes(client: ClientDocument, requested: str | None) -> frozenset[Purpose]:
    """The purposes to grant: all the client has, or those requested if they are among them."""
    own = frozenset(client.purposes)
    if requested is None:
        return own
    chosen = set(requested.split())
    if not chosen or not chosen <= own:
        raise Refusal("invalid_scope", "The client is not registered for this purpose.")
    return frozenset(map(Purpose, chosen))


def _is_covered(scope: Scope, own: frozenset[Scope]) -> bool:
    return any(each.access is scope.access and each.label.covers(scope.label) for each in own)


def _credentials(request: Request) -> tuple[str, str]:
    """Client id and secret of HTTP Basic, each form-encoded (RFC 6749, section 2.3.1)."""
    headers = request.headers.getlist("authorization")
    scheme, _, encoded = headers[0].partition(" ") if len(headers) == 1 else ("", "", "")
    if scheme.lower() != "basic":
        raise Refusal("invalid_client", "Authenticate by HTTP Basic, with client id and secret.", 401)
    try:
        client_id, colon, secret = b64decode(encoded.strip(), validate=True).decode().partition(":")
        decoded = unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict")
    except (binascii.Error, UnicodeError):
        raise Refusal("invalid_client", "The Basic credentials cannot be read.", 401) from None
    if not colon or "\0" in decoded[0]:
        raise Refusal("invalid_client", "The Basic credentials cannot be read.", 401)
    return decoded


async def _parameters(request: Request) -> Mapping[str, str]:
    """The form in the body. Parameters without a value count as absent (RFC 6749, section 3.2)."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise Refusal("invalid_request", f"The body must be {_FORM}.")
    try:
        text = (await _body(request)).decode("ascii")
        pairs = parse_qsl(text, errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError:
        raise Refusal("invalid_request", "The body cannot be read as a form.") from None
    parameters = dict(pairs)
    if len(parameters) < len(pairs):
        raise Refusal("invalid_request", "A parameter is there more than once.")
    return parameters


async def _body(request: Request) -> bytes:
    body = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY:
                    raise Refusal("invalid_request", "The body is too large.", 413)
    except TimeoutError:
        raise Refusal("invalid_request", "The body did not arrive in time.", 408) from None
    return body
