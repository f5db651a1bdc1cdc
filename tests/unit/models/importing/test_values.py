"""How one cell is read, field by field."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from models.importing import values
from models.importing.rejection import Refused, RejectCode

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)


def born(text: str) -> date:
    """A birth date, read today."""
    return values.birth_date(text, NOW.date())


def at(text: str) -> datetime:
    """A moment, read now."""
    return values.moment(text, NOW)


@pytest.mark.parametrize(
    ("read", "text", "expected"),
    [
        (values.boolean, "TRUE", True),
        (values.boolean, "0", False),
        (values.whole, "42", 42),
        (values.decimal(-90, 90), "-89.5", -89.5),
        (born, "2000-02-29", date(2000, 2, 29)),
        (at, "2024-05-01", datetime(2024, 5, 1, tzinfo=UTC)),
        (at, "2024-05-01T10:00:00+02:00", datetime(2024, 5, 1, 8, tzinfo=UTC)),
        (at, "2024-05-01 10:00:00.123456", datetime(2024, 5, 1, 10, 0, 0, 123000, tzinfo=UTC)),
        (values.phone, "+44 (7700) 900-123", "+447700900123"),
        (values.phone, "0046 70 174 06 05", "+46701740605"),
        (values.country, "de", "DE"),
        (values.locale, "zh_hant_tw", "zh-Hant-TW"),
        (values.locale, "de-CH-1996", "de-CH-1996"),
        (values.address, "2001:DB8::0001", "2001:db8::1"),
        (values.status, "suspended", "SUSPENDED"),
        (values.word, "Dark", "dark"),
        (values.currency, "eur", "EUR"),
        (values.street, "Line 1\r\nLine 2", "Line 1, Line 2"),
        (values.street, "Line  1 \n \t\r\n Line 2", "Line  1, Line 2"),
        (values.devices, "a;b|c;", ["a", "b", "c"]),
        (values.devices, ["a", 7], ["a", "7"]),
        (values.words(10), '{"$gt": 1}', '{"$gt": 1}'),
    ],
)
def test_a_good_value_is_normalised(read: Callable[[Any], object], text: object, expected: object) -> None:
    """Each field is stored in one spelling; an operator of the database is text like any other."""
    assert read(text) == expected


@pytest.mark.parametrize(
    ("read", "text", "code"),
    [
        (values.boolean, "maybe", RejectCode.BAD_BOOLEAN),
        (values.whole, "-1", RejectCode.BAD_NUMBER),
        (values.whole, "9999999999", RejectCode.BAD_NUMBER),
        (values.decimal(-90, 90), "90.1", RejectCode.BAD_NUMBER),
        (values.decimal(-90, 90), "nan", RejectCode.BAD_NUMBER),
        (born, "29/02/2000", RejectCode.BAD_DATE),
        (born, "2001-02-29", RejectCode.BAD_DATE),
        (born, "20000229", RejectCode.BAD_DATE),
        (born, "2026-10-02", RejectCode.BAD_DATE),
        (born, "1890-01-01", RejectCode.BAD_DATE),
        (at, "2030-01-01", RejectCode.BAD_DATETIME),
        (at, "0001-01-01T00:00:00+14:00", RejectCode.BAD_DATETIME),
        (at, "1714550400", RejectCode.BAD_DATETIME),
        (values.phone, "070 174 06 05", RejectCode.BAD_PHONE),
        (values.phone, "+4670174060512345678", RejectCode.BAD_PHONE),
        (values.phone, "+٤٤٧٧٠٠٩٠٠١٢٣", RejectCode.BAD_PHONE),
        (values.country, "Germany", RejectCode.BAD_COUNTRY),
        (values.country, "XX", RejectCode.BAD_COUNTRY),
        (values.locale, "german", RejectCode.BAD_LOCALE),
        (values.address, "10.0.0.256", RejectCode.BAD_IP),
        (values.address, "fe80::1%eth0", RejectCode.BAD_IP),
        (values.status, "deleted", RejectCode.BAD_CHOICE),
        (values.word, "a b", RejectCode.BAD_CHOICE),
        (values.words(3), "four", RejectCode.TOO_LONG),
        (values.words(30), "nul\x00byte", RejectCode.BAD_CHARACTERS),
        (values.words(30), "turned\u202etxt", RejectCode.BAD_CHARACTERS),
        (values.devices, {"$ne": 1}, RejectCode.BAD_TYPE),
        (values.devices, [{"$ne": 1}], RejectCode.BAD_TYPE),
        (values.devices, ["x"] * 51, RejectCode.TOO_LONG),
        (values.text_of, {"$ne": None}, RejectCode.BAD_TYPE),
        (values.text_of, ["x"], RejectCode.BAD_TYPE),
    ],
)
def test_a_bad_value_is_refused_with_its_code(read: Callable[[Any], object], text: object, code: RejectCode) -> None:
    """The verdict says what is wrong and repeats nothing of the value."""
    with pytest.raises(Refused) as caught:
        read(text)
    assert caught.value.code is code
    assert str(caught.value) == code.value


def test_a_street_far_too_long_is_refused_before_its_lines_are_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that no text, however made, costs more than its length."""
    monkeypatch.delattr(values, "_SPACE")
    with pytest.raises(Refused) as caught:
        values.street("x" + " " * 100_000 + "x")
    assert caught.value.code is RejectCode.TOO_LONG
