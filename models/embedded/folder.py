"""The folder of the embedded MongoDB: held by one instance, readable by its owner only."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.database.accounts import Credential
from models.errors import ConfigurationError
from models.privileges import DatabaseUser

_ROOT: Final = "root"
NEEDED_MIB: Final = 400  # mongod sets aside journal files at its start, and stops when they do not fit


@dataclass(slots=True)
class Identity:
    """What a later start must know again: the port and the credentials."""

    port: int  # 0: none yet
    root: Credential
    users: dict[DatabaseUser, Credential]


class Folder:
    """One data folder, opened and held. Raises `ConfigurationError` in one line when it cannot be."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.data = self.path / "db"
        self.keyfile = self.path / "keyfile"
        self.log = self.path / "log"
        self._identity = self.path / "server.json"
        try:
            self._open()
        except OSError as error:
            problem = _problem(self.path, error)
        else:
            return
        raise problem

    def _open(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        self.path.chmod(0o700)
        self.data.mkdir(exist_ok=True)
        if shutil.disk_usage(self.path).free < NEEDED_MIB * 2**20:
            raise OSError(errno.ENOSPC, "full")
        self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise
        # Writing for real is the only check that holds for root, read-only mounts and quotas alike.
        os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let another instance have the folder."""
        os.close(self._lock)

    @property
    def stale(self) -> bool:
        """Whether the last server here did not end by itself: a clean end empties its lock file."""
        lock = self.data / "mongod.lock"
        return lock.is_file() and lock.stat().st_size > 0

    def identity(self) -> Identity:
        """What was kept here, or a new one; users that an earlier version did not have yet get a password.

        Kept before anything uses it.
        """
        if not self.keyfile.exists():
            _write(self.keyfile, secrets.token_urlsafe(96).replace("-", "A").replace("_", "B"))
        self.keyfile.chmod(0o600)  # mongod refuses a key file that others can read
        found = _read(self._identity) if self._identity.exists() else Identity(0, Credential.new(_ROOT), {})
        if missing := set(DatabaseUser) - set(found.users):
            found.users |= {user: Credential.new(user) for user in missing}
            self.keep(found)
        return found

    def keep(self, identity: Identity) -> None:
        """Write `identity` down, whole or not at all."""
        users = {
            it.user: {"user": it.user, "password": it.password} for it in (identity.root, *identity.users.values())
        }
        _write(self._identity, json.dumps({"port": identity.port, **users}))


def _read(path: Path) -> Identity:
    try:
        kept = json.loads(path.read_text())
        users = {user: Credential(**kept[user]) for user in DatabaseUser if user in kept}
        return Identity(kept["port"], Credential(**kept[_ROOT]), users)
    except (ValueError, KeyError, TypeError):
        pass
    raise ConfigurationError(f"{path} is damaged. Restore it, or choose another data folder.")


def read_running(path: Path) -> Identity | None:
    """The identity of the server that another process runs in `path`; None when nobody does.

    Raises `ConfigurationError` where that is a version which had fewer users.
    """
    try:
        with (path / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        found = _read(path / "server.json")
    except FileNotFoundError:
        return None
    else:
        return None
    if len(found.users) < len(DatabaseUser):
        raise ConfigurationError(f"An earlier version of Fieldward uses the data folder {path}. Stop it first.")
    return found


def _write(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    with open(part, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _problem(path: Path, error: OSError) -> ConfigurationError:
    if error.errno in (errno.EAGAIN, errno.EACCES) and _holder(path):
        return ConfigurationError(
            f"Another Fieldward (process {_holder(path)}) already uses the data folder {path}. "
            "Stop it, or choose another folder: FIELDWARD_DATA_DIR, or make run DATA=..."
        )
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ConfigurationError(f"The disk of the data folder {path} is full: {NEEDED_MIB} MiB are needed.")
    return ConfigurationError(
        f"The data folder {path} cannot be written: {error.strerror}. "
        "Choose another one: FIELDWARD_DATA_DIR, or make run DATA=..."
    )


def _holder(path: Path) -> str:
    try:
        return (path / "lock").read_text().strip()
    except OSError:
        return ""
