"""The file of signing keys, apart from the database: made once, changed by commands, re-read while the service runs.

It is a JWK Set (RFC 7517) with private keys, mode 0600 inside a folder of mode 0700. Each key may carry
`signs_from` and `retires_at` (ISO 8601). What is written replaces the file as a whole, so that nobody
reads half of it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeAlias

import structlog

from models.crypto.private_file import PrivateFile
from models.crypto.signing import SigningKey, SigningRing
from models.errors import ConfigurationError

CHECK_SECONDS: Final = 2.0
_Stamp: TypeAlias = tuple[int, int, int]


def load_or_create(path: Path) -> SigningRing:
    """The ring in the file at `path`; on first start the file is made with one new key.

    Safe when several workers start at once: one file wins and all read it. Raises `ConfigurationError`
    when file or folder can be read by others, or the file is no key ring.
    """
    return _ring(_file(path).read_or_create(_first), path)


def change(path: Path, changed: Callable[[SigningRing], SigningRing]) -> SigningRing:
    """Replace the ring in the file by what `changed` makes of it; of two changes at once one waits.

    Raises `ConfigurationError` as `load_or_create` does, and whatever `changed` raises.
    """
    load_or_create(path)
    return _ring(_file(path).change(lambda content: _content(changed(_ring(content, path)))), path)


class KeyWatch:
    """Looks every `seconds` whether the file has changed, and hands the new ring on.

    A file that cannot be used leaves the keys as they are, with a warning in the log: a mistake in it
    stops no service that runs.
    """

    def __init__(self, path: Path, use: Callable[[SigningRing], None], *, seconds: float = CHECK_SECONDS) -> None:
        self._path, self._use, self._seconds = path, use, seconds
        self._seen: _Stamp | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to look in the background."""
        self._task = asyncio.create_task(self._watch(), name="signing keys")

    async def stop(self) -> None:
        """End the background work."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._task = None

    async def look(self) -> None:
        """Read the file if it is another than the last time. Raises `ConfigurationError`."""
        stamp = await asyncio.to_thread(_stamp, self._path)
        if stamp is None or stamp == self._seen:
            return
        ring = await asyncio.to_thread(_reload, self._path)
        # NOTE: the stamp is from before the read, so that a change in between is seen the next time.
        self._seen = stamp
        self._use(ring)

    async def _watch(self) -> None:
        log, usable = structlog.get_logger(__name__), True
        while True:
            try:
                await self.look()
                usable = True
            except ConfigurationError as error:
                if usable:
                    log.warning("signing_keys_not_read", code=error.code)
                usable = False
            await asyncio.sleep(self._seconds)


def _reload(path: Path) -> SigningRing:
    return _ring(_file(path).read(), path)


def _stamp(path: Path) -> _Stamp | None:
    """What another content would change; None when there is no file to be seen."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _file(path: Path) -> PrivateFile:
    return PrivateFile(path, "signing keys")


def _first() -> bytes:
    return _content(SigningRing((SigningKey.generate(datetime.now(UTC).replace(microsecond=0)),)))


def _content(ring: SigningRing) -> bytes:
    return json.dumps({"keys": [key.record() for key in ring.keys]}).encode()


def _ring(content: bytes, path: Path) -> SigningRing:
    try:
        keys = tuple(SigningKey.from_record(record) for record in json.loads(content)["keys"])
    except (ValueError, KeyError, TypeError):
        keys = ()
    if not keys:
        del content  # a traceback may show a frame's variables
        raise ConfigurationError(
            f"The file {path} is not a ring of Ed25519 signing keys. Restore it from a backup, "
            "or remove it: a new key is made at the next start and everybody signs in anew."
        )
    return SigningRing(keys)
