"""OAuth 2 for services: tokens by client credentials (RFC 6749, section 4.4), revocation (RFC 7009),
introspection (RFC 7662), keys (RFC 7517) and metadata (RFC 8414).

`scope` narrows what the client is registered for, and so do `purpose` and `region`, additions of this
service: purposes separated by spaces, and one region.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from auth.assertions import Assertions
from auth.clients import Clients
from auth.oauth.answers import NO_STORE, PUBLIC, Refusal, answering
from auth.oauth.authentication import ClientAuthentication, read_credential
from auth.oauth.form import read_form
from auth.oauth.metadata import INTROSPECT, JWKS, METADATA, PATHS, REVOKE, TOKEN, metadata
from auth.oauth.narrowing import chosen_region, narrowed_purposes, narrowed_scopes
from auth.principal import Kind
from auth.revocations import Revocations
from auth.throttle import Throttle
from auth.tokens import Claims, InvalidToken, Tokens
from models.base import now as utc_now
from models.client import ClientDocument
from models.database import Database

__all__ = ["PATHS", "SERVICE_LIFETIME", "OAuth"]

SERVICE_LIFETIME: Final = timedelta(minutes=10)


class OAuth:
    """The endpoints. `clients.region` is where they are, and what tokens are for unless another is asked for."""

    def __init__(
        self,
        database: Database,
        clients: Clients,
        tokens: Tokens,
        revocations: Revocations,
        throttle: Throttle,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._clients, self._tokens, self._revocations, self._clock = clients, tokens, revocations, clock
        audiences = (tokens.issuer, f"{tokens.issuer.rstrip('/')}{TOKEN}")
        assertions = Assertions(database, clients, audiences=audiences, clock=clock)
        self._authentication = ClientAuthentication(clients, assertions, throttle)

    def routes(self) -> list[Route]:
        """What to mount at the root of the application."""
        return [
            Route(TOKEN, answering(self.token), methods=["POST"]),
            Route(REVOKE, answering(self.revoke), methods=["POST"]),
            Route(INTROSPECT, answering(self.introspect), methods=["POST"]),
            Route(JWKS, self.jwks, methods=["GET"]),
            Route(METADATA, self.metadata, methods=["GET"]),
        ]

    async def token(self, request: Request) -> Response:
        """Exchange client credentials for an access token."""
        form = await read_form(request)
        credential = read_credential(request, form)
        # NOTE: dated before the client is read, so that its change or removal meanwhile ends the token.
        issued = self._revocations.issuing_time(self._clock(), credential.client_id)
        client = await self._authentication.client(credential, form)
        if "grant_type" not in form:
            raise Refusal("invalid_request", "The parameter grant_type is missing.")
        if form["grant_type"] != "client_credentials":
            raise Refusal("unsupported_grant_type", "Only client_credentials is supported.")
        claims = Claims(
            subject=client.id,
            kind=Kind.SERVICE,
            issued_at=issued,
            expires_at=issued + SERVICE_LIFETIME,
            scopes=narrowed_scopes(client, form.get("scope")),
            purposes=narrowed_purposes(client, form.get("purpose")),
            region=chosen_region(client, form.get("region"), self._clients.region),
            authenticated_at=issued,
        )
        body = {
            "access_token": self._tokens.issue(claims),
            "token_type": "Bearer",
            "expires_in": int(SERVICE_LIFETIME.total_seconds()),
            **_granted(claims),
        }
        return JSONResponse(body, headers=NO_STORE)

    async def revoke(self, request: Request) -> Response:
        """End one of the client's own access tokens. What is no token, or over already, is no error."""
        claims, client = await self._presented(request)
        if claims is not None:
            if not _is_of(claims, client):
                raise Refusal("unauthorized_client", "The token was issued to somebody else.")
            await self._revocations.revoke(claims.jti, not_before=claims.issued_at)
        return Response(headers=NO_STORE)

    async def introspect(self, request: Request) -> Response:
        """Whether a token holds, and what it says. A client is told of its own tokens, and of others when it
        is registered to be; else the answer is that of a token that is none."""
        claims, client = await self._presented(request)
        told = claims is not None and (_is_of(claims, client) or client.introspects)
        if claims is None or not told or await self._revocations.is_revoked(claims.ids, claims.issued_at):
            return JSONResponse({"active": False}, headers=NO_STORE)
        return JSONResponse({"active": True, **self._said(claims)}, headers=NO_STORE)

    async def jwks(self, _request: Request) -> Response:
        """The public keys that verify access tokens: the next one, the one that signs, and those before it."""
        keys = self._tokens.ring.jwks(self._clock())
        return JSONResponse(keys, headers=PUBLIC, media_type="application/jwk-set+json")

    async def metadata(self, _request: Request) -> Response:
        """What this authorization server can do."""
        return JSONResponse(metadata(self._tokens.issuer), headers=PUBLIC)

    async def _presented(self, request: Request) -> tuple[Claims | None, ClientDocument]:
        """What the token in the form says (None: it does not hold), and who asks."""
        form = await read_form(request)
        client = await self._authentication.client(read_credential(request, form), form)
        if "token" not in form:
            raise Refusal("invalid_request", "The parameter token is missing.")
        try:
            return self._tokens.verify(form["token"], self._clock()), client
        except InvalidToken:
            return None, client

    def _said(self, claims: Claims) -> dict[str, object]:
        told: dict[str, object] = {
            "iss": self._tokens.issuer,
            "aud": self._tokens.audience,
            "sub": claims.subject,
            "client_id": claims.client_id,
            "token_type": "Bearer",
            "jti": claims.jti,
            "iat": int(claims.issued_at.timestamp()),
            "nbf": int(claims.issued_at.timestamp()),
            "exp": int(claims.expires_at.timestamp()),
            "kind": claims.kind,
            **_granted(claims),
        }
        if claims.kind is Kind.PERSON:
            told |= {"roles": sorted(claims.roles), "amr": sorted(claims.methods)}
        return told


def _granted(claims: Claims) -> dict[str, object]:
    return {
        "scope": " ".join(sorted(map(str, claims.scopes))),
        "purpose": " ".join(sorted(claims.purposes)),
        "region": claims.region,
    }


def _is_of(claims: Claims, client: ClientDocument) -> bool:
    return claims.kind is Kind.SERVICE and claims.subject == client.id
