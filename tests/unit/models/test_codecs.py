"""Values become bytes and come back as they were; what does not is refused without a word of it."""

from __future__ import annotations

import math
import traceback
from datetime import UTC, date, datetime
from typing import Any, Final

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.codecs import codec_for
from models.crypto.envelope import SealBroken
from models.errors import BadInput
from models.user import Address, Location

TEXT: Final = st.text(st.characters(exclude_categories=["Cs"]))
MOMENTS: Final = st.datetimes(timezones=st.just(UTC)).map(
    lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)
)
DEGREES: Final = st.floats(-180, 180)
VALUES: Final[list[tuple[Any, st.SearchStrategy[Any]]]] = [
    (str, TEXT),
    (bytes, st.binary()),
    (date, st.dates()),
    (list[str], st.lists(TEXT)),
    (Address, st.builds(Address, street=TEXT, city=st.none() | TEXT)),
    (Location, st.builds(Location, latitude=DEGREES, longitude=DEGREES, recorded_at=st.none() | MOMENTS)),
    (list[Address], st.lists(st.builds(Address, city=TEXT), max_size=3)),
]


@pytest.mark.parametrize(("kind", "values"), VALUES, ids=lambda each: getattr(each, "__name__", ""))
def test_a_value_comes_back(kind: Any, values: st.SearchStrategy[Any]) -> None:  # noqa: ANN401 - any type
    """Of each type that is sealed."""
    codec = codec_for(kind)

    @given(values)
    def holds(value: object) -> None:
        data = codec.encode(value)
        again = codec.decode(data)
        assert again == value
        assert type(again) is type(value)

    holds()


def test_the_bytes_are_json() -> None:
    """So that they are read for as long as there is JSON; bytes stay as they are."""
    assert codec_for(str).encode("Zoë") == b'"Zo\xc3\xab"'
    assert codec_for(date).encode(date(1990, 2, 3)) == b'"1990-02-03"'
    assert codec_for(list[str]).encode(["a", "b"]) == b'["a","b"]'
    assert orjson.loads(codec_for(Address).encode(Address(city="Oslo"))) == {"city": "Oslo"}
    assert codec_for(bytes).encode(b"\0\xff") == b"\0\xff"


def test_a_value_object_may_come_as_a_mapping() -> None:
    """As the importer and the input types have it."""
    codec = codec_for(Address)
    assert codec.decode(codec.encode({"city": "Oslo"})) == Address(city="Oslo")


SECRET: Final = "Rosencrantz"  # in every value below


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (str, SECRET.encode()),
        (str, SECRET + "\ud800"),
        (str, [SECRET]),
        (bytes, SECRET),
        (date, SECRET),
        (date, datetime(1990, 1, 1, tzinfo=UTC)),
        (list[str], SECRET),
        (list[str], [SECRET, 7]),
        (list[str], [SECRET, "\ud800"]),
        (Address, SECRET),
        (Address, {"city": [SECRET]}),
        (Address, {"city": SECRET + "\ud800"}),
        (Location, {"latitude": SECRET, "longitude": 1}),
        (Location, {"latitude": math.nan, "longitude": 1}),
        (Location, Location.model_construct(latitude=math.inf, longitude=1.0)),
        (str, None),
    ],
)
def test_what_a_field_cannot_hold_is_refused(kind: Any, value: Any) -> None:  # noqa: ANN401 - any type
    """Also what JSON would change on its way. Neither message nor traceback shows it."""
    shown(codec_for(kind).encode, value, BadInput)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (str, b""),
        (str, SECRET.encode()),
        (str, b'["Rosencrantz"]'),
        (str, b'"Rosencrantz'),
        (str, b'"Rosencrantz\xff"'),
        (date, b'"Rosencrantz"'),
        (date, b'"1990-02-30Rosencrantz"'),
        (date, b"Rosencrantz"),
        (list[str], b'"Rosencrantz"'),
        (list[str], b'[{"Rosencrantz":1}]'),
        (Address, b'["Rosencrantz"]'),
        (Address, b'{"city":["Rosencrantz"]}'),
        (Location, b'{"latitude":"Rosencrantz","longitude":1}'),
    ],
)
def test_bytes_of_something_else_are_broken(kind: Any, data: bytes) -> None:  # noqa: ANN401 - any type
    """A field whose type was changed, say. Neither message nor traceback shows it."""
    shown(codec_for(kind).decode, data, SealBroken)


def shown(work: Any, value: object, error: type[Exception]) -> None:  # noqa: ANN401 - either way of a codec
    """See that `work` fails with `error`, and that nothing about it shows the value."""
    with pytest.raises(error) as caught:
        work(value)
    frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    del frames.stack[0]  # this one knows the value
    assert caught.value.__context__ is None
    assert SECRET not in "".join(frames.format())
