"""Passwords: argon2id by pwdlib, bcrypt for imported people, in a bounded pool of threads.

Each hash takes memory (64 MiB by default), so the number of threads follows from a memory budget and
the number of those who may wait is fixed: a flood of sign-ins is turned away instead of filling memory.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from secrets import token_bytes
from threading import BoundedSemaphore
from typing import Final, TypeVar
from unicodedata import normalize

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.bcrypt import BcryptHasher

from auth.screening import Screening, common_pieces, is_text
from models.errors import RateLimited

T = TypeVar("T")

MAX_IMPORTED_MEMORY: Final = 256 * 1024  # KiB; with the next three, what the import accepts
MAX_IMPORTED_PASSES: Final = 16
MAX_IMPORTED_LANES: Final = 16
MAX_IMPORTED_ROUNDS: Final = 14
MAX_VERIFIED_LENGTH: Final = 1024  # an imported password may be longer than a new one
_CHEAP_ROUNDS: Final = 10  # of bcrypt; some 60 ms
_BCRYPT_BYTES: Final = 72
_RETRY_AFTER: Final = 2
_NICE: Final = 5
_PATIENCE: Final = 4.0  # seconds in the queue; well before a request has taken too long altogether
_ARGON2: Final = re.compile(
    r"\A\$argon2(?:id|i|d)\$(?:v=(?:16|19)\$)?m=(\d{1,7}),t=(\d{1,4}),p=(\d{1,3})"
    r"\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,171})\Z"
)
_BCRYPT: Final = re.compile(r"\A\$2[aby]\$(\d\d)\$[A-Za-z0-9+/.]{53}\Z")


@dataclass(frozen=True, slots=True)
class HashCost:
    """What one argon2id hash costs: `memory` in KiB, `passes` over it, `lanes` at once.

    The default is the second recommendation of RFC 9106, section 4, above the OWASP minimum.
    """

    memory: int = 64 * 1024
    passes: int = 3
    lanes: int = 4


@dataclass(frozen=True, slots=True)
class Verified:
    """Whether a password was right, and a better hash of it to store instead (rehash on sign-in)."""

    ok: bool
    replacement: str | None = None

    def __bool__(self) -> bool:
        return self.ok


class _ImportedBcrypt(BcryptHasher):
    """bcrypt as other systems made it: only the first 72 bytes of a password count."""

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:  # noqa: A002 - pwdlib's Protocol names the argument so
        data = password.encode() if isinstance(password, str) else password
        return super().verify(data[:_BCRYPT_BYTES], hash)


class Passwords:
    """Hashes and verifies. `memory` in MiB bounds all hashes at once, `waiting` those in the queue, and
    `patience` (seconds) how long each of them waits there."""

    def __init__(
        self, cost: HashCost = HashCost(), *, memory: int = 1024, waiting: int = 64, patience: float = _PATIENCE
    ) -> None:
        threads = max(1, min(os.cpu_count() or 1, memory * 1024 // max(cost.memory, MAX_IMPORTED_MEMORY)))
        argon2 = Argon2Hasher(time_cost=cost.passes, memory_cost=cost.memory, parallelism=cost.lanes)
        self._hasher = PasswordHash((argon2, _ImportedBcrypt()))
        self._nobodys, self._cost = _hash_of_nobody(cost), cost
        self._screening = Screening(common_pieces())
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="password", initializer=_give_way)
        self._places = BoundedSemaphore(threads + waiting)
        self._patience = patience

    def problems(self, password: str, *, personal: Sequence[str] = (), second_factor: bool = False) -> list[str]:
        """What is wrong with a new password, as codes of `auth.screening.Problem`; empty when nothing is."""
        return list(self._screening.problems(password, personal, second_factor=second_factor))

    async def hash(self, password: str) -> str:
        """The hash to store. Check `problems` first. Raises `RateLimited` when too many wait."""
        return await self._run(lambda: self._hasher.hash(normalize("NFKC", password)))

    async def verify(self, password: str, stored: str | None) -> Verified:
        """Whether `password` belongs to the hash `stored`. Raises `RateLimited` when too many wait.

        Takes the work of one hash also where there is no hash (nobody of that name, a person without
        a password), an unusable or an imported one that is quickly verified, so that the time taken tells
        nothing of it. Only an imported hash that costs more than one's own takes longer, until its owner signs in.
        """
        usable = is_text(password) and len(password) <= MAX_VERIFIED_LENGTH
        known = stored if usable and stored is not None and is_supported(stored) else None
        return await self._run(lambda: self._verify(password if usable else "", known))

    def close(self) -> None:
        """End the threads; whoever still waits is cancelled."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _verify(self, password: str, stored: str | None) -> Verified:
        normal = normalize("NFKC", password)
        cheap = stored is not None and _is_cheap(stored, self._cost)
        # Imported hashes may be of the password as typed; trying both costs the same for everybody.
        for attempt in dict.fromkeys((normal, password)):
            if self._hasher.verify(attempt, stored or self._nobodys) and stored is not None:
                return Verified(True, self._replacement(attempt, normal, stored))
            if cheap:
                self._hasher.verify(attempt, self._nobodys)
        return Verified(False)

    def _replacement(self, attempt: str, normal: str, stored: str) -> str | None:
        current = self._hasher.current_hasher
        outdated = not current.identify(stored) or current.check_needs_rehash(stored)
        return current.hash(normal) if outdated or attempt != normal else None

    async def _run(self, work: Callable[[], T]) -> T:
        if not self._places.acquire(blocking=False):
            raise _busy()
        try:
            future = self._pool.submit(work)
        except BaseException:
            self._places.release()
            raise
        future.add_done_callback(self._leave)
        result = asyncio.wrap_future(future)
        try:
            await asyncio.wait((result,), timeout=self._patience)
        finally:
            turned_away = future.cancel()  # what has begun goes on, and what is done stays
        if turned_away:
            raise _busy()
        return await result

    def _leave(self, _done: Future[T]) -> None:
        self._places.release()


