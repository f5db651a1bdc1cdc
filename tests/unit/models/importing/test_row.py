"""From the cells of a row to the person as stored."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.database import Database, to_bson
from models.importing.mapping import TARGETS
from models.importing.rejection import RejectCode
from models.importing.row import RowBuilder, RowRefused, RunKey
from models.lookalikes import skeleton
from models.user import UserDocument

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)
KEY = RunKey(bytes(range(32)))
FULL = {
    "import_key": "c-17",
    "username": "Ánna.Berg",
    "email": "Anna.Berg@Example.ORG",
    "email_verified": "yes",
    "phone": "+46 70 174 06 05",
    "address.street": "Storgatan 1",
    "address.city": "Göteborg",
    "address.region": "Västra Götaland",
    "address.postal_code": "411 01",
    "address.country": "se",
    "full_name": "Ánna Berg",
    "given_name": "Ánna",
    "family_name": "Berg",
    "birth_date": "2012-05-17",
    "country": "SE",
    "location.latitude": "57.7",
    "location.longitude": "11.97",
    "location.accuracy": "12",
    "locale": "sv_SE",
    "status": "restricted",
    "created_at": "2020-01-02T03:04:05.678Z",
    "last_seen_at": "2026-09-30",
    "last_seen_ip": "192.0.2.1",
    "login_count": "12",
    "preferences.theme": "dark",
    "preferences.currency": "SEK",
    "preferences.digest": "daily",
    "marketing_opt_in": "true",
    "device_ids": "d1;d2",
    "password_hash": "$2b$12$abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0",
}


def build(cells: dict[str, Any], line: int = 2, defaults: dict[str, str] | None = None) -> dict[str, Any]:
    """The person of a row."""
    return RowBuilder(KEY, "eu", NOW, defaults or {}).build(line, cells)


def problems(cells: dict[str, Any]) -> list[tuple[RejectCode, str | None]]:
    """What is wrong with a row."""
    with pytest.raises(RowRefused) as caught:
        build(cells)
    return [(rejection.code, rejection.field) for rejection in caught.value.rejections]


def test_the_full_row_names_every_field() -> None:
    """So the tests below speak of all there is."""
    assert set(FULL) == set(TARGETS)


@pytest.mark.parametrize("missing", [None, *FULL])
async def test_a_row_is_stored_as_its_document_would_be(memory_database: Database, missing: str | None) -> None:
    """The fast way past the document class gives exactly what the class and its encoder give."""
    cells = {target: text for target, text in FULL.items() if target != missing}
    if missing in ("location.latitude", "location.longitude"):
        cells = {target: text for target, text in cells.items() if not target.startswith("location.")}
    raw = build(cells)
    assert to_bson(UserDocument.model_validate(raw)) == raw


async def test_the_smallest_row_is_stored_as_its_document_would_be(memory_database: Database) -> None:
    """All defaults are those of the document class."""
    raw = build({"username": "anna"})
    known = {name: raw[name] for name in ("username", "username_key", "username_skeleton", "created_at", "import_key")}
    assert to_bson(UserDocument.model_validate({"_id": raw["_id"], **known})) == raw


def test_values_are_normalised() -> None:
    """Names get the keys that sign-in looks up, addresses their lower-case domain; the age band follows from the birth
    date."""
    raw = build(FULL)
    assert (raw["username"], raw["username_key"]) == ("Ánna.Berg", "ánna.berg")
    assert raw["username_skeleton"] == skeleton("Ánna.Berg")
    assert raw["email"] == "Anna.Berg@example.org"
    assert (raw["age_band"], raw["birth_date"]) == ("13-17", "2012-05-17")
    assert raw["_id"].startswith("usr_eu_")


def test_every_problem_of_a_row_is_told_at_once() -> None:
    """One look at the report is enough to mend a row."""
    cells = FULL | {"email": "nobody", "username": "a b", "phone": "12", "birth_date": "1.2.1990"}
    assert sorted(problems(cells)) == [
        (RejectCode.BAD_DATE, "birth_date"),
        (RejectCode.BAD_EMAIL, "email"),
        (RejectCode.BAD_PHONE, "phone"),
        (RejectCode.BAD_USERNAME, "username"),
    ]


def test_a_bad_user_name_is_told_where_there_is_no_address() -> None:
    """Nor anything else that the person could be known by."""
    assert problems({"username": "a b"}) == [(RejectCode.BAD_USERNAME, "username")]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("value", [{"$gt": ""}, [{"$ne": None}]])
def test_an_operator_of_the_database_is_refused_in_every_field(target: str, value: object) -> None:
    """Only plain values get in."""
    assert (RejectCode.BAD_TYPE, target) in problems({"username": "anna"} | {target: value})


@pytest.mark.parametrize("target", [target for target in TARGETS if target not in ("device_ids", "created_at")])
def test_a_very_long_value_is_refused_in_every_field(target: str) -> None:
    """No field holds without limit."""
    assert target in [field for _, field in problems({"username": "anna"} | {target: "x" * 5000})]


def test_a_row_without_a_name_or_an_address_is_nobody() -> None:
    """A person needs something to sign in with."""
    assert problems({"import_key": "7", "full_name": "Anna"}) == [(RejectCode.MISSING, "username")]


def test_half_a_location_is_refused() -> None:
    """A latitude alone is no place."""
    assert problems({"username": "anna", "location.latitude": "1"}) == [(RejectCode.MISSING, "location")]


def test_who_comes_without_a_user_name_gets_a_neutral_one() -> None:
    """Nothing of the address is in it, since more people may see a user name than an address."""
    raw = build({"email": "planted@example.org"})
    assert raw["username"].startswith("user-")
    assert "planted" not in raw["username"] + raw["import_key"]


@pytest.mark.parametrize(
    ("cells", "start"),
    [
        ({"import_key": "c-1", "username": "anna"}, "id:c-1"),
        ({"username": "Anna"}, "username:anna"),
        ({"email": "a@example.org"}, "email:"),
        ({"import_key": "a@example.org", "username": "anna"}, "id:"),
    ],
)
def test_a_person_is_the_same_in_every_file(cells: dict[str, str], start: str) -> None:
    """The key depends on the person alone; an address goes into it as a digest only."""
    other = RowBuilder(RunKey(bytes(32)), "eu", NOW)
    first, second = build(cells)["import_key"], other.build(99, cells)["import_key"]
    assert first == second
    assert first.startswith(start)
    assert "@" not in first


def test_defaults_fill_what_a_row_leaves_empty() -> None:
    """`--default locale=de-DE` holds for rows without one, and is checked like any value."""
    assert build({"username": "anna", "locale": ""}, defaults={"locale": "de_DE"})["locale"] == "de-DE"
    assert build({"username": "anna", "locale": "fr"}, defaults={"locale": "de_DE"})["locale"] == "fr"


@given(st.binary(min_size=16, max_size=32), st.integers(1, 2**40 - 1), st.integers(1, 2**40 - 1))
def test_a_run_knows_its_own_lines(digest: bytes, line: int, other: int) -> None:
    """An id tells its run the line it came from, and tells other runs nothing."""
    key, foreign = RunKey(digest), RunKey(bytes(byte ^ 255 for byte in digest))
    raw = RowBuilder(key, "eu", NOW).build(line, {"username": "anna"})
    assert key.line_of(raw["_id"]) == line
    assert foreign.line_of(raw["_id"]) is None
    assert (key.randomness(line) == key.randomness(other)) == (line == other)
