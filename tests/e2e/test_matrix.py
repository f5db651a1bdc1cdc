"""Every caller, purpose and field over HTTP: `matrix.yaml` says what must come back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from models.factor import FactorDocument
from tests.e2e.conftest import Who
from tests.e2e.databases import on_database
from tests.e2e.server import Account, Json, Server

MATRIX: Final = yaml.safe_load(Path(__file__).with_name("matrix.yaml").read_text("utf-8"))
PURPOSES: Final = tuple(MATRIX["purposes"])
GROUP_OF: Final = {path: group for group, paths in MATRIX["fields"].items() for path in paths}
TYPES: Final = {
    "address": "Address",
    "preferences": "Preferences",
    "location": "Location",
    "consents": "Consent",
    "roles": "RoleGrant",
    "roleHistory": "RoleHistoryEntry",
    "devices": "Device",
    "sessions": "Session",
    "factors": "Factor",
    "ipLog": "IpLogEntry",
    "events": "Event",
}
BULLET: Final = "•"


@dataclass(frozen=True)
class Case:
    """What one caller gets of one row under one purpose."""

    who: str
    purpose: str
    row: str

    def __str__(self) -> str:
        return f"{self.who}-{self.purpose}-{self.row}"

    @property
    def rule(self) -> Mapping[str, Any]:
        """What the file says of it; nothing when everything is denied."""
        for rule in MATRIX["cases"]:
            if self.who in rule["who"] and (self.purpose, self.row) == (rule["purpose"], rule["row"]):
                return dict(rule)
        return {}

    def expected(self, path: str) -> str:
        """`clear`, `masked`, `withheld` or the reason of a denial."""
        group = GROUP_OF[path]
        usable = MATRIX["purposes"][self.purpose]
        if self.purpose not in MATRIX["tokens"][self.who] or not {group, f"{group}.{path}"} & set(usable):
            return "PURPOSE"
        if group in self.rule.get("clear", ()):
            return "withheld" if "withheld" in self.rule else "clear"
        if group in self.rule.get("masked", ()):
            return "masked"
        return "SCOPE" if self.who == "service" else "ROLE"


CASES: Final = [
    Case(who, purpose, row)
    for who in MATRIX["tokens"]
    for purpose in PURPOSES
    for row in ("own", "another")
    if not (who == "service" and row == "own")  # a service has no data of its own
]


@pytest.fixture(scope="module", autouse=True)
def factors(server: Server, who: Who) -> Iterator[None]:
    """Something to read there: recovery codes that no sign-in asks for."""
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    shown = {"kind": "RECOVERY_CODE", "name": "Sheet", "created_at": moment, "last_used_at": moment}
    rows = [
        {"_id": f"fac_eu_{name}", "person": who(name).id, "confirmed": True, **shown} for name in ("subject", "minor")
    ]
    on_database(server, lambda database: database.insert_many(FactorDocument, rows))
    yield
    gone = {"_id": {"$in": [row["_id"] for row in rows]}}
    on_database(server, lambda database: database.delete_many(FactorDocument, gone))


def selection() -> str:
    """All fields of the file."""
    inner: dict[str, list[str]] = {}
    for path in GROUP_OF:
        outer, _, name = path.partition(".")
        inner.setdefault(outer, []).extend([name] if name else [])
    return " ".join(f"{outer} {{ {' '.join(names)} }}" if names else outer for outer, names in inner.items())


def other_than(name: str) -> str:
    """Whose row `another` is."""
    return "minor" if name == "subject" else "subject"


def asked(case: Case, who: Who, on_denied: str) -> Json:
    """The answer to one query for all fields at once."""
    root = "me" if case.row == "own" else "user(by: {id: $id})"
    # By id: a look-up by name would need the right to read the name.
    variables = "" if case.row == "own" else "($id: ID!)"
    query = (
        f"query{variables} @purpose(is: {case.purpose}, onDenied: {on_denied}) {{ person: {root} {{ {selection()} }} }}"
    )
    values = {} if case.row == "own" else {"id": who(other_than(case.who)).id}
    return who(case.who).ask(query, values).json()


def at(row: Json, path: str) -> Json:
    """The value at a path; lists give the list of values."""
    outer, _, name = path.partition(".")
    value = (row or {}).get(outer)
    if not name or value is None:
        return value
    return [each[name] for each in value] if isinstance(value, list) else value[name]


def stored(account: Account) -> Json:
    """The row as its owner reads it under ACCOUNT."""
    return account.data(f"{{ me {{ {selection()} }} }}", purpose="ACCOUNT")["me"]


def reasons(answer: Json, path: str) -> set[str]:
    """Why a path was denied: by the errors on it or on what holds it."""
    outer, _, name = path.partition(".")
    own = {f"User.{outer}", f"{TYPES.get(outer)}.{name}"}
    place = ["person", *path.split(".")]
    return {
        error["extensions"]["reason"]
        for error in answer.get("errors", ())
        if error["extensions"]["coordinate"] in own and place[: len(error["path"])] == error["path"]
    }


def is_masked(path: str, shown: Json, clear: Json) -> bool:
    """The contract's masks: an email keeps its `@`, a telephone number its last two digits."""
    if not isinstance(shown, str) or BULLET not in shown or shown == clear:
        return False
    if path == "email":
        return "@" in shown and clear.partition("@")[0] not in shown
    if path == "phone":
        return shown.endswith(clear[-2:]) and clear[-4:] not in shown
    return not set(shown) - {BULLET}


