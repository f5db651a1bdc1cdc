"""Registered services: what they may do, and their secrets and keys (OAuth 2 client credentials, RFC 6749).

A secret has 256 random bits and is stored only as its SHA-256; it is shown once, when it is made. At most
two hold at a time, so that a new one can be brought out before the old one goes.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from secrets import token_hex, token_urlsafe
from typing import Final

import structlog

from auth.registration import Registration, scopes_of
from auth.revocations import Revocations
from models.base import now as utc_now
from models.client import ClientDocument, ClientKey, ClientSecret
from models.database import Database
from models.errors import BadInput, DatabaseUnavailable, FieldwardError
from models.ids import new_id

__all__ = ["MAX_SECRETS", "Clients", "scopes_of", "valid_secrets"]

MAX_SECRETS: Final = 2
USE_NOTED_EVERY: Final = timedelta(minutes=1)
NO_OVERLAP: Final = timedelta(0)
_REMEMBERED: Final = 1000  # credentials whose last use is remembered here
_ROUNDS: Final = 5
_NOBODYS: Final = ClientSecret(hash=bytes(32))


class Clients:
    """The registry of services in `database`. `region` is where new ones belong."""

    def __init__(
        self, database: Database, revocations: Revocations, *, region: str, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._database, self._revocations = database, revocations
        self.region, self._clock = region, clock
        self._noted: OrderedDict[tuple[str, str | None], datetime] = OrderedDict()
        self._notes: set[asyncio.Task[None]] = set()

    async def add(
        self,
        name: str,
        scopes: Iterable[str],
        purposes: Iterable[str],
        *,
        owner: str | None = None,
        regions: Iterable[str] | None = None,
        introspects: bool = False,
        lifetime: timedelta | None = None,
    ) -> tuple[str, str]:
        """Register a service; its client id and its secret, which is shown this once and holds for `lifetime`
        (None: until it is replaced). Raises `BadInput`."""
        registration = Registration.read(
            name=name, scopes=scopes, purposes=purposes, owner=owner, regions=regions, introspects=introspects
        )
        return await self.add_with_secret(registration, lifetime)

    async def add_with_secret(self, registration: Registration, lifetime: timedelta | None = None) -> tuple[str, str]:
        """The same, of what has been checked."""
        secret, stored = self._new_secret(lifetime)
        return await self._insert(registration, secrets=[stored]), secret

    async def add_with_keys(self, registration: Registration, keys: Sequence[ClientKey]) -> str:
        """Register a service that signs its requests, and has no secret; its client id."""
        return await self._insert(registration, keys=keys)

    async def list(self) -> Sequence[ClientDocument]:
        """All services that are not removed, oldest first."""
        rows = await self._database.find(ClientDocument, {"removed_at": None}, sort=[("created_at", 1), ("_id", 1)])
        return [ClientDocument.model_validate(row) for row in rows]

    async def find(self, client_id: str) -> ClientDocument | None:
        """The service of this id, unless it is removed."""
        row = await self._database.find_one(ClientDocument, {"_id": client_id, "removed_at": None})
        return None if row is None else ClientDocument.model_validate(row)

    async def rotate(
        self, client_id: str, *, overlap: timedelta = NO_OVERLAP, lifetime: timedelta | None = None
    ) -> str:
        """Give a service a new secret, shown this once. The one before holds for `overlap` longer, any older
        one ends.

        Without overlap (a secret that leaked) the tokens issued so far end too. Raises `BadInput`.
        """
        now, ends = self._clock(), self._clock() + overlap
        secret, new = self._new_secret(lifetime)

        def rotated(client: ClientDocument) -> dict[str, object]:
            kept = [
                old.model_copy(update={"expires_at": min(ends, old.expires_at or ends)})
                for old in valid_secrets(client, now)[: MAX_SECRETS - 1]
                if overlap > NO_OVERLAP
            ]
            return {"secrets": [new, *kept]}

        await self._change(client_id, rotated)
        if overlap <= NO_OVERLAP:
            await self._revocations.revoke(client_id)
        return secret

    async def change(
        self,
        client_id: str,
        registration: Registration,
        *,
        keys: Sequence[ClientKey] | None = None,
        drop_secrets: bool = False,
        drop_keys: bool = False,
    ) -> bool:
        """Change what a service may do; whether its tokens so far ended, because it lost something.

        `keys` replace the ones it has. Raises `BadInput`, also where it could no longer prove itself.
        """
        lost = False

        def changed(client: ClientDocument) -> dict[str, object]:
            nonlocal lost
            left = [] if drop_keys else client.keys if keys is None else list(keys)
            secrets = [] if drop_secrets else client.secrets
            if not left and not valid_secrets(client.model_copy(update={"secrets": secrets}), self._clock()):
                raise BadInput("The service would have neither a secret nor a key left.", path=("credentials",))
            gone = {key.id for key in client.keys} - {key.id for key in left}
            lost = bool(gone) or len(secrets) < len(client.secrets) or registration.narrows(client, self.region)
            return {**registration.stored(), "keys": left, "secrets": secrets}

        await self._change(client_id, changed)
        if lost:
            # NOTE: after the change is stored: whoever reads the service from now on gets less.
            await self._revocations.revoke(client_id)
        return lost

    async def remove(self, client_id: str) -> None:
        """End a service and all its tokens. It stays in the records, without credentials. Raises `BadInput`."""
        await self._change(client_id, lambda _: {"removed_at": self._clock(), "secrets": [], "keys": []})
        await self._revocations.revoke(client_id)

    async def authenticate(self, client_id: str, secret: str) -> ClientDocument | None:
        """The service of this id and secret, or None after the same work."""
        now = self._clock()
        client = await self.find(client_id)
        offered = sha256(secret.encode("utf-8", "surrogatepass")).digest()
        valid = valid_secrets(client, now) if client else []
        matches = [compare_digest(offered, each.hash) for each in valid or [_NOBODYS]]
        if client is None or not valid or not any(matches):
            return None
        self.note_use(client.id, valid[matches.index(True)].id)
        return client

    def note_use(self, client_id: str, credential: str | None) -> None:
        """Record the last use of a service and its credential beside the request, at most once a minute."""
        now, what = self._clock(), (client_id, credential)
        noted = self._noted.get(what)
        if noted is not None and now - noted < USE_NOTED_EVERY:
            return
        self._noted[what] = now
        self._noted.move_to_end(what)
        if len(self._noted) > _REMEMBERED:
            self._noted.popitem(last=False)
        task = asyncio.create_task(self._store_use(client_id, credential, now), name="client use")
        self._notes.add(task)
        task.add_done_callback(self._notes.discard)

    async def close(self) -> None:
        """Wait for what is still being noted."""
        await asyncio.gather(*self._notes)

    async def _store_use(self, client_id: str, credential: str | None, now: datetime) -> None:
        moments = {"last_used_at": now, **({f"used.{credential}": now} if credential else {})}
        try:
            await self._database.update_one(ClientDocument, {"_id": client_id}, {"$max": moments})
        except FieldwardError as error:
            structlog.get_logger(__name__).warning("client_use_not_noted", client=client_id, code=error.code)

    def _new_secret(self, lifetime: timedelta | None) -> tuple[str, ClientSecret]:
        secret, now = token_urlsafe(32), self._clock()
        return secret, ClientSecret(
            hash=sha256(secret.encode()).digest(),
            id=f"sec_{token_hex(4)}",
            created_at=now,
            expires_at=None if lifetime is None else now + lifetime,
        )

    async def _insert(
        self, registration: Registration, *, secrets: Sequence[ClientSecret] = (), keys: Sequence[ClientKey] = ()
    ) -> str:
        fields = {"regions": [self.region], **registration.stored()}
        client = ClientDocument(
            id=new_id("cli", self.region),
            secrets=list(secrets),
            keys=list(keys),
            created_at=self._clock(),
            revision=1,
            **fields,
        )
        await self._database.insert(client)
        return client.id

    async def _change(self, client_id: str, change: Callable[[ClientDocument], dict[str, object]]) -> None:
        """Store what `change` makes of a service; begun anew when another change came between."""
        for _ in range(_ROUNDS):
            client = await self.find(client_id)
            if client is None:
                raise BadInput("There is no service with this client id.", path=("client_id",))
            fields = {name: _plain(value) for name, value in change(client).items()}
            seen = {"_id": client_id, "removed_at": None, "revision": client.revision}
            update = {"$set": {**fields, "revision": (client.revision or 0) + 1}}
            if await self._database.update_one(ClientDocument, seen, update):
                return
        raise DatabaseUnavailable


def valid_secrets(client: ClientDocument, now: datetime) -> Sequence[ClientSecret]:
    """The secrets of a service that hold at `now`, newest first."""
    return [each for each in client.secrets if each.expires_at is None or each.expires_at > now]


def _plain(value: object) -> object:
    """As it is stored: what is absent is left out."""
    if isinstance(value, list):
        return [
            each.model_dump(exclude_none=True) if isinstance(each, ClientSecret | ClientKey) else each for each in value
        ]
    return value
