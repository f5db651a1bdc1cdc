"""Who is asking: from the connection's credential to a `Principal`.

A bearer token in the `Authorization` header (RFC 6750) counts before the browser's cookie. A credential
that does not hold makes the caller nobody, with the reason in `problem`: public documents still work.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Final

from starlette.requests import HTTPConnection

from auth.principal import NOBODY, Principal
from auth.revocations import Revocations
from auth.tokens import Claims, ExpiredToken, InvalidToken, Tokens, has_expired
from models.base import now as utc_now

ACCESS_COOKIE: Final = "fieldward_access"
REFRESH_COOKIE: Final = "fieldward_refresh"
CACHED_TOKENS: Final = 10_000
_BEARER: Final = re.compile(r"\Abearer +([A-Za-z0-9._~+/-]+=*) *\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Known:
    claims: Claims
    principal: Principal
    ids: tuple[str, ...]


class Identity:
    """Reads credentials. Verified tokens are remembered by their SHA-256, at most `size` of them."""

    def __init__(
        self,
        tokens: Tokens,
        revocations: Revocations,
        *,
        clock: Callable[[], datetime] = utc_now,
        size: int = CACHED_TOKENS,
    ) -> None:
        self._tokens, self._revocations = tokens, revocations
        self._clock, self._size = clock, size
        self._known: OrderedDict[bytes, _Known] = OrderedDict()

    async def principal(self, connection: HTTPConnection) -> Principal:
        """The caller. Raises `DatabaseUnavailable` when a revocation can be neither seen nor ruled out."""
        headers = connection.headers.getlist("authorization")
        if len(headers) > 1:
            return _nobody("The request has several Authorization headers.")
        if headers:
            bearer = _BEARER.match(headers[0])
            if bearer is None:
                return _nobody("The Authorization header is not of the form: Bearer <access token>.")
            return await self._of(bearer[1])
        cookie = connection.cookies.get(ACCESS_COOKIE)
        if not cookie:
            return NOBODY
        found = await self._of(cookie)
        return replace(found, from_cookie=True) if found.authenticated else found

    async def _of(self, token: str) -> Principal:
        try:
            known = self._verified(token)
        except InvalidToken as problem:
            return _nobody(problem.message)
        if await self._revocations.is_revoked(known.ids, known.claims.issued_at):
            return _nobody("The access token has been revoked.")
        return known.principal

    def _verified(self, token: str) -> _Known:
        now, key = self._clock(), sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._known.get(key)
        if known is None:
            known = self._remember(key, self._tokens.verify(token, now))
        elif has_expired(known.claims, now):
            del self._known[key]
            raise ExpiredToken
        else:
            self._known.move_to_end(key)
        return known

    def _remember(self, key: bytes, claims: Claims) -> _Known:
        ids = (claims.subject,) if claims.session is None else (claims.subject, claims.session)
        known = self._known[key] = _Known(claims, claims.principal(), ids)
        if len(self._known) > self._size:
            self._known.popitem(last=False)
        return known


def _nobody(problem: str) -> Principal:
    return replace(NOBODY, problem=problem)
