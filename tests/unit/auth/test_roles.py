"""When a change of administrators leaves nobody, and which reasons are reasons."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import pytest

from auth.reasons import read_reason
from auth.role_holders import leaves_none
from models.importing.rejection import Refused, RejectCode

SOON: Final = datetime(2030, 1, 1, tzinfo=UTC)
LATER: Final = datetime(2031, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ends", "then", "none_left"),
    [
        ({}, [], False),  # there was nobody: an operator makes the first
        ({}, [SOON], False),
        ({}, [None], False),
        ({"ann": [None]}, [], True),
        ({"ann": [SOON]}, [], True),
        ({"ann": [None]}, [SOON], True),  # from for good to for a time
        ({"ann": [SOON]}, [LATER], False),
        ({"ann": [SOON]}, [None], False),
        ({"ann": [None], "bob": [None]}, [], False),
        ({"ann": [None], "bob": [SOON]}, [], True),
        ({"ann": [SOON], "bob": [None]}, [], False),
        ({"ann": [SOON], "bob": [SOON]}, [], False),  # there was nobody for good before either
        ({"bob": [None]}, [], False),  # ann was none
    ],
)
def test_somebody_is_left(ends: dict[str, list[datetime | None]], then: list[datetime | None], none_left: bool) -> None:
    """Until when each is administrator, and what ann has afterwards."""
    assert leaves_none(ends, "ann", then) is none_left


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", RejectCode.MISSING),
        ("         \n\t  ", RejectCode.MISSING),
        ("123456789", RejectCode.MISSING),
        ("1 3       5", RejectCode.MISSING),  # five characters once the space is folded
        ("x" * 501, RejectCode.TOO_LONG),
        (" " * 100_000 + "x" * 20, RejectCode.TOO_LONG),
        ("nothing \x07 to hear", RejectCode.BAD_CHARACTERS),
        ("nothing \u202e to see", RejectCode.BAD_CHARACTERS),
    ],
)
def test_what_is_no_reason(text: str, code: RejectCode) -> None:
    """Too short to say anything, too long to be read, or not what it seems."""
    with pytest.raises(Refused) as refused:
        read_reason(text)
    assert refused.value.code is code


def test_a_reason_is_one_line() -> None:
    """Of any script."""
    assert read_reason("  två\nrader \u3000 till ") == "två rader till"
    assert read_reason("x" * 500) == "x" * 500
