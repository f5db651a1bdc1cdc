"""Renderers: from a stored row to a part of the answer."""

from __future__ import annotations

import pytest

from graph.rendering import Column, Kind, Tally, renderer
from models.vocabulary import Reason

DENIED = ("User.phone", Reason.CONSENT)


def masked(value: object) -> str:
    """A mask."""
    return f"{str(value)[0]}-"


COLUMNS = [
    Column("id", Kind.VALUE, "_id"),
    Column("__typename", Kind.CONSTANT, using="User"),
    Column("email", Kind.MASKED, "email", masked),
    Column("phone", Kind.CONSTANT),
]


@pytest.mark.parametrize("raws", [[], [{"_id": "a", "email": "e@x.org"}, {"_id": "b", "more": 1}]])
def test_rows_together_are_as_rows_one_by_one(raws: list[dict[str, object]]) -> None:
    """The same answers, the same tally; keys in the order of the columns, null for what is not stored."""
    made, one_by_one, together = renderer(COLUMNS, [DENIED]), Tally(), Tally()
    answers = [made.row(raw, one_by_one) for raw in raws]
    assert made.rows(raws, together) == answers
    assert together == one_by_one
    assert dict(one_by_one) == ({DENIED: len(raws)} if raws else {})
    assert [list(answer.items()) for answer in answers] == [
        [("id", id_), ("__typename", "User"), ("email", email), ("phone", None)]
        for id_, email in [("a", "e-"), ("b", None)][: len(raws)]
    ]


def test_what_is_nested_is_rendered_within() -> None:
    """Values and lists, each with its tally; null where there is none."""
    inner = renderer([Column("city", Kind.VALUE, "city")], [DENIED])
    outer = renderer(
        [Column("home", Kind.NESTED, "address", inner.row), Column("all", Kind.NESTED, ("all",), inner.rows)], []
    )
    tally = Tally()
    raws = [{"address": {"city": "Rome"}, ("all",): [{"city": "Oslo"}, {}]}, {}]
    assert outer.rows(raws, tally) == [  # type: ignore[arg-type]  # lists of other collections have tuples for keys
        {"home": {"city": "Rome"}, "all": [{"city": "Oslo"}, {"city": None}]},
        {"home": None, "all": None},
    ]
    assert tally[DENIED] == 3


@pytest.mark.parametrize("text", ['"', "'", "\\", "{0}", "}}", "p0", "raw", "\n", "__import__('os')", "ключ"])
def test_no_text_is_ever_compiled(text: str) -> None:
    """Keys, paths and constants are values, whatever they say."""
    made = renderer([Column(text, Kind.VALUE, text), Column("c", Kind.CONSTANT, using=text)], [])
    assert made.row({text: 1}, Tally()) == {text: 1, "c": text}


@pytest.mark.parametrize("count", [0, 1, 1_000])
def test_any_number_of_columns(count: int) -> None:
    """None where everything is skipped, and as many as a document may have fields."""
    made = renderer([Column(f"k{n}", Kind.VALUE, f"p{n}") for n in range(count)], [])
    assert made.rows([{"p0": 7}], Tally()) == [{f"k{n}": 7 if n == 0 else None for n in range(count)}]
