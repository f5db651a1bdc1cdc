"""Who is asking: from the connection's credential to a `Principal`.

A bearer token in the `Authorization` header (RFC 6750) counts before the browser's cookie. A credential
that does not hold makes the caller nobody, with the reason in `problem`: public documents still work.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from auth.principal import NOBODY, RECENT, Assurance, Kind, Principal, is_strong
from auth.revocations import Revocations
from auth.tokens import Claims, ExpiredToken, InvalidToken, Tokens, has_expired
from models.base import now as utc_now
from models.crypto.signing import SigningRing

ACCESS_COOKIE: Final = "fieldward_access"
REFRESH_COOKIE: Final = "fieldward_refresh"
CACHED_TOKENS: Final = 10_000
_THIS_HOST: Final = "__Host-"  # RFC 6265bis, section 4.1.3.2
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BEARER: Final = re.compile(r"\Abearer +([A-Za-z0-9._~+/-]+=*) *\Z", re.IGNORECASE)


@dataclass(slots=True)
class Credentials:
    """What a request presents: its `Authorization` headers, and its cookies by name."""

    authorizations: Sequence[str] = field(default=(), repr=False)
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class _Known:
    """A verified token. Its principal is made in both variants once: until `recent_until`, and after it."""

    claims: Claims
    recent: Principal
    later: Principal
    recent_until: datetime
    ids: tuple[str, ...]
    ring: SigningRing


class Identity:
    """Reads credentials. Verified tokens are remembered by their SHA-256, at most `size` of them.

    Without `step_up` nobody is asked for more proof, and all shapes have one assurance: equal callers share
    cached grants however they signed in.
    """

    def __init__(
        self,
        tokens: Tokens,
        revocations: Revocations,
        *,
        step_up: bool = False,
        secure_cookies: bool = False,
        clock: Callable[[], datetime] = utc_now,
        size: int = CACHED_TOKENS,
    ) -> None:
        self._tokens, self._revocations = tokens, revocations
        self._step_up, self._clock, self._size = step_up, clock, size
        self._cookie = cookie_name(ACCESS_COOKIE, secure=secure_cookies)
        self._known: OrderedDict[bytes, _Known] = OrderedDict()

    async def principal(self, credentials: Credentials) -> Principal:
        """The caller. Raises `DatabaseUnavailable` when a revocation can be neither seen nor ruled out."""
        headers = credentials.authorizations
        if len(headers) > 1:
            return _nobody("The request has several Authorization headers.")
        if headers:
            bearer = _BEARER.match(headers[0])
            if bearer is None:
                return _nobody("The Authorization header is not of the form: Bearer <access token>.")
            return await self._of(bearer[1])
        cookie = credentials.cookies.get(self._cookie)
        if not cookie:
            return NOBODY
        found = await self._of(cookie)
        return replace(found, from_cookie=True) if found.authenticated else found

    async def _of(self, token: str) -> Principal:
        now = self._clock()
        try:
            known = self._verified(token, now)
        except InvalidToken as problem:
            return _nobody(problem.message)
        if await self._revocations.is_revoked(known.ids, known.claims.issued_at):
            return _nobody("The access token has been revoked.")
        return known.recent if now < known.recent_until else known.later

    def _verified(self, token: str, now: datetime) -> _Known:
        key = sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._known.get(key)
        if known is None or known.ring is not self._tokens.ring:  # after a change of the keys all are read anew
            known = self._remember(key, self._tokens.verify(token, now))
        elif has_expired(known.claims, now):
            del self._known[key]
            raise ExpiredToken
        else:
            self._known.move_to_end(key)
        return known

    def _remember(self, key: bytes, claims: Claims) -> _Known:
        recent, later = (self._assured(claims, recent=it) for it in (True, False))
        until = (claims.authenticated_at or _LONG_AGO) + RECENT
        known = self._known[key] = _Known(claims, recent, later, until, claims.ids, self._tokens.ring)
        if len(self._known) > self._size:
            self._known.popitem(last=False)
        return known

    def _assured(self, claims: Claims, *, recent: bool) -> Principal:
        """The caller, with what the policy may know of how surely it is them."""
        principal = claims.principal()
        if not self._step_up or claims.kind is not Kind.PERSON:
            return principal
        assurance = Assurance(is_strong(claims.methods), recent)
        return replace(principal, shape=replace(principal.shape, assurance=assurance))


def cookie_name(name: str, *, secure: bool) -> str:
    """What browsers call a cookie. One that is `secure` can only have been set by this very host over TLS: no page of a
    neighbour (`shop.example` for `users.shop.example`) puts a session of its own in the place of a person's."""
    return f"{_THIS_HOST}{name}" if secure else name


def _nobody(problem: str) -> Principal:
    return replace(NOBODY, problem=problem)
