"""Which service is asking: `client_secret_basic` (RFC 6749, section 2.3.1) or `private_key_jwt` (RFC 7523).

One way per request, and nothing of a secret in a body. An unknown service, a wrong secret and an assertion
that does not hold answer alike. Wrong ones are counted by network and not by service: a secret of 256 bits
is not guessed, and counting by service would let anybody keep it out.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_plus

from starlette.requests import Request

from auth.assertions import Assertions
from auth.clients import Clients
from auth.jose import claimed_subject
from auth.oauth.answers import Refusal
from auth.throttle import Action, Throttle
from models.client import ClientDocument

METHODS: Final = ("client_secret_basic", "private_key_jwt")
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class Credential:
    """What a request presents: whom it names, and a secret or an assertion to prove it. Not verified yet."""

    client_id: str
    secret: str | None = field(default=None, repr=False)
    assertion: str = field(default="", repr=False)
    network: str | None = field(default=None, repr=False)


def read_credential(request: Request, form: Mapping[str, str]) -> Credential:
    """The one credential of a request. Raises `Refusal`."""
    network = request.client.host if request.client else None
    asserted = "client_assertion" in form or "client_assertion_type" in form
    if (asserted or "client_secret" in form) and "authorization" in request.headers:
        raise Refusal("invalid_request", "Authenticate in one way only, and never with a secret in the body.")
    if not asserted:
        return Credential(*_basic(request), network=network)
    if form.get("client_assertion_type") != ASSERTION_TYPE or "client_assertion" not in form:
        raise Refusal("invalid_client", f"An assertion comes with client_assertion_type {ASSERTION_TYPE}.", 401)
    assertion = form["client_assertion"]
    return Credential(claimed_subject(assertion) or "", assertion=assertion, network=network)


class ClientAuthentication:
    """Finds out whether a credential holds."""

    def __init__(self, clients: Clients, assertions: Assertions, throttle: Throttle) -> None:
        self._clients, self._assertions, self._throttle = clients, assertions, throttle

    async def client(self, credential: Credential, form: Mapping[str, str]) -> ClientDocument:
        """The service. Raises `Refusal`, or `RateLimited` after too many wrong ones from its network."""
        async with self._throttle.attempt(Action.TOKEN, account=None, network=credential.network) as attempt:
            found = await self._holder(credential)
            if found is None:
                attempt.failed()
        if found is None:
            raise Refusal("invalid_client", "The client is unknown, or what it proves itself by does not hold.", 401)
        if form.get("client_id", found.id) != found.id:
            raise Refusal("invalid_request", "The client_id is not that of the service that authenticated.")
        return found

    async def _holder(self, credential: Credential) -> ClientDocument | None:
        if credential.secret is None:
            return await self._assertions.authenticate(credential.assertion)
        return await self._clients.authenticate(credential.client_id, credential.secret)


def _basic(request: Request) -> tuple[str, str]:
    """Client id and secret, each form-encoded."""
    headers = request.headers.getlist("authorization")
    scheme, _, encoded = headers[0].partition(" ") if len(headers) == 1 else ("", "", "")
    if scheme.lower() != "basic":
        raise Refusal("invalid_client", "Authenticate by HTTP Basic, or by a signed assertion.", 401)
    try:
        client_id, colon, secret = b64decode(encoded.strip(), validate=True).decode().partition(":")
        decoded = unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict")
    except (binascii.Error, UnicodeError):
        raise Refusal("invalid_client", "The Basic credentials cannot be read.", 401) from None
    if not colon or "\0" in decoded[0]:
        raise Refusal("invalid_client", "The Basic credentials cannot be read.", 401)
    return decoded