def test_the_file_names_every_field_of_a_person(who: Who) -> None:
    """A field that is added is decided here too; identifiers are public to whoever reads the row."""
    answer = who("subject").data('{ __type(name: "User") { fields { name } } }', purpose="ACCOUNT")
    fields = {field["name"] for field in answer["__type"]["fields"]}
    assert fields - {"id"} == {path.partition(".")[0] for path in GROUP_OF}


def test_the_row_that_others_read_has_a_value_in_every_field(who: Who) -> None:
    """Otherwise a null would prove nothing."""
    row = stored(who("subject"))
    empty = [path for path in GROUP_OF if GROUP_OF[path] != "roles" and at(row, path) in (None, [], [None], "")]
    assert empty == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_comes_back(case: Case, who: Who) -> None:
    """Each field is clear, masked, or null with its reason."""
    truth = stored(who(case.who if case.row == "own" else other_than(case.who)))
    answer = asked(case, who, "NULL")
    row = (answer.get("data") or {}).get("person")
    wrong = {}
    for path in GROUP_OF:
        expected, shown, clear = case.expected(path), at(row, path), at(truth, path)
        match expected:
            case "clear":
                right = shown == clear and not reasons(answer, path)
            case "masked":
                right = is_masked(path, shown, clear) and not reasons(answer, path)
            case "withheld":
                right = shown is None and not reasons(answer, path)
            case reason:
                right = shown is None and reasons(answer, path) == {reason}
        if not right:
            wrong[path] = (expected, shown, reasons(answer, path))
    assert wrong == {}


@pytest.mark.parametrize("case", [case for case in CASES if "withheld" in case.rule], ids=str)
def test_what_the_row_withholds_is_counted(case: Case, who: Who) -> None:
    """With the reason, by coordinate."""
    counted = asked(case, who, "NULL")["extensions"]["withheld"]
    expected = {f"User.{path.partition('.')[0]}" for path in GROUP_OF if case.expected(path) == "withheld"}
    assert {entry["coordinate"] for entry in counted} == expected
    assert {(entry["reason"], entry["count"]) for entry in counted} == {(case.rule["withheld"], 1)}


@pytest.mark.parametrize("case", [case for case in CASES if case.row == "another"], ids=str)
def test_whoever_reads_others_lists_them(case: Case, who: Who) -> None:
    """And nobody else; nor anybody for a purpose about one person, see `test_break_glass` too."""
    answer = who(case.who).ask("{ users(first: 1) { totalCount nodes { id } } }", purpose=case.purpose)
    lists = bool(case.rule) and case.purpose not in MATRIX["one person"]
    assert (answer.status_code, "data" in answer.json()) == ((200, True) if lists else (403, False))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_by_default_one_denied_field_refuses_all(case: Case, who: Who) -> None:
    """Every denied coordinate is listed at once, and there is no data."""
    answer = asked(case, who, "REJECT")
    denied = {path for path in GROUP_OF if case.expected(path) not in ("clear", "masked", "withheld")}
    listed = {error["extensions"]["coordinate"] for error in answer.get("errors", ())}
    named = {path for path in GROUP_OF if f"User.{path.partition('.')[0]}" in listed}
    assert ("data" in answer) is not bool(denied)
    assert named == denied
