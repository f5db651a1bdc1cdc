"""The use of refresh tokens: each is replaced, and one that was copied ends its session (docs/decisions/0013)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from auth.origin import Origin
from auth.refresh import RefreshToken, Standing, standing
from auth.revocations import Revocations
from models.database import Database, Raw
from models.session import SessionDocument

IDLE_LIFETIME: Final = timedelta(days=7)
ABSOLUTE_LIFETIME: Final = timedelta(days=30)  # NIST SP 800-63B-4, section 2.1.3


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long a session can be refreshed: unused, and however much it is used."""

    idle: timedelta = IDLE_LIFETIME
    absolute: timedelta = ABSOLUTE_LIFETIME

    def end(self, created_at: datetime, now: datetime) -> datetime:
        """When a session ends that is used now."""
        return min(now + self.idle, created_at + self.absolute)


class Rotation:
    """Replaces refresh tokens. `on_reuse` is told the person whose session has ended by the second use of one."""

    def __init__(
        self, database: Database, revocations: Revocations, lifetimes: Lifetimes, on_reuse: Callable[[str], None]
    ) -> None:
        self._database, self._revocations = database, revocations
        self._lifetimes, self._on_reuse = lifetimes, on_reuse

    async def use(
        self, token: RefreshToken, row: Raw | None, now: datetime, ip: str | None
    ) -> tuple[RefreshToken, Raw] | None:
        """The successor of `token` and the row that knows it; None when it has none."""
        while row is not None:
            found = standing(token, row, now)
            if found is Standing.REUSED:
                await self._end(row)
            if found in (Standing.REUSED, Standing.UNKNOWN):
                return None
            successor = token.successor(row["refresh_seed"])
            used: dict[str, object] = {"last_used_at": now, "expires_at": self._lifetimes.end(row["created_at"], now)}
            if ip is not None:
                used |= {"ip": ip, "place": Origin(ip).place}
            if found is Standing.NEWEST:
                used |= {"refresh_hash": successor.hash(), "generation": successor.generation, "rotated_at": now}
            as_found = {"_id": token.session, "person": row["person"], "refresh_hash": row["refresh_hash"]}
            stored = await self._database.find_one_and_update(SessionDocument, as_found, {"$set": used})
            if stored is not None:
                return successor, stored
            # Another request with the same token was first, or the session has ended meanwhile.
            row = await self._database.find_one(SessionDocument, {"_id": token.session})
        return None

    async def _end(self, row: Raw) -> None:
        """End a session whose refresh token was copied; of several who notice, one tells."""
        ended = await self._database.delete_one(SessionDocument, {"_id": row["_id"]})
        await self._revocations.revoke(row["_id"])
        if ended:
            structlog.get_logger(__name__).warning("refresh_token_reused", rotations=row["generation"])
            self._on_reuse(row["person"])
