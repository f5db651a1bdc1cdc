"""Registered services: their scopes, purposes and secrets (OAuth 2 client credentials, RFC 6749).

A secret has 256 random bits and is stored only as its SHA-256; it is shown once, when it is made.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from secrets import token_urlsafe
from typing import Final

import structlog

from auth.principal import Scope
from auth.revocations import Revocations
from models.base import now as utc_now
from models.client import ClientDocument, ClientSecret
from models.database import Database
from models.errors import BadInput, FieldwardError
from models.ids import new_id
from models.vocabulary import Label, Purpose

NAME_LENGTH: Final = 100
USE_NOTED_EVERY: Final = timedelta(minutes=1)
NO_OVERLAP: Final = timedelta(0)
_REMEMBERED: Final = 1000  # clients whose last use is remembered here
_NOBODYS: Final = ClientSecret(hash=bytes(32))


class Clients:
    """The registry of services in `database`. `region` is where new ones belong."""

    def __init__(
        self, database: Database, revocations: Revocations, *, region: str, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._database, self._revocations = database, revocations
        self._region, self._clock = region, clock
        self._noted: OrderedDict[str, datetime] = OrderedDict()
        self._notes: set[asyncio.Task[None]] = set()

    async def add(self, name: str, scopes: Iterable[str], purposes: Iterable[str]) -> tuple[str, str]:
        """Register a service; its client id and its secret, which is shown this once. Raises `BadInput`."""
        secret = token_urlsafe(32)
        client = ClientDocument(
            id=new_id("cli", self._region),
            name=_name(name),
            scopes=sorted(map(str, _scopes(scopes))),
            purposes=sorted(_purposes(purposes)),
            secrets=[ClientSecret(hash=_hash(secret), created_at=self._clock())],
            created_at=self._clock(),
        )
        await self._database.insert(client)
        return client.id, secret

    async def list(self) -> Sequence[ClientDocument]:
        """All services that are not removed, oldest first."""
        rows = await self._database.find(ClientDocument, {"removed_at": None}, sort=[("created_at", 1), ("_id", 1)])
        return [ClientDocument.model_validate(row) for row in rows]

    async def rotate(self, client_id: str, *, overlap: timedelta = NO_OVERLAP) -> str:
        """Give a service a new secret, shown this once. The old ones hold for `overlap` longer.

        Without overlap (a secret that leaked) the tokens issued so far end too. Raises `BadInput`.
        """
        now, secret = self._clock(), token_urlsafe(32)
        client = await self._find(client_id)
        if client is None:
            raise _unknown()
        ends = now + overlap
        kept = [
            old.model_copy(update={"expires_at": min(ends, old.expires_at or ends)})
            for old in _valid(client.secrets, now)
            if overlap > NO_OVERLAP
        ]
        secrets = (ClientSecret(hash=_hash(secret), created_at=now), *kept)
        stored = [each.model_dump(exclude_none=True) for each in secrets]
        await self._database.update_one(ClientDocument, {"_id": client_id}, {"$set": {"secrets": stored}})
        if not kept:
            await self._revocations.revoke(client_id)
        return secret

    async def remove(self, client_id: str) -> None:
        """End a service and all its tokens. It stays in the records, without secrets. Raises `BadInput`."""
        change = {"$set": {"removed_at": self._clock(), "secrets": []}}
        if not await self._database.update_one(ClientDocument, {"_id": client_id, "removed_at": None}, change):
            raise _unknown()
        await self._revocations.revoke(client_id)

    async def authenticate(self, client_id: str, secret: str) -> ClientDocument | None:
        """The service of this id and secret, or None after the same work."""
        now = self._clock()
        client = await self._find(client_id)
        offered = _hash(secret)
        valid = _valid(client.secrets, now) if client else []
        matches = [compare_digest(offered, each.hash) for each in valid or [_NOBODYS]]
        if client is None or not valid or not any(matches):
            return None
        self._note_use(client.id, now)
        return client

    async def close(self) -> None:
        """Wait for what is still being noted."""
        await asyncio.gather(*self._notes)

    async def _find(self, client_id: str) -> ClientDocument | None:
        row = await self._database.find_one(ClientDocument, {"_id": client_id, "removed_at": None})
        return None if row is None else ClientDocument.model_validate(row)

    def _note_use(self, client_id: str, now: datetime) -> None:
        """Record the last use beside the request, at most once a minute."""
        noted = self._noted.get(client_id)
        if noted is not None and now - noted < USE_NOTED_EVERY:
            return
        self._noted[client_id] = now
        self._noted.move_to_end(client_id)
        if len(self._noted) > _REMEMBERED:
            self._noted.popitem(last=False)
        task = asyncio.create_task(self._store_use(client_id, now), name="client use")
        self._notes.add(task)
        task.add_done_callback(self._notes.discard)

    async def _store_use(self, client_id: str, now: datetime) -> None:
        try:
            await self._database.update_one(ClientDocument, {"_id": client_id}, {"$max": {"last_used_at": now}})
        except FieldwardError as error:
            structlog.get_logger(__name__).warning("client_use_not_noted", client=client_id, code=error.code)


def scopes_of(client: ClientDocument) -> frozenset[Scope]:
    """The scopes a service is registered with."""
    return frozenset(map(Scope.parse, client.scopes))


def _valid(secrets: Iterable[ClientSecret], now: datetime) -> Sequence[ClientSecret]:
    return [each for each in secrets if each.expires_at is None or each.expires_at > now]


def _hash(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _name(name: str) -> str:
    if not name.strip() or len(name) > NAME_LENGTH or not name.isprintable():
        raise BadInput(f"A service needs a name of at most {NAME_LENGTH} printable characters.", path=("name",))
    return name.strip()


def _scopes(texts: Iterable[str]) -> frozenset[Scope]:
    try:
        scopes = frozenset(map(Scope.parse, texts))
    except ValueError:
        raise BadInput("A scope is written like user.contact:read or user.contact:write.", path=("scopes",)) from None
    if not scopes:
        raise BadInput("A service needs at least one scope.", path=("scopes",))
    if any(Label.AUTHORIZATION.covers(scope.label) for scope in scopes):
        raise BadInput("No scope reaches user.authorization: nobody reads credentials.", path=("scopes",))
    return scopes


def _purposes(texts: Iterable[str]) -> frozenset[Purpose]:
    try:
        purposes = frozenset(map(Purpose, texts))
    except ValueError:
        raise BadInput(f"The purposes are {', '.join(Purpose)}.", path=("purposes",)) from None
    if not purposes:
        raise BadInput("A service needs at least one purpose.", path=("purposes",))
    return purposes


def _unknown() -> BadInput:
    return BadInput("There is no service with this client id.", path=("client_id",))
