"""What every Python peer shares: the token check, the rules, the reads from MongoDB, the server."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson
import uvicorn
from motor.motor_asyncio import AsyncIOMotorClient
from starlette.requests import HTTPConnection

from auth.tokens import Claims, InvalidToken, Tokens, has_expired
from models.crypto.key_file import load_or_create
from models.labels import mask_all, mask_email, mask_phone

Raw = dict[str, Any]

MASKS: Final[Mapping[str, Callable[[object], str]]] = {
    "User.email": mask_email,
    "User.phone": mask_phone,
    "Address.city": mask_all,
}
SDL: Final = Path(__file__).parent.parent / "schema.graphql"
_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Shared:
    """What the measuring stand tells every peer (see `bench.world`)."""

    issuer: str
    audience: str
    keys_file: Path
    max_page: int
    paths: Mapping[str, str]
    outcomes: Mapping[str, Mapping[str, Mapping[str, str]]]
    hides_restricted: frozenset[str]

    @classmethod
    def load(cls) -> Shared:
        """From the file that the environment names."""
        raw = orjson.loads(Path(os.environ["BENCH_SHARED"]).read_bytes())
        return cls(
            issuer=raw["issuer"],
            audience=raw["audience"],
            keys_file=Path(raw["keysFile"]),
            max_page=raw["maxPage"],
            paths=raw["paths"],
            outcomes=raw["outcomes"],
            hides_restricted=frozenset(raw["hidesRestricted"]),
        )


@dataclass(frozen=True, slots=True)
class Access:
    """What the caller may see for the purpose of this request: outcomes by coordinate."""

    outcomes: Mapping[str, str]
    hides_restricted: bool

    def denied(self, coordinate: str) -> bool:
        """Whether a coordinate is not to be shown."""
        return self.outcomes.get(coordinate, "DENIED") == "DENIED"

    def masked(self, coordinate: str) -> bool:
        """Whether a coordinate is to be shown masked."""
        return self.outcomes.get(coordinate) == "MASKED"


class Callers:
    """Verifies tokens; those that hold are remembered until they expire, as Fieldward does."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._tokens = Tokens(load_or_create(shared.keys_file), issuer=shared.issuer, audience=shared.audience)
        self._known: dict[str, Claims] = {}

    def access(self, connection: HTTPConnection) -> Access:
        """What the sender of a request may see. Raises `InvalidToken`, or `PermissionError` for a foreign purpose."""
        claims = self._verify(connection.headers.get("authorization", "").removeprefix("Bearer "))
        purpose = connection.headers.get("data-purpose", "")
        if purpose not in claims.purposes:
            raise PermissionError("The token does not carry this purpose.")
        role = next(iter(claims.roles), "")
        outcomes = self._shared.outcomes.get(role, {}).get(purpose, {})
        return Access(outcomes, purpose in self._shared.hides_restricted)

    def _verify(self, token: str) -> Claims:
        now = datetime.now(UTC)
        claims = self._known.get(token)
        if claims is None:
            claims = self._tokens.verify(token, now)
            if len(self._known) >= _REMEMBERED:
                del self._known[next(iter(self._known))]
            self._known[token] = claims
        elif has_expired(claims, now):
            del self._known[token]
            raise InvalidToken
        return claims


class People:
    """Reads people: only the selected and granted paths."""

    def __init__(self, shared: Shared, *, tz_aware: bool) -> None:
        self._shared = shared
        client: AsyncIOMotorClient[Raw] = AsyncIOMotorClient(os.environ["MONGODB_URL"], tz_aware=tz_aware)
        self._users = client.get_default_database()["users"]

    async def one(self, identifier: str, names: Iterable[str], access: Access) -> Raw | None:
        """One person as stored; nothing but the id of one whose data is restricted."""
        raw = await self._users.find_one({"_id": identifier}, self._projection(names, access))
        return raw and _shown(raw, access)

    async def many(self, first: int, after: str | None, names: Iterable[str], access: Access) -> list[Raw]:
        """A page of people in the order of their ids."""
        if not 1 <= first <= self._shared.max_page:
            raise ValueError("first is out of range")
        found = {"_id": {"$gt": _place(after)}} if after else {}
        cursor = self._users.find(found, self._projection(names, access), sort=[("_id", 1)], limit=first)
        return [_shown(raw, access) for raw in await cursor.to_list(first)]

    def _projection(self, names: Iterable[str], access: Access) -> dict[str, int]:
        paths = self._shared.paths
        wanted = {
            paths[coordinate]: 1
            for name in names
            if (coordinate := f"User.{name}") in paths and not access.denied(coordinate)
        }
        if access.hides_restricted:
            wanted["status"] = 1
        return {**wanted, "_id": 1}


def _shown(raw: Raw, access: Access) -> Raw:
    if access.hides_restricted and raw["status"] == "RESTRICTED":
        return {"_id": raw["_id"]}
    return raw


def _place(cursor: str) -> str:
    _path, value, *_rest = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    return str(value)


def serve(application: Any) -> None:  # noqa: ANN401 - any ASGI application
    """Answer on the port that the environment names, with the same server as Fieldward's."""
    uvicorn.run(
        application,
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
    )
