"""Nobody finds out who has an account: not by what is answered, and not by the work that is done for it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from uuid import uuid4

import httpx
import pymongo
import pytest

from models.embedded import Embedded
from tests.e2e.attacks.tables import table
from tests.e2e.conftest import NEW_PASSWORD, REGISTER
from tests.e2e.server import SERVICE, Server

_VARYING: Final = frozenset({"date", "content-length"})
# What the background does, or the service by itself and not for this request.
_ASIDE: Final = frozenset({"revocations", "markers", "state", "tombstones"})
Work = Counter[tuple[str, str]]


@pytest.fixture(scope="module")
def address(mongod: Embedded) -> str:
    """Where the database is, for somebody who may see its work."""
    return mongod.admin_url.replace("/?", "/enumeration?")


@pytest.fixture(scope="module")
def own(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service that nobody else asks, so that its work can be counted."""
    running = Server(tmp_path_factory.mktemp("enumeration") / "data", MONGODB_URL=address)
    yield running.ready()
    running.stop()


@pytest.fixture
def names(own: Server) -> tuple[str, str]:
    """Somebody who is here and has never failed, and somebody who is not."""
    known, nobody = (f"name.{uuid4().hex[:12]}" for _ in range(2))
    made = {"username": known, "email": f"{known}@people.example", "password": NEW_PASSWORD}
    assert own.post(REGISTER, {"input": made}).json()["data"]["register"]["errors"] == []
    time.sleep(0.5)  # the mail that greets them
    return known, nobody


@contextmanager
def counted(address: str) -> Iterator[Work]:
    """Collects the commands that the database and the key store are given: what, and on which collection."""
    work: Work = Counter()
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(address)
    with client:
        main = client.get_default_database()
        both = (main, client[f"{main.name}_keys"])
        for stored in both:
            stored.command("profile", 0)
            stored.drop_collection("system.profile")
            stored.command("profile", 2)
        yield work
        for stored in both:
            stored.command("profile", 0)
            for row in stored["system.profile"].find({"appName": "fieldward"}):
                collection = row["ns"].partition(".")[2]
                if collection not in _ASIDE:
                    work[row["op"], collection] += 1


def asked(server: Server, address: str, text: str) -> tuple[httpx.Response, Work]:
    """The answer, and the work until it was given."""
    with counted(address) as work:
        answer = server.post(text)
    return answer, work


def shape(answer: httpx.Response) -> tuple[int, Mapping[str, str], Any]:
    """All that a client sees of an answer but its moment and what is random in it."""
    body = answer.json()
    for error in body.get("errors", ()):
        error["extensions"].pop("decisionId", None)
    return answer.status_code, {k: v for k, v in answer.headers.items() if k not in _VARYING}, body


@pytest.mark.parametrize("attack", table("enumeration"))
def test_known_and_unknown_are_answered_alike_and_cost_alike(
    attack: Mapping[str, Any], own: Server, address: str, names: tuple[str, str]
) -> None:
    """Status, headers, body, and the commands that the database was given before the answer."""
    texts = [
        attack["query"].replace("$who", name).replace("$WHO", name.upper()).replace("$long", "x" * 5000)
        for name in names
    ]
    (known, work), (unknown, other_work) = (asked(own, address, text) for text in texts)
    assert shape(known) == shape(unknown)
    if "requestPasswordReset" in attack["query"]:
        # Who it is is looked up after the answer; what is done before it is the same.
        work, other_work = (
            Counter({k: n for k, n in each.items() if k[1] == "throttle"}) for each in (work, other_work)
        )
    assert work == other_work


def test_work_is_counted(own: Server, address: str, names: tuple[str, str]) -> None:
    """So that two equal counts say something: a sign-in looks somebody and their key up and notes the failure."""
    text = f'mutation {{ signIn(input: {{login: "{names[0]}", password: "no"}}) {{ errors {{ code }} }} }}'
    _, work = asked(own, address, text)
    assert work["query", "users"] >= 1
    assert work["query", "data_keys"] == 1
    assert work["update", "throttle"] == 1
    _, right = asked(own, address, text.replace('"no"', f'"{NEW_PASSWORD}"'))
    assert right != work


def test_a_wrong_secret_and_an_unknown_service_are_answered_alike(own: Server) -> None:
    """The name of a service is no secret, but which there are need not be told."""
    form = {"grant_type": "client_credentials"}
    known, unknown = (
        own.http.post("/oauth/token", data=form, auth=(name, "no")) for name in (SERVICE[0], "demo-nobody1")
    )
    assert shape(known) == shape(unknown)
    assert known.status_code == 401


def test_links_that_were_never_sent_and_links_that_are_over_are_answered_alike(own: Server) -> None:
    """Whatever looks like a secret."""
    verify = 'mutation { verifyEmail(input: {token: "%s"}) { verified errors { code message path } } }'
    answers = [shape(own.post(verify % token)) for token in ("A" * 43, "a", "x" * 500, "ses_eu_0.1.2")]
    assert all(answer == answers[0] for answer in answers)
