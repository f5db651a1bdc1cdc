"""Comparing answers: forms do not count, values do."""

from __future__ import annotations

import orjson
import pytest

from bench.answers import Different, compare, data_of

PERSON = {"id": "usr_eu_1", "email": "a•••@•••.org", "createdAt": "2026-01-31T12:00:00.123Z"}


def answer(**changes: object) -> bytes:
    """The answer for one person, with changes."""
    return orjson.dumps({"data": {"user": PERSON | changes}})


def test_the_form_of_a_moment_does_not_count() -> None:
    """Zone, precision and the lack of a zone are matters of taste."""
    forms = ("2026-01-31T12:00:00.123000+00:00", "2026-01-31T12:00:00.123", "2026-01-31T13:00:00.123+01:00")
    for form in forms:
        compare("a peer", [answer(createdAt=form)], [data_of(answer())])


def test_the_order_of_keys_and_the_errors_do_not_count() -> None:
    """Peers report denied fields each in their own way beside the data."""
    turned = {"errors": [{"message": "denied"}], "data": {"user": dict(reversed(PERSON.items()))}}
    compare("a peer", [orjson.dumps(turned)], [data_of(answer())])


def test_a_value_that_differs_is_named_by_its_place() -> None:
    """A peer that does not mask answers something else."""
    with pytest.raises(Different, match=r"a peer, answer 0: at data\.user\.email"):
        compare("a peer", [answer(email="anna@example.org")], [data_of(answer())])


def test_another_moment_is_a_difference() -> None:
    """Normalising does not make moments equal."""
    with pytest.raises(Different):
        compare("a peer", [answer(createdAt="2026-01-31T12:00:00.124Z")], [data_of(answer())])


def test_a_row_more_is_a_difference() -> None:
    """Lists are compared with their length."""
    one = data_of(orjson.dumps({"data": {"users": {"nodes": [PERSON]}}}))
    with pytest.raises(Different, match="nodes"):
        compare("a peer", [orjson.dumps({"data": {"users": {"nodes": [PERSON, PERSON]}}})], [one])


def test_an_answer_without_data_is_none() -> None:
    """An error is not an answer to be measured."""
    with pytest.raises(Different, match="without data"):
        data_of(b'{"errors": [{"message": "no"}]}')
