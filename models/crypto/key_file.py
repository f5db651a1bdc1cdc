"""The file of signing keys, apart from the database: made once, changed by commands, re-read while the service runs.

It is a JWK Set (RFC 7517) with private keys, mode 0600 inside a folder of mode 0700. Each key may carry
`signs_from` and `retires_at` (ISO 8601). What is written replaces the file as a whole, so that nobody
reads half of it.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeAlias

import structlog

from models.crypto.signing import SigningKey, SigningRing
from models.errors import ConfigurationError

CHECK_SECONDS: Final = 2.0
_FOLDER_MODE: Final = 0o700
_FILE_MODE: Final = 0o600
_OTHERS: Final = 0o077
_Stamp: TypeAlias = tuple[int, int, int]


def load_or_create(path: Path) -> SigningRing:
    """The ring in the file at `path`; on first start the file is made with one new key.

    Safe when several workers start at once: one file wins and all read it. Raises `ConfigurationError`
    when file or folder can be read by others, or the file is no key ring.
    """
    with _said(path):
        path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        _refuse_shared(path.parent.stat(), path.parent, _FOLDER_MODE)
        if not path.exists():
            _create(path)
        return _load(path)


def change(path: Path, changed: Callable[[SigningRing], SigningRing]) -> SigningRing:
    """Replace the ring in the file by what `changed` makes of it; of two changes at once one waits.

    Raises `ConfigurationError` as `load_or_create` does, and whatever `changed` raises.
    """
    load_or_create(path)
    with _said(path), _locked(path.parent):
        ring = changed(_load(path))
        temporary = _write(path, ring, like=path.stat())
        temporary.replace(path)
        _sync_folder(path.parent)
    return ring


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
    with _said(path):
        return _load(path)


def _stamp(path: Path) -> _Stamp | None:
    """What another content would change; None when there is no file to be seen."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


@contextmanager
def _said(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else "unknown reason"
        raise ConfigurationError(f"The signing keys at {path} cannot be read or made: {reason}.") from None


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; it is advisory and leaves no file behind."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _create(path: Path) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    temporary = _write(path, SigningRing((SigningKey.generate(now),)))
    try:
        # NOTE: link, not rename: it fails when another worker was first, so one key wins for all.
        os.link(temporary, path)
    except FileExistsError:
        return
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _write(path: Path, ring: SigningRing, like: os.stat_result | None = None) -> Path:
    """A new file beside `path` that holds `ring`, owned as `like`: an administrator's command must leave
    the keys to the user that the service runs as."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    content = json.dumps({"keys": [key.record() for key in ring.keys]}).encode()
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if like is not None and (like.st_uid, like.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(file.fileno(), like.st_uid, like.st_gid)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _load(path: Path) -> SigningRing:
    with path.open("rb") as file:
        _refuse_shared(os.fstat(file.fileno()), path, _FILE_MODE)
        content = file.read()
    try:
        keys = tuple(SigningKey.from_record(record) for record in json.loads(content)["keys"])
    except (ValueError, KeyError, TypeError):
        keys = ()
    if not keys:
        raise ConfigurationError(
            f"The file {path} is not a ring of Ed25519 signing keys. Restore it from a backup, "
            "or remove it: a new key is made at the next start and everybody signs in anew."
        )
    return SigningRing(keys)


def _refuse_shared(status: os.stat_result, path: Path, mode: int) -> None:
    if os.name == "posix" and stat.S_IMODE(status.st_mode) & _OTHERS:
        raise ConfigurationError(
            f"{path} holds signing keys and can be reached by other users of this machine. Run: chmod {mode:o} {path}"
        )
