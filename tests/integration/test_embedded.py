"""The embedded MongoDB: it starts, keeps its data, says what is wrong, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymongo
import pytest
from pymongo.errors import OperationFailure

from models.embedded import Embedded, find_mongod, running_addresses
from models.embedded.server import last_words
from models.errors import ConfigurationError

Start = Callable[[], Embedded]

KEEP_RUNNING = """
import sys, time
from pathlib import Path
from models.embedded import Embedded, find_mongod
server = Embedded.start(find_mongod(), Path(sys.argv[1]), say=print)
print(server.process.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def said() -> list[str]:
    """What a person was told."""
    return []


@pytest.fixture
def start(mongod: Embedded, tmp_path: Path, said: list[str]) -> Iterator[Start]:
    """Start a server on a folder of this test; `mongod` makes sure that this machine can run one."""
    started: list[Embedded] = []

    def begin() -> Embedded:
        binary = find_mongod()
        assert binary is not None
        started.append(Embedded.start(binary, tmp_path / "data", say=said.append))
        return started[-1]

    yield begin
    for server in started:
        if server.alive:
            server.stop()


def connected(url: str) -> pymongo.MongoClient[dict[str, Any]]:
    """A plain client, so that these tests do not lean on what they test."""
    return pymongo.MongoClient(url)


def write(server: Embedded, value: str) -> None:
    """Store one row."""
    with connected(server.admin_url) as client:
        client.fieldward.rows.insert_one({"_id": value})


def read(server: Embedded) -> list[str]:
    """All rows."""
    with connected(server.admin_url) as client:
        return [row["_id"] for row in client.fieldward.rows.find()]


def gone(pid: int) -> bool:
    """Whether a process has ended within some seconds; one that nobody has reaped yet has ended too."""
    for _ in range(200):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.slow
def test_a_second_start_finds_its_data_on_the_same_port(start: Start, said: list[str]) -> None:
    """Port and credentials are kept, and a clean end is nothing to speak of."""
    first = start()
    write(first, "kept")
    first.stop()
    second = start()
    assert read(second) == ["kept"]
    assert second.addresses == first.addresses
    assert said == []


@pytest.mark.slow
def test_it_moves_when_its_port_is_taken_and_keeps_its_data(start: Start, said: list[str]) -> None:
    """The replica set is rewritten for the new port."""
    first = start()
    write(first, "kept")
    first.stop()
    with socket.create_server(("127.0.0.1", first.port)) as other:
        threading.Thread(target=hang_up_on_everybody, args=(other,), daemon=True).start()
        second = start()
        assert second.port != first.port
        assert read(second) == ["kept"]
    assert said == [f"Port {first.port} of the embedded MongoDB is in use; it moves to {second.port}."]


def hang_up_on_everybody(listening: socket.socket) -> None:
    """Some other service, which does not speak this protocol."""
    while True:
        try:
            listening.accept()[0].close()
        except OSError:
            return


@pytest.mark.slow
def test_what_was_acknowledged_survives_a_kill(start: Start, said: list[str], tmp_path: Path) -> None:
    """A stale lock is recovered from, and said."""
    first = start()
    write(first, "acknowledged")
    first.process.kill()
    first.stop()
    assert (tmp_path / "data/db/mongod.lock").read_text() != ""
    assert read(start()) == ["acknowledged"]
    assert said == ["The embedded MongoDB did not end cleanly the last time; it recovers what was acknowledged."]


def test_only_its_owner_can_read_what_it_keeps(start: Start, tmp_path: Path) -> None:
    """Folder, credentials and key file are closed to others."""
    start()
    modes = {name: (tmp_path / "data" / name).stat().st_mode & 0o777 for name in ("", "server.json", "keyfile")}
    assert modes == {"": 0o700, "server.json": 0o600, "keyfile": 0o600}


def test_nobody_gets_in_without_a_credential(mongod: Embedded) -> None:
    """Authorization is on from the first day, on loopback too."""
    with (
        connected(f"mongodb://127.0.0.1:{mongod.port}/?directConnection=true") as client,
        pytest.raises(OperationFailure),
    ):
        client.fieldward.rows.find_one()


@pytest.mark.slow
def test_a_folder_of_an_earlier_version_gets_the_users_it_lacks(start: Start, tmp_path: Path) -> None:
    """Its data stays, its `api` keeps the password, and loses what it could do before."""
    first = start()
    write(first, "kept")
    file = tmp_path / "data/server.json"
    kept = json.loads(file.read_text())
    with connected(first.admin_url) as client:
        for database in ("fieldward", "fieldward_keys"):
            client[database].command("dropAllUsersFromDatabase")
            client[database].command("dropAllRolesFromDatabase")
        everything = [{"role": "readWrite", "db": "fieldward"}]
        client.admin.command("createUser", "api", pwd=kept["api"]["password"], roles=everything)
    first.stop()
    file.write_text(json.dumps({name: kept[name] for name in ("port", "root", "api")}))
    second = start()
    assert read(second) == ["kept"]
    assert kept["api"]["password"] in second.addresses.api
    for address in (second.addresses.api, second.addresses.keystore):
        with connected(address) as client:
            assert client.admin.command("ping")["ok"] == 1
    earlier = second.addresses.api.replace("authSource=fieldward", "authSource=admin")
    with connected(earlier) as client, pytest.raises(OperationFailure, match="Authentication failed"):
        client.fieldward.users.find_one()


@pytest.mark.slow
def test_a_server_of_an_earlier_version_is_not_joined(start: Start, tmp_path: Path) -> None:
    """Its users are not those that a command of this version needs."""
    start()
    file = tmp_path / "data/server.json"
    kept = json.loads(file.read_text())
    file.write_text(json.dumps({name: kept[name] for name in ("port", "root", "api")}))
    with pytest.raises(ConfigurationError, match="An earlier version of Fieldward uses the data folder"):
        running_addresses(tmp_path / "data")


def test_it_listens_on_loopback_without_compression(mongod: Embedded) -> None:
    """Asked of the running server."""
    with connected(mongod.admin_url) as client:
        options = client.admin.command("getCmdLineOpts")["parsed"]["net"]
    assert options["bindIp"] == "127.0.0.1"
    assert options["compression"]["compressors"] == "disabled"


@pytest.mark.slow
def test_a_second_instance_is_told_who_is_there(start: Start) -> None:
    """One folder, one instance."""
    start()
    with pytest.raises(ConfigurationError, match=rf"Another Fieldward \(process {os.getpid()}\) already uses"):
        start()


@pytest.mark.slow
def test_a_command_finds_the_server_that_runs(start: Start, tmp_path: Path) -> None:
    """Its address is known while it runs, and only then."""
    server = start()
    found = running_addresses(tmp_path / "data")
    server.stop()
    assert found == server.addresses
    assert running_addresses(tmp_path / "data") is None


def test_a_folder_that_cannot_be_written_is_named(start: Start, tmp_path: Path) -> None:
    """Said in one line with the folder."""
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(ConfigurationError, match=r"data folder .*data cannot be written: .+\.$"):
        start()


def test_a_full_disk_is_named(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the server would stop halfway."""
    full = type("Usage", (), {"free": 1024})
    monkeypatch.setattr("models.embedded.folder.shutil.disk_usage", lambda _path: full)
    with pytest.raises(ConfigurationError, match="is full: 400 MiB are needed"):
        start()


@pytest.mark.slow
def test_damaged_credentials_are_named(start: Start, tmp_path: Path) -> None:
    """Instead of making new ones that open nothing."""
    start().stop()
    (tmp_path / "data/server.json").write_text("{")
    with pytest.raises(ConfigurationError, match=r"server\.json is damaged"):
        start()


@pytest.mark.slow
def test_lost_credentials_are_named(start: Start, tmp_path: Path) -> None:
    """Data whose credential is gone is not opened, nor overwritten."""
    start().stop()
    (tmp_path / "data/server.json").unlink()
    with pytest.raises(ConfigurationError, match="credential file"):
        start()


@pytest.mark.slow
def test_a_server_that_dies_during_its_start_is_reported_with_its_reason(start: Start, tmp_path: Path) -> None:
    """A key file it refuses stands for all that it can only say in its log."""
    start().stop()
    (tmp_path / "data/keyfile").write_text("x")
    with pytest.raises(ConfigurationError, match=r"stopped during its start \(exit code 1\): .+"):
        start()


def test_a_missing_system_library_is_named(tmp_path: Path, said: list[str]) -> None:
    """With the package that brings it."""
    script = tmp_path / "mongod"
    script.write_text(
        "#!/bin/sh\necho 'mongod: error while loading shared libraries: libcurl.so.4: cannot open' >&2\nexit 127\n"
    )
    script.chmod(0o700)
    with pytest.raises(ConfigurationError, match=r"libcurl\.so\.4 is not installed .*apt-get install libcurl4"):
        Embedded.start(script, tmp_path / "data", say=said.append)


def test_the_last_error_of_a_log_is_its_last_word() -> None:
    """Lines of lower weight that follow it do not count."""
    lines = [
        {"s": "I", "msg": "starting"},
        {"s": "F", "msg": "Wrong mongod version", "attr": {"error": "UPGRADE PROBLEM: found version 7.0"}},
        {"s": "I", "msg": "shutting down"},
    ]
    assert last_words("\n".join(map(json.dumps, lines))) == "Wrong mongod version UPGRADE PROBLEM: found version 7.0"


@pytest.mark.slow
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_parent_leaves_no_server(mongod: Embedded, tmp_path: Path, sign: signal.Signals) -> None:
    """Nothing the service could still do, so the kernel does it."""
    command = [sys.executable, "-c", KEEP_RUNNING, str(tmp_path / "data")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        server = int(parent.stdout.readline())
        parent.send_signal(sign)
    assert gone(server)
