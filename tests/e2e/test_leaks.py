"""No stored or sent value shows in logs, metrics, errors or other people's answers (U4).

A person holds a value of its own in every stored field, requests carry more of them in every place,
and every kind of error is provoked. Then everything that came out is searched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from models.embedded import DATABASE, KEYSTORE_DATABASE
from tests.e2e.planted import (
    MARKERS,
    SECRET,
    SENT,
    STORED,
    USERNAME,
    Planted,
    found_in,
    plant,
    sealed_markers,
    texts,
)
from tests.e2e.provocations import provoke
from tests.e2e.server import Account, Server
from tests.e2e.test_matrix import MATRIX, selection

EVERY_CODE: Final = {
    *("BAD_USER_INPUT", "FORBIDDEN", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "INTERNAL_SERVER_ERROR"),
    *("LIMIT_EXCEEDED", "PERSISTED_QUERY_NOT_FOUND", "SEAL_BROKEN", "UNAUTHENTICATED", "UNAVAILABLE"),
}


@pytest.fixture(scope="module")
def planted(real_mongodb: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    """A service that logs all it can, with the person in it and every error provoked."""
    folder = tmp_path_factory.mktemp("leaks") / "data"
    server = Server(folder, launcher=Path(__file__).with_name("loud_service.py")).ready()
    person = plant(server)
    provoke(person)
    yield person
    server.stop()


def codes(answer: str) -> set[str]:
    """The error codes that an answer speaks of."""
    return {code for code in EVERY_CODE if f'"code":"{code}"' in answer}


def test_the_person_really_holds_the_values(planted: Planted) -> None:
    """They can be found where they belong: in the person's own answer, in just the form searched for."""
    own = planted.account.ask(f"{{ me {{ {selection()} }} }}", purpose="ACCOUNT").text
    session = {
        "mkrefreshhashqx",
        "mkrefreshseedqx",
        "mkmethodqx",
        "740912664",
        "2003-02-11T04:05:06",
        "2003-02-12T04:05:06",
    }
    factor = {each for each in texts(STORED["factors"]) if each not in ("TOTP", "mkfactornameqx")}
    hidden = {
        SECRET,
        "mkimportkeyqx",
        *session,
        *SENT.values(),
        *(factor - {"2003-02-13T04:05:06", "2003-02-14T04:05:06"}),
    }
    as_python = {marker for marker in MARKERS if marker.count(", ") == 5}
    elsewhere = {marker for marker in MARKERS if marker.startswith("2199")}
    missing = set(MARKERS) - hidden - as_python - elsewhere - set(found_in(own))
    assert missing == set()


def test_every_kind_of_error_was_provoked(planted: Planted) -> None:
    """A search through nothing would find nothing."""
    assert {code for _, answer in planted.answers for code in codes(answer)} == EVERY_CODE
    assert len(planted.answers) > 120


def test_errors_hold_no_value(planted: Planted) -> None:
    """Neither of the person nor of the request."""
    markers = [*MARKERS, "mkbrokenqx", planted.hash, *planted.secrets]
    leaks = [(kind, found) for kind, answer in planted.answers if (found := found_in(answer, markers))]
    assert leaks == []


def test_logs_hold_no_value(planted: Planted) -> None:
    """The service's own, at debug level, and those of its database."""
    markers = [*MARKERS, "mkbrokenqx", planted.hash, planted.account.access_token, str(planted.account.refresh_token)]
    markers += planted.secrets
    said = planted.server.said()
    assert said.count("request ") > 120
    assert "internal_error" in said
    assert "debug" in said
    assert found_in(said, markers) == []
    database = (planted.server.folder / "mongodb" / "log").read_text(errors="replace")
    assert found_in(database, markers) == []


def test_rows_hold_no_sealed_value(planted: Planted) -> None:
    """In no collection of both databases, nor in the log of all changes; what is not sealed is found there."""
    with planted.server.database() as client:
        own = [client[name] for name in client.list_database_names() if name not in ("admin", "config", "local")]
        collections = [database[name] for database in own for name in database.list_collection_names()]
        changes = client["local"]["oplog.rs"]
        rows = "\n".join(str(row) for collection in (*collections, changes) for row in collection.find())
    assert len(sealed_markers()) > 25
    assert found_in(rows, [*sealed_markers(), planted.hash]) == []
    assert USERNAME in rows
    assert {collection.database.name for collection in collections} == {DATABASE, KEYSTORE_DATABASE}


def test_metrics_hold_no_value(planted: Planted) -> None:
    """Names of routes and codes only."""
    text = planted.server.http.get("/metrics").text
    assert 'code="INTERNAL_SERVER_ERROR"' in text
    assert found_in(text, [*MARKERS, "mkbrokenqx", *planted.secrets]) == []


def hidden_from(name: str) -> Mapping[str, list[str]]:
    """The fields that `matrix.yaml` does not show in clear to a caller who reads others' rows."""
    rules = [rule for rule in MATRIX["cases"] if name in rule["who"] and rule["row"] == "another"]
    groups = {group for rule in rules for group in rule["clear"]}
    return {group: paths for group, paths in MATRIX["fields"].items() if group not in groups}


@pytest.mark.parametrize(
    ("name", "purpose"),
    [
        ("subject", "ACCOUNT"),
        ("support", "SUPPORT"),
        ("analyst", "ANALYTICS"),
        ("privacy", "LEGAL"),
        ("security", "SECURITY"),
        ("admin", "ACCOUNT"),
    ],
)
def test_others_see_nothing_but_what_they_may(name: str, purpose: str, planted: Planted) -> None:
    """All that is asked for and denied or masked shows no marker, whatever the mode."""
    other: Account = planted.server.sign_in(name)
    own: Any = planted.account.data(f"{{ me {{ {selection()} }} }}", purpose="ACCOUNT")["me"]
    hidden = {path.partition(".")[0] for paths in hidden_from(name).values() for path in paths}
    closed = [text for field in hidden for text in found_in(str(own[field]), MARKERS)]
    assert closed
    for mode in ("NULL", "REJECT"):
        declared = f"($id: ID!) @purpose(is: {purpose}, onDenied: {mode})"
        query = f"query {declared} {{ user(by: {{id: $id}}) {{ {selection()} }} }}"
        assert found_in(other.ask(query, {"id": planted.account.id}).text, closed) == []


def test_the_schema_holds_no_value(planted: Planted) -> None:
    """It is the same for everybody's data."""
    answer = planted.server.post("{ __schema { types { name description fields { name description } } } }").text
    assert found_in(answer) == []
