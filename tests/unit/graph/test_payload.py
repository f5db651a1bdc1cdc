"""What mutations say where they do not do what was asked."""

from __future__ import annotations

import pytest

from graph.mutations.payload import Problems
from models.importing.rejection import Refused, RejectCode


def refuse(code: RejectCode) -> None:
    """What a reader of values does with one that it does not take."""
    raise Refused(code)


@pytest.mark.parametrize(
    "code", [RejectCode.MISSING, RejectCode.TOO_LONG, RejectCode.BAD_CHARACTERS, RejectCode.BAD_DATE]
)
def test_a_refused_value_is_told_in_words(code: RejectCode) -> None:
    """A code is for programs; the message beside it is for people."""
    problems = Problems()
    with problems.at("reason"):
        refuse(code)
    (error,) = problems.errors
    assert (error.code, error.path) == (code.value, ["input", "reason"])
    assert error.message.startswith("This ")
    assert error.message.endswith(".")
