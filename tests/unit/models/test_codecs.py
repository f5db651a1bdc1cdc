"""Values become bytes and come back as they were; what does not is refused without a word of it."""

from __future__ import annotations

import math
import traceback
from datetime import date, datetime, timedelta, timezone
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
MOMENTS: Final = st.datetimes().map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000))
DEGREES: Final = st.floats(-180, 180)
VALUES: Final[list[tuple[Any, st.SearchStrategy[Any]]]] = [
    (str, TEXT),
    (bytes, st.binary()),
    (date, st.dates().map(date.isoformat)),
    (list[str], st.lists(TEXT)),
    (Address, st.fixed_dictionaries({"street": TEXT}, optional={"city": TEXT})),
    (
        Location,
        st.fixed_dictionaries({"latitude": DEGREES, "longitude": DEGREES}, optional={"recorded_at": MOMENTS}),
    ),
    (list[Address], st.lists(st.fixed_dictionaries({"city": TEXT}), max_size=3)),
]


@pytest.mark.parametrize(("kind", "values"), VALUES, ids=lambda each: getattr(each, "__name__", ""))
def test_a_value_comes_back(kind: Any, values: st.SearchStrategy[Any]) -> None:  # noqa: ANN401 - any type
    """Of each type that is sealed."""
    codec = codec_for(kind)

    @given(values)
    def holds(value: object) -> None:
        data = codec.encode(value)
        [again] = codec.decode_all([data])
        assert again == value
        assert type(again) is type(value)

    holds()


def test_the_bytes_are_json() -> None:
    """So that they are read for as long as there is JSON; bytes stay as they are."""
    assert codec_for(str).encode("Zoë") == b'"Zo\xc3\xab"'
    assert codec_for(date).encode("1990-02-03") == b'"1990-02-03"'
    assert codec_for(list[str]).encode(["a", "b"]) == b'["a","b"]'
    assert orjson.loads(codec_for(Address).encode({"city": "Oslo"})) == {"city": "Oslo"}
    assert codec_for(bytes).encode(b"\0\xff") == b"\0\xff"


def test_moments_lose_their_zone_and_not_their_time() -> None:
    """Rows are read so: without a zone, in UTC."""
    codec, at = codec_for(Location), datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2)))
    [again] = codec.decode_all([codec.encode({"latitude": 1.0, "longitude": 2.0, "recorded_at": at})])
    assert again["recorded_at"] == datetime(2026, 1, 2, 1, 4, 5)  # noqa: DTZ001 - the point


def test_what_is_not_sealed_has_no_codec() -> None:
    """Numbers, moments and maps are stored in plain, or as parts of a value."""
    for kind in (int, datetime, dict[str, str], list[int] | None):
        with pytest.raises(TypeError):
            codec_for(kind)


SECRET: Final = "Rosencrantz"  # in every value below


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (str, SECRET.encode()),
        (str, SECRET + "\ud800"),
        (str, [SECRET]),
        (bytes, SECRET),
        (date, SECRET),
        (date, date(1990, 1, 1)),
        (date, "1990-02-30 Rosencrantz"),
        (list[str], SECRET),
        (list[str], [SECRET, 7]),
        (list[str], [SECRET, "\ud800"]),
        (Address, SECRET),
        (Address, {"city": [SECRET]}),
        (Address, {"city": SECRET + "\ud800"}),
        (Location, {"latitude": SECRET, "longitude": 1}),
        (Location, {"latitude": math.nan, "longitude": 1}),
        (Location, {"latitude": math.inf, "longitude": 1.0, "recorded_at": None}),
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
        (date, b"Rosencrantz"),
        (list[str], b'"Rosencrantz"'),
        (Address, b'["Rosencrantz"]'),
    ],
)
def test_bytes_of_something_else_are_broken(kind: Any, data: bytes) -> None:  # noqa: ANN401 - any type
    """A field whose type was changed, say. Neither message nor traceback shows it."""
    shown(codec_for(kind).decode_all, [data], SealBroken)


@pytest.mark.parametrize("data", [[b'"a","b"', b'"c"'], [b'"a', b'b"'], [b'"a"', b"null"]], ids=repr)
def test_values_that_are_decoded_together_stay_apart(data: list[bytes]) -> None:
    """What is one value together, or two by itself, is none."""
    assert codec_for(str).decode_all([b'"a"', b'"b"']) == ["a", "b"]
    assert codec_for(str).decode_all([]) == []
    with pytest.raises(SealBroken):
        codec_for(str).decode_all(data)


def shown(work: Any, value: object, error: type[Exception]) -> None:  # noqa: ANN401 - either way of a codec
    """See that `work` fails with `error`, and that nothing about it shows the value."""
    with pytest.raises(error) as caught:
        work(value)
    frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    del frames.stack[0]  # this one knows the value
    assert caught.value.__context__ is None
    assert SECRET not in "".join(frames.format())