def _give_way() -> None:
    """Let the rest of the service go first: a hash keeps several threads busy, a request only one.

    Linux has a priority for each thread, which the threads of the lanes inherit; elsewhere this does nothing.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


def _busy() -> RateLimited:
    return RateLimited("Too many sign-ins at once. Try again in a moment.", retry_after=_RETRY_AFTER)


def is_supported(stored: str) -> bool:
    """Whether `stored` is a hash that can be verified here at a bearable cost."""
    # NOTE: what the libraries would refuse at once must be found here: verifying it would take no time.
    if found := _ARGON2.match(stored):
        memory, passes, lanes = (int(number) for number in found.groups()[:3])
        affordable = memory <= MAX_IMPORTED_MEMORY and 1 <= passes <= MAX_IMPORTED_PASSES
        sound = 1 <= lanes <= MAX_IMPORTED_LANES and memory >= 8 * lanes
        return affordable and sound and all(map(_is_base64, found.groups()[3:]))
    if found := _BCRYPT.match(stored):
        return 4 <= int(found[1]) <= MAX_IMPORTED_ROUNDS
    return False


def _is_cheap(stored: str, cost: HashCost) -> bool:
    """Whether a supported hash is verified in clearly less time than one of `cost`."""
    if found := _ARGON2.match(stored):
        return 2 * int(found[1]) * int(found[2]) < cost.memory * cost.passes
    found = _BCRYPT.match(stored)
    return found is not None and int(found[1]) <= _CHEAP_ROUNDS


def _is_base64(text: str) -> bool:
    """Whether `text` is unpadded base64 in its one canonical spelling."""
    if len(text) % 4 == 1:
        return False
    return b64encode(b64decode(text + "=" * (-len(text) % 4))).decode().rstrip("=") == text


def _hash_of_nobody(cost: HashCost) -> str:
    """A hash that costs as much as any other and that no password has: its digest is random."""
    salt, digest = (b64encode(token_bytes(size)).decode().rstrip("=") for size in (16, 32))
    return f"$argon2id$v=19$m={cost.memory},t={cost.passes},p={cost.lanes}${salt}${digest}"
