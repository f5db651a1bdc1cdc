"""The packaged mongod as production has it: a replica set that asks for a credential and speaks TLS only."""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pymongo
from pymongo import errors

from models.embedded import die_with_parent, find_mongod
from tests.certificates import Authority
from tests.e2e.server import free_port

_START_SECONDS: Final = 60
_PASSWORD: Final = secrets.token_urlsafe(16)

Client = pymongo.MongoClient[dict[str, Any]]


class SecureMongod:
    """One member, with a certificate of `authority` for 127.0.0.1; `admin_url` is the one address, its user may all.

    Start it on the main thread: it ends with the thread that started it.
    """

    def __init__(self, folder: Path, authority: Authority) -> None:
        self._authority = authority
        self.port = free_port()
        data, key_file, log = folder / "db", folder / "keyfile", folder / "log"
        data.mkdir(parents=True)
        key_file.touch(mode=0o600)
        key_file.write_text(secrets.token_hex(64))
        mongod = find_mongod()
        assert mongod is not None
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [
                    mongod,
                    *("--dbpath", data, "--keyFile", key_file, "--replSet", "secure"),
                    *("--bind_ip", "127.0.0.1", "--port", str(self.port), "--nounixsocket"),
                    *("--tlsMode", "requireTLS", "--tlsCertificateKeyFile", _in_one_file(*authority.issue("mongod"))),
                    *("--tlsCAFile", authority.file, "--tlsAllowConnectionsWithoutCertificates"),
                    *("--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "64"),
                ],
                stdout=out,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent(os.getpid()),  # noqa: PLW1509 - no other threads yet
            )
        try:
            self._set_up()
        except BaseException:
            self.stop()
            raise

    @property
    def admin_url(self) -> str:
        """The administrator's address, with TLS and the authority."""
        options = f"replicaSet=secure&tls=true&tlsCAFile={self._authority.file}"
        return f"mongodb://root:{_PASSWORD}@127.0.0.1:{self.port}/?{options}"

    def stop(self) -> None:
        """End it at once: nobody needs its data any more."""
        self.process.kill()
        self.process.wait()

    def _set_up(self) -> None:
        # Whoever comes from this machine may do exactly this much before there is a user.
        with self._client() as client:
            self._until(lambda: bool(client.admin.command("ping")))
            member = {"_id": 0, "host": f"127.0.0.1:{self.port}"}
            client.admin.command("replSetInitiate", {"_id": "secure", "members": [member]})
            self._until(lambda: bool(client.admin.command("hello").get("isWritablePrimary")))
            client.admin.command("createUser", "root", pwd=_PASSWORD, roles=["root"])

    def _client(self) -> Client:
        authority = str(self._authority.file)
        return pymongo.MongoClient(
            "127.0.0.1", self.port, directConnection=True, tls=True, tlsCAFile=authority, timeoutMS=5000
        )

    def _until(self, condition: Callable[[], bool]) -> None:
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            with suppress(errors.ConnectionFailure):
                if condition():
                    return
            time.sleep(0.05)
        raise AssertionError("mongod was not ready in time")


def _in_one_file(certificate: Path, key: Path) -> Path:
    both = certificate.with_suffix(".pem")
    both.touch(mode=0o600)
    both.write_bytes(certificate.read_bytes() + key.read_bytes())
    return both
