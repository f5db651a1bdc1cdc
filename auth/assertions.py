"""`private_key_jwt`: a service proves itself by a JWT that it has signed (RFC 7523, section 3; RFC 7521).

Each assertion works once, in all workers together: its `jti` is a row that only one of them can make, and
that stays as long as the assertion would have held.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from auth.client_keys import ALGORITHMS, algorithms_of
from auth.clients import Clients
from auth.jose import BadToken, Demands, Key, claimed_subject, public_key, verified
from models.base import now as utc_now
from models.client import AssertionDocument, ClientDocument, ClientKey
from models.database import Database
from models.errors import Conflict

LIFE: Final = timedelta(minutes=5)
LEEWAY: Final = timedelta(seconds=10)
KEPT: Final = LEEWAY + timedelta(minutes=5)  # after its end, for the database's own clock may be ahead
JTI_LENGTH: Final = 256  # characters
# What clients write (RFC 7523 says nothing), and what its successor is about to ask for; no access token.
_TYPES: Final = frozenset({"", "jwt", "client-authentication+jwt"})
_REQUIRED: Final = frozenset({"exp", "jti"})


class Assertions:
    """Checks assertions made for this server. `audiences` are the names it goes by: issuer and token endpoint."""

    def __init__(
        self,
        database: Database,
        clients: Clients,
        *,
        audiences: tuple[str, ...],
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database, self._clients, self._audiences, self._clock = database, clients, audiences, clock

    async def authenticate(self, assertion: str) -> ClientDocument | None:
        """The service that made `assertion`, now and for the first time; None when it does not hold."""
        client_id = claimed_subject(assertion)
        client = None if client_id is None else await self._clients.find(client_id)
        if client is None:
            return None
        try:
            claims, key = self._verified(client, assertion)
        except BadToken:
            return None
        if not await self._is_first(client.id, claims):
            return None
        self._clients.note_use(client.id, key.id)
        return client

    def _verified(self, client: ClientDocument, assertion: str) -> tuple[Mapping[str, Any], ClientKey]:
        used: list[ClientKey] = []

        def key_of(header: Mapping[str, Any]) -> Key | None:
            found = _named(client.keys, header)
            used.extend(found)
            return public_key(found[0].jwk) if found else None

        claims = verified(assertion, key_of, self._demands(client.id), self._clock())
        if not 1 <= len(claims["jti"]) <= JTI_LENGTH:
            raise BadToken
        return claims, used[0]

    def _demands(self, client_id: str) -> Demands:
        return Demands(
            algorithms=ALGORITHMS,
            types=_TYPES,
            values={"iss": (client_id,), "sub": (client_id,), "aud": self._audiences},
            required=_REQUIRED,
            life=LIFE,
            leeway=LEEWAY,
            one_audience=True,
        )

    async def _is_first(self, client_id: str, claims: Mapping[str, Any]) -> bool:
        # NOTE: the identifier is a fixed length before the rest, so that no two pairs read the same.
        name = sha256(sha256(client_id.encode()).digest() + claims["jti"].encode("utf-8", "surrogatepass")).hexdigest()
        ends = datetime.fromtimestamp(int(claims["exp"]), UTC) + KEPT
        try:
            await self._database.insert(AssertionDocument(id=name, expires_at=ends))
        except Conflict:
            return False
        return True


def _named(keys: list[ClientKey], header: Mapping[str, Any]) -> list[ClientKey]:
    """The key that a header names and may use its algorithm; without a `kid`, the only key there is."""
    kid = header.get("kid")
    named = [key for key in keys if key.jwk["kid"] == kid] if kid is not None or len(keys) > 1 else keys
    return [key for key in named if header.get("alg") in algorithms_of(key.jwk)]
