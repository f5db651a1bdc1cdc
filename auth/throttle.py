"""Who tries too often waits: by account, with growing delays, and by network, with an allowance.

All workers share the counts. A refusal says how long to wait and nothing of whether the account exists, nor which
names are one account's: a sign-in is counted by the name that was given, known or not. A known device
(`auth.devices`) is counted apart from strangers, so that nobody can lock the owner of an account out of it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from auth.accounts import account_of
from auth.allowances import (
    ALLOWANCES,
    EVERY,
    FIRST_DELAY,
    HASHING,
    OF_DEVICES,
    PLACES,
    QUIET,
    WINDOW,
    Action,
    delay_after,
    prefix_of,
)
from auth.devices import Devices
from auth.names import spelling
from models.base import now as utc_now
from models.crypto.macs import MacKey
from models.database import Database, Raw
from models.errors import Conflict, RateLimited
from models.throttle import ThrottleDocument

__all__ = ["Action", "Attempt", "Throttle"]

_PLACES_RETRY: Final = timedelta(seconds=2)
_ROUNDS: Final = 20  # more writers at once of one account's count than the delays let in


@dataclass(slots=True)
class Attempt:
    """One attempt being made; it counts as a success unless `failed` is called."""

    has_failed: bool = False

    def failed(self) -> None:
        """Note that the secret was wrong."""
        self.has_failed = True


@dataclass(frozen=True, slots=True)
class _Keys:
    """What is counted: an account, a name of one, or one device of it, and a network or all known devices with
    their `allowance`."""

    account: str | None
    network: str | None
    allowance: int


class Throttle:
    """Counts attempts. `count_loopback` False leaves callers on this machine out of what networks may do."""

    def __init__(
        self,
        database: Database,
        key: MacKey,
        *,
        count_loopback: bool = True,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database, self._key, self._clock = database, key, clock
        self._count_loopback = count_loopback
        self._under_way = 0
        self.devices = Devices(key, clock=clock)

    @asynccontextmanager
    async def attempt(
        self,
        action: Action,
        *,
        account: str | None = None,
        login: str | None = None,
        network: str | None,
        device: str | None = None,
    ) -> AsyncGenerator[Attempt, None]:
        """Let one attempt in, on `account` (a person's or client's id) or by the name `login` (user name or
        address, whether there is anybody of that name or not). `network` is the caller's address, `device`
        a token from `devices`; whose account it is of is looked up only for that.

        Raises `RateLimited` before the attempt, or after it when others used up what was left meanwhile: then
        nothing may be told of how it went. What raises any other error is not counted.
        """
        with self._place(action):
            counted = account if login is None else spelling(login)
            if login is not None and device:
                account = await account_of(self._database, login)
            keys = self._keys(action, counted, account, network, device)
            rows = await self._read(keys)
            self._admit(keys, rows)
            if action in EVERY:
                await self._count(keys, rows)
            attempt = Attempt()
            yield attempt
            if action in EVERY:
                return
            if attempt.has_failed:
                await self._count(keys, rows)
            elif keys.account is not None:
                await self._forget(keys.account)

    @contextmanager
    def _place(self, action: Action) -> Iterator[None]:
        """One of the places for what hashes, if `action` does. Raises `RateLimited` when all are taken."""
        takes = action in HASHING
        if takes and self._under_way >= PLACES:
            raise _limited(_PLACES_RETRY)
        self._under_way += takes
        try:
            yield
        finally:
            self._under_way -= takes

    def _keys(
        self, action: Action, counted: str | None, account: str | None, network: str | None, device: str | None
    ) -> _Keys:
        """Strangers are told apart by what is `counted`, devices by the `account` that they are known to."""
        known = None if account is None else self.devices.recognise(device, account)
        window = str(int(self._clock().timestamp() // WINDOW.total_seconds()))
        if account is not None and known is not None:
            device = self._key.mac(action, "device", account, known)
            return _Keys(device, self._key.mac(action, "devices", account, window), OF_DEVICES)
        prefix = prefix_of(network, loopback=self._count_loopback)
        return _Keys(
            None if counted is None else self._key.mac(action, "account", counted),
            None if prefix is None else self._key.mac(action, "network", prefix, window),
            ALLOWANCES[action],
        )

    async def _read(self, keys: _Keys) -> dict[str, Raw]:
        wanted = [key for key in (keys.account, keys.network) if key is not None]
        if not wanted:
            return {}
        rows = await self._database.find(ThrottleDocument, {"_id": {"$in": wanted}})
        return {row["_id"]: row for row in rows}

    def _admit(self, keys: _Keys, rows: dict[str, Raw]) -> None:
        now = self._clock()
        account, network = rows.get(keys.account or ""), rows.get(keys.network or "")
        if account is not None and account["until"] > now:
            raise _limited(account["until"] - now)
        if network is not None and network["number"] >= keys.allowance:
            raise _limited(network["until"] - now)

    async def _count(self, keys: _Keys, rows: dict[str, Raw]) -> None:
        if keys.network is not None:
            await self._use_allowance(keys.network, keys.allowance)
        if keys.account is not None:
            await self._delay(keys.account, rows.get(keys.account))

    async def _use_allowance(self, key: str, allowance: int) -> None:
        """Count one more in this window; of many at once no more than `allowance` get through."""
        now = self._clock()
        end = datetime.fromtimestamp(
            (now.timestamp() // WINDOW.total_seconds() + 1) * WINDOW.total_seconds(), now.tzinfo
        )
        update = {"$inc": {"number": 1}, "$setOnInsert": {"until": end, "expires_at": end}}
        for _ in range(2):
            try:
                await self._database.update_one(
                    ThrottleDocument, {"_id": key, "number": {"$lt": allowance}}, update, upsert=True
                )
            except Conflict:
                continue  # another one made the row at this moment, or it is used up
            return
        raise _limited(end - now)

    async def _delay(self, key: str, row: Raw | None) -> None:
        """Count one more failure, unless others have brought the account to where it has to wait."""
        for _ in range(_ROUNDS):
            now = self._clock()
            if row is not None and row["until"] > now:
                raise _limited(row["until"] - now)
            count = 1 if row is None or row["expires_at"] <= now else row["number"] + 1
            until = now + timedelta(seconds=delay_after(count))
            seen = {"_id": key, "number": 0 if row is None else row["number"]}
            changed = {"number": count, "until": until, "expires_at": until + QUIET}
            try:
                if await self._database.update_one(ThrottleDocument, seen, {"$set": changed}, upsert=row is None):
                    return
            except Conflict:
                pass  # another failure was first
            else:
                if row is None:
                    return  # made by this call
            row = await self._database.find_one(ThrottleDocument, {"_id": key})
        raise _limited(timedelta(seconds=FIRST_DELAY))

    async def _forget(self, key: str) -> None:
        """A success ends the count, unless failures meanwhile have brought the account to where it has to wait."""
        row = await self._database.find_one(ThrottleDocument, {"_id": key})
        now = self._clock()
        if row is None:
            return
        if row["until"] > now:
            raise _limited(row["until"] - now)
        await self._database.delete_one(ThrottleDocument, {"_id": key, "number": row["number"]})


def _limited(wait: timedelta) -> RateLimited:
    seconds = max(1, ceil(wait.total_seconds()))
    return RateLimited("Too many attempts. Try again later.", retry_after=seconds)
