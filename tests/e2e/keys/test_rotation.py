"""Every key of people's data is replaced by command while two workers serve clients: none of them notices."""

from __future__ import annotations

import re
import time

import pytest

from tests.e2e.conftest import Serve
from tests.e2e.keys.load import Load
from tests.e2e.keys.operator import command, everybody, run
from tests.e2e.provocations import LOOKUP

pytestmark = pytest.mark.slow

STATUS = re.compile(r"(key-encryption key|pepper|data keys of version) (\d+):")


def test_all_keys_are_replaced_under_load(serve: Serve) -> None:
    """No request fails, everybody can be read as before, and one version of each key is left."""
    server = serve(WORKERS="2", TRUSTED_PROXIES="127.0.0.1")
    subject, minor, privacy = map(server.sign_in, ("subject", "minor", "privacy"))
    before = everybody(privacy)
    load = Load(server)
    with load.running(subject, minor, privacy):
        time.sleep(2)
        said = [run(server, "keys", "rotate", *what) for what in (["root", "--retire"], ["kek"], ["index"], ["data"])]
        time.sleep(2)
    print(dict(load.done), len(load.failed))  # noqa: T201 - a figure to report
    assert load.failed == []
    assert min(load.done[name] for name in ("me", "updateUser", "users", "user", "register")) > 10
    assert "The root key is 2-" in said[0]
    assert said[1:3] == [
        "The key-encryption key is version 2; earlier ones are gone.\n",
        "The pepper is version 2; earlier ones are gone.\n",
    ]
    assert "people have a new data key; earlier ones are gone." in said[3]
    now = everybody(privacy)
    assert before.keys() <= now.keys()
    changed = {subject.id, minor.id}
    assert {person: now[person] for person in before if person not in changed} == {
        person: values for person, values in before.items() if person not in changed
    }
    assert {person: now[person]["email"] for person in load.registered} == load.registered
    for person, address in load.registered.items():
        found = privacy.data(LOOKUP, {"by": {"email": address}}, purpose="LEGAL")
        assert found["user"]["id"] == person
    status = run(server, "keys", "status", "--values")
    found_versions = STATUS.findall(status)
    assert {(kind, version) for kind, version in found_versions if kind != "data keys of version"} == {
        ("key-encryption key", "2"),
        ("pepper", "2"),
    }
    assert "in the clear: 0 values" in status
    assert "0 of them with an earlier one" in status
    assert len(re.findall("root key 2-", status)) == status.count("root key") == 1
    assert "under way" not in status


def test_a_rotation_that_was_killed_goes_on(serve: Serve) -> None:
    """By kill -9 in the middle; the service goes on meanwhile, and status tells what to do."""
    server = serve(WORKERS="2")
    privacy = server.sign_in("privacy")
    before = everybody(privacy)
    process = command(server, "keys", "rotate", "data", "--rate", "60")
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("Rotating data: seal"):
            break
    process.kill()
    process.communicate()
    assert everybody(privacy) == before
    status = run(server, "keys", "status", "--values")
    assert "under way: data, in step seal. Run it again if it was cut short." in status
    assert {int(version) for kind, version in STATUS.findall(status) if kind.startswith("data")} == {1, 2}
    assert "people have a new data key" in run(server, "keys", "rotate", "data")
    assert everybody(privacy) == before
    status = run(server, "keys", "status", "--values")
    assert {int(version) for kind, version in STATUS.findall(status) if kind.startswith("data")} == {2}
    assert "under way" not in status
