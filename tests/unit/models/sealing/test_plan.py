"""How a document class is sealed: every value of every field comes back from its place, and from no other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final

import pytest
from beanie import Document
from hypothesis import given, settings
from hypothesis import strategies as st

from models.activity import EventDocument
from models.crypto.blind_index import Pepper
from models.crypto.envelope import DataKey, DataKeys, SealBroken, Shelf, is_sealed
from models.crypto.wrapping import WrappingKey
from models.database.sealing import Raw
from models.keystore.ring import Ring
from models.registry import DOCUMENTS
from models.sealed import sealed_fields
from models.sealing import Plan
from models.sealing.opening import Opened, open_rows, open_slowly
from models.throttle import ThrottleDocument
from models.user import Address, Location, UserDocument

KEYS: Final = DataKeys([DataKey(bytes(32), 1), DataKey(bytes([1]) * 32, 2)])
OTHERS: Final = DataKeys([DataKey(bytes([2]) * 32, 2)])
TEXT: Final = st.text(st.characters(exclude_categories=["Cs"]))
MOMENTS: Final = st.datetimes().map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000))
DEGREES: Final = st.floats(-180, 180)
BY_PATH: Final[Mapping[str, st.SearchStrategy[Any]]] = {
    "address": st.fixed_dictionaries({}, optional=dict.fromkeys(Address.model_fields, TEXT)),
    "location": st.fixed_dictionaries(
        {"latitude": DEGREES, "longitude": DEGREES}, optional={"accuracy": DEGREES, "recorded_at": MOMENTS}
    ),
    "birth_date": st.dates().map(date.isoformat),
    "device_ids": st.lists(TEXT),
    "secret": st.binary(),
}
FIELDS: Final = [(kind, path) for kind in DOCUMENTS for path in sealed_fields(kind)]


def plan_of(kind: type[Document], region: str = "eu") -> Plan:
    """The plan of a class that has one."""
    plan = Plan.of(kind, region)
    assert plan is not None
    return plan


def opened(
    plan: Plan, path: str, sealed: bytes, *, row: str = "doc", person: str = "ann", keys: DataKeys = KEYS
) -> Any:  # noqa: ANN401 - any value
    """What a row with that value comes to, by the fast way and by the slow one, which agree."""
    raws: list[Raw] = [{"_id": row, path: sealed} for _ in range(2)]
    broken, keyless = open_rows(plan, raws[:1], [person], [keys], [path])
    assert keyless == []
    slowly = open_slowly(plan, raws[1], person, keys, paths=[path], accept_clear=False)
    assert (broken == [0]) is (slowly is Opened.BROKEN)
    assert raws[0] == raws[1]
    if broken:
        assert raws[0][path] == sealed
        raise SealBroken
    return raws[0][path]


@pytest.mark.parametrize(("kind", "path"), FIELDS, ids=lambda each: getattr(each, "__name__", each))
def test_every_value_of_every_field_comes_back(kind: type[Document], path: str) -> None:
    """Whatever it can hold; as it was, of the type it was, and as sealed bytes in between."""
    plan = plan_of(kind)

    @settings(max_examples=25)  # most fields are of one type
    @given(BY_PATH.get(path, TEXT))
    def holds(value: object) -> None:
        sealed = plan.sealed("doc", "ann", KEYS, {path: value})[path]
        again = opened(plan, path, sealed)
        assert is_sealed(sealed)
        assert again == value
        assert type(again) is type(value)

    holds()


@pytest.mark.parametrize(("kind", "path"), FIELDS, ids=lambda each: getattr(each, "__name__", each))
def test_no_value_opens_elsewhere(kind: type[Document], path: str) -> None:
    """For another document, person, region, collection or field, or with a key of another person."""
    plan = plan_of(kind)
    value = {"address": {}, "location": {"latitude": 1.0, "longitude": 2.0}, "device_ids": []}.get(path, "1970-01-01")
    sealed = plan.sealed("doc", "ann", KEYS, {path: b"" if path == "secret" else value})[path]
    other = replace(plan, shelf=Shelf("eu", f"{plan.collection}2"))
    swapped = replace(plan, fields={path: plan_of(UserDocument).fields["import_key" if path == "email" else "email"]})
    for there in (plan_of(kind, "us"), other, swapped):
        with pytest.raises(SealBroken):
            opened(there, path, sealed)
    with pytest.raises(SealBroken):
        opened(plan, path, sealed, row="doc2")
    with pytest.raises(SealBroken):
        opened(plan, path, sealed, person="bob")
    with pytest.raises(SealBroken):
        opened(plan, path, sealed, keys=OTHERS)
    opened(plan, path, sealed)


def test_what_has_no_sealed_field_has_no_plan() -> None:
    """Nor has what is no personal document."""
    assert Plan.of(EventDocument, "eu") is None
    assert Plan.of(ThrottleDocument, "eu") is None


def test_a_row_opens_as_a_whole() -> None:
    """Of a row with one value that does not open nothing becomes clear; the row after it is opened."""
    plan = plan_of(UserDocument)
    names = plan.sealed("doc", "ann", KEYS, {"full_name": "A", "given_name": "A"})
    bad: Raw = {"_id": "doc", **names, "email": names["full_name"]}
    good: Raw = {"_id": "doc", **names}
    before = dict(bad)
    assert open_rows(plan, [bad, good], ["ann", "ann"], [KEYS, KEYS], ["full_name", "given_name", "email"]) == (
        [0],
        [],
    )
    assert bad == before
    assert good["full_name"] == good["given_name"] == "A"


@given(st.lists(st.dictionaries(st.sampled_from(["full_name", "email", "birth_date"]), st.just("1970-01-01"))))
def test_each_row_of_a_page_opens_to_what_it_has(people: list[dict[str, str]]) -> None:
    """However many of them lack a field."""
    plan, names = plan_of(UserDocument), [f"usr_{number}" for number in range(len(people))]
    raws: list[Raw] = [{"_id": i, **plan.sealed(i, i, KEYS, has)} for i, has in zip(names, people, strict=True)]
    assert open_rows(plan, raws, names, [KEYS] * len(raws), ["full_name", "email", "birth_date"]) == ([], [])
    assert raws == [{"_id": i, **has} for i, has in zip(names, people, strict=True)]


@pytest.mark.parametrize("value", ["clear", {"city": "Oslo"}, ["a"], datetime(2026, 1, 1), b"short"], ids=repr)  # noqa: DTZ001 - as rows are read
def test_what_is_in_the_clear_passes_where_that_is_allowed(value: object) -> None:
    """While values are being sealed; what has the form of a sealed value has to open even then."""
    plan = plan_of(UserDocument)
    for accept, outcome in ((True, Opened.OPEN), (False, Opened.BROKEN)):
        raw: Raw = {"_id": "doc", "email": value}
        assert open_slowly(plan, raw, "ann", KEYS, paths=["email"], accept_clear=accept) is outcome
        assert raw["email"] == value
    moved: Raw = {"_id": "doc", "email": plan.sealed("doc", "ann", KEYS, {"full_name": "A"})["full_name"]}
    assert open_slowly(plan, moved, "ann", KEYS, paths=["email"], accept_clear=True) is Opened.BROKEN


def test_a_row_without_a_key_is_closed() -> None:
    """Nothing sealed is handed on either, as bytes that somebody may take for a value."""
    plan = plan_of(UserDocument)
    raws: list[Raw] = [{"_id": "doc", "email": b"x", "username": "a"} for _ in range(2)]
    assert open_rows(plan, raws[:1], ["ann"], [None], ["email"]) == ([], [0])
    assert open_slowly(plan, raws[1], "ann", None, paths=["email"], accept_clear=True) is Opened.NO_KEY
    assert raws == [{"_id": "doc", "username": "a"}] * 2


def test_codes_are_of_one_spelling() -> None:
    """Beside each field that people are looked up by, and of those alone that are written."""
    plan = plan_of(UserDocument)
    ring = Ring("eu", [WrappingKey(bytes(32), 1)], [Pepper(bytes(32), 1)])
    entries = plan.entries(ring, {"email": "Ann@People.Example", "full_name": "Ann"})
    assert entries.keys() == {"email_index"}
    assert entries == plan.entries(ring, {"email": "ann@people.example"})
    assert entries != plan.entries(ring, {"email": "bob@people.example"})
    assert plan.entries(ring, {"full_name": "Ann"}) == {}


def test_a_location_is_read_as_rows_are() -> None:
    """Its moment has no zone, and is in UTC."""
    plan = plan_of(UserDocument)
    place = Location(latitude=1, longitude=2).model_dump(exclude_none=True) | {"recorded_at": datetime(2026, 1, 2)}  # noqa: DTZ001 - the point
    assert opened(plan, "location", plan.sealed("doc", "ann", KEYS, {"location": place})["location"]) == place
