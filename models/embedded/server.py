"""Starting the packaged mongod, waiting until it can be written to, and stopping it."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from models.addresses import Addresses
from models.database.replica_set import HOST, NAME, prepare
from models.embedded.binary import probe
from models.embedded.folder import Folder, Identity, read_running
from models.embedded.parent import die_with_parent
from models.embedded.users import address_of, addresses, grant, root_address
from models.errors import ConfigurationError, DatabaseUnavailable
from models.privileges import DatabaseUser

START_SECONDS: Final = 60.0  # recovering a large journal takes a while
STOP_SECONDS: Final = 10.0
_PORT_TRIES: Final = 5
# Below the range from which Linux takes the ports of outgoing connections, so that a port kept from the
# last start is rarely taken. A changed port is costly: the server asks whoever listens on the old one
# whether it is itself, for up to 30 seconds when that one is silent.
_PORTS: Final = range(20_000, 32_000)
_EXIT_ADDRESS_IN_USE: Final = 48
_EXIT_NEWER_DATA: Final = 62
_OPTIONS: Final = (
    *("--bind_ip", HOST, "--replSet", NAME),
    *("--networkMessageCompressors", "disabled"),  # CVE-2025-14847: a compressed message could read memory
    *("--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "128"),
    *("--setParameter", "diagnosticDataCollectionEnabled=false"),
    # Slow operations would be logged with their filters, and those hold personal values.
    *("--slowOpSampleRate", "0", "--quiet"),
    # Requests end within seconds. A transaction whose client gave up holds its locks until this passes.
    *("--setParameter", "transactionLifetimeLimitSeconds=5"),
    # A lone member has nobody to hand over to, so it need not wait for that when it is told to stop.
    *("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=0"),
    "--nounixsocket",
)


class Embedded:
    """A running mongod: `addresses` for the service, `admin_url` (without a database) for tests only."""

    def __init__(self, folder: Folder, process: subprocess.Popen[bytes], identity: Identity) -> None:
        self._folder = folder
        self.process = process
        self.port = identity.port
        self._users = identity.users
        self.addresses = addresses(identity.port, identity.users)
        self.admin_url = root_address(identity.port, identity.root)

    @classmethod
    def start(cls, mongod: Path, path: Path, *, say: Callable[[str], None]) -> Self:
        """Start `mongod` on the data in `path` and wait until it is a writable primary.

        Blocks for about two seconds the first time. Call it from the main thread: the server ends with
        the thread that started it. `say` gets one line for each thing a person should know. Raises
        `ConfigurationError` in one line for whatever stops the start.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("the embedded server ends with the thread that starts it: use the main thread")
        probe(mongod)
        folder = Folder(path)
        try:
            if folder.stale:
                say("The embedded MongoDB did not end cleanly the last time; it recovers what was acknowledged.")
            return cls(folder, *_start(mongod, folder, say))
        except BaseException:
            folder.release()
            raise

    def address_of(self, user: DatabaseUser) -> str:
        """The address for one user."""
        return address_of(user, self.port, self._users)

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    def stop(self) -> None:
        """End the server, by force if it does not listen, and give the folder free."""
        _end(self.process)
        self._folder.release()


def running_addresses(path: Path) -> Addresses | None:
    """Where the server is that another process runs on the data in `path`; None when nobody does."""
    identity = read_running(path)
    return addresses(identity.port, identity.users) if identity else None


def _start(mongod: Path, folder: Folder, say: Callable[[str], None]) -> tuple[subprocess.Popen[bytes], Identity]:
    identity = folder.identity()
    for _ in range(_PORT_TRIES):
        wanted, identity.port = identity.port, _free_port(identity.port)
        if wanted not in (0, identity.port):
            say(f"Port {wanted} of the embedded MongoDB is in use; it moves to {identity.port}.")
        folder.keep(identity)
        process = _launch(mongod, folder, identity.port)
        try:
            _prepare(process, folder, identity)
        except _PortTaken:
            continue
        except BaseException:
            _end(process)
            raise
        return process, identity
    raise ConfigurationError("No free port was found for the embedded MongoDB.")


class _PortTaken(Exception):
    """Somebody else took the port between the look and the start."""


def _launch(mongod: Path, folder: Folder, port: int) -> subprocess.Popen[bytes]:
    command: list[str | Path] = [
        mongod,
        "--port",
        str(port),
        "--dbpath",
        folder.data,
        "--keyFile",
        folder.keyfile,
        *_OPTIONS,
    ]
    with folder.log.open("wb") as log:
        return subprocess.Popen(  # noqa: S603 - our own package's file
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder.path,
            # Ctrl-C reaches the service only, which answers what it has begun and then stops the server.
            start_new_session=True,
            # SIGKILL works even on a server that hangs; all that it acknowledged is in its journal.
            preexec_fn=die_with_parent(os.getpid()),  # noqa: PLW1509 - runs at start, before other threads
        )


def _prepare(process: subprocess.Popen[bytes], folder: Folder, identity: Identity) -> None:
    until = time.monotonic() + START_SECONDS

    def check() -> None:
        if process.poll() is not None:
            raise _why_it_ended(process.returncode, folder)
        if time.monotonic() > until:
            raise ConfigurationError(
                f"The embedded MongoDB was not ready in {START_SECONDS:.0f} seconds, see {folder.log}."
            )

    try:
        prepare(identity.port, identity.root, lambda client: grant(client, identity.users), check=check)
    except DatabaseUnavailable:
        with suppress(subprocess.TimeoutExpired):
            process.wait(1)  # its connections end a little before it does
        check()
        raise


def _why_it_ended(code: int, folder: Folder) -> Exception:
    if code == _EXIT_ADDRESS_IN_USE:
        return _PortTaken()
    told = last_words(folder.log.read_text(errors="replace"))
    if code == _EXIT_NEWER_DATA or "version" in told.lower():
        return ConfigurationError(
            f"The data in {folder.path} was written by another version of MongoDB. Open it with that version, "
            "or choose another data folder."
        )
    if "No space left" in told:
        return ConfigurationError(f"The disk of the data folder {folder.path} is full.")
    how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
    return ConfigurationError(f"The embedded MongoDB stopped during its start ({how}): {told or 'it said nothing'}.")


def last_words(log: str) -> str:
    """The last error in a mongod log (one JSON object per line), or its last plain line."""
    said = ""
    for line in log.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            said = line.strip() or said
            continue
        if isinstance(entry, dict) and entry.get("s") in ("E", "F"):
            reason = entry.get("attr", {}).get("error") or entry.get("attr", {}).get("message") or ""
            said = f"{entry.get('msg', '')} {reason}".strip()
    return said[:300].rstrip(".")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)  # one that was paused cannot hear
        process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port(wanted: int) -> int:
    """`wanted` when it is free, else any other free one (0: none wanted)."""
    others = [_PORTS.start + secrets.randbelow(len(_PORTS)) for _ in range(50)]
    for port in (*([wanted] if wanted else []), *others):
        with socket.socket() as attempt:
            # Without it a port whose last connections still linger would seem taken.
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                attempt.bind((HOST, port))
                return int(attempt.getsockname()[1])
    raise ConfigurationError("No free port was found for the embedded MongoDB.")
