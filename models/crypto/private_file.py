"""A file that holds secrets: mode 0600 inside a folder of mode 0700, made once, replaced as a whole."""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.errors import ConfigurationError

FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600
_OTHERS: Final = 0o077


@dataclass(frozen=True, slots=True)
class PrivateFile:
    """The file at `path`; `holds` says in messages what is in it ("signing keys").

    All methods raise `ConfigurationError` when file or folder cannot be used or can be reached by others.
    """

    path: Path
    holds: str

    def read(self) -> bytes:
        """Its content."""
        with self._said():
            return self._read()

    def read_or_create(self, fresh: Callable[[], bytes]) -> bytes:
        """Its content; on first start it is made with what `fresh` returns.

        Safe when several workers start at once: one file wins and all read it.
        """
        with self._said():
            self.path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            self._refuse_shared(self.path.parent.stat(), self.path.parent, FOLDER_MODE)
            if not self.path.exists():
                self._create(fresh())
            return self._read()

    def change(self, changed: Callable[[bytes], bytes]) -> bytes:
        """Replace its content by what `changed` makes of it, and return that; of two changes at once one waits.

        What `changed` raises is raised, and leaves the file as it is.
        """
        with self._said(), _locked(self.path.parent):
            content = changed(self._read())
            self._write(content, like=self.path.stat()).replace(self.path)
            _sync_folder(self.path.parent)
        return content

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else "unknown reason"
            raise ConfigurationError(f"{self.path} cannot be read or made: {reason}. It holds {self.holds}.") from None

    def _read(self) -> bytes:
        with self.path.open("rb") as file:
            self._refuse_shared(os.fstat(file.fileno()), self.path, FILE_MODE)
            return file.read()

    def _create(self, content: bytes) -> None:
        temporary = self._write(content)
        try:
            # NOTE: link, not rename: it fails when another worker was first, so one file wins for all.
            os.link(temporary, self.path)
        except FileExistsError:
            return
        finally:
            temporary.unlink(missing_ok=True)
        _sync_folder(self.path.parent)

    def _write(self, content: bytes, like: os.stat_result | None = None) -> Path:
        """A new file beside this one, owned as `like`: an administrator's command must leave the secrets to
        the user that the service runs as."""
        temporary = self.path.with_name(f".{self.path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
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

    def _refuse_shared(self, status: os.stat_result, path: Path, mode: int) -> None:
        if os.name == "posix" and stat.S_IMODE(status.st_mode) & _OTHERS:
            raise ConfigurationError(
                f"{path} holds {self.holds} and can be reached by other users of this machine. "
                f"Run: chmod {mode:o} {path}"
            )


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; it is advisory and leaves no file behind."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
