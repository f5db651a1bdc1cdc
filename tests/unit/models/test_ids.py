"""Identifiers name their kind and their region, and nothing else."""

from __future__ import annotations

import pytest
from ulid import ULID

from models.ids import new_id, region_of


@pytest.mark.parametrize("region", ["eu", "us", "eu-west-1", "ap2"])
def test_an_identifier_names_its_region(region: str) -> None:
    """Whoever holds it knows where to ask."""
    assert region_of(new_id("usr", region), "usr") == region


def test_an_identifier_of_another_kind_names_no_region() -> None:
    """A session's identifier is no user's."""
    assert region_of(new_id("ses", "eu"), "usr") is None


def test_an_identifier_begins_with_its_kind_and_region() -> None:
    """`usr_eu_` and a ULID in small letters."""
    kind, region, ulid = new_id("usr", "eu").split("_")
    assert (kind, region) == ("usr", "eu")
    assert ulid == ulid.lower()
    assert ULID.from_str(ulid.upper())


def test_identifiers_differ() -> None:
    """Also those made at the same moment."""
    assert len({new_id("usr", "eu") for _ in range(1000)}) == 1000


def test_identifiers_sort_by_the_time_of_making() -> None:
    """To the millisecond: the time is the first ten characters of a ULID (specification of ULID, 2016)."""
    times = [new_id("usr", "eu").split("_")[2][:10] for _ in range(1000)]
    assert times == sorted(times)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "usr",
        "usr_eu",
        "usr_eu_",
        "usr_eu_01h2xcejqtf2nbrexx3vqjhp4",
        "usr_eu_01h2xcejqtf2nbrexx3vqjhp411",
        "usr_eu_01H2XCEJQTF2NBREXX3VQJHP41",
        "usr_eu_01h2xcejqtf2nbrexx3vqjhpil",
        "usr_eu_01h2xcejqtf2nbrexx3vqjhp41\n",
        " usr_eu_01h2xcejqtf2nbrexx3vqjhp41",
        "usr__01h2xcejqtf2nbrexx3vqjhp41",
        "usr_EU_01h2xcejqtf2nbrexx3vqjhp41",
        "usr_eu_us_01h2xcejqtf2nbrexx3vqjhp41",
        "user_eu_01h2xcejqtf2nbrexx3vqjhp41",
        "usr_$ne_01h2xcejqtf2nbrexx3vqjhp41",
    ],
)
def test_other_text_is_no_identifier(text: str) -> None:
    """Too short, too long, other letters, other order, something around it."""
    assert region_of(text, "usr") is None


def test_a_well_formed_identifier_is_one() -> None:
    """The form that the malformed ones above differ from."""
    assert region_of("usr_eu_01h2xcejqtf2nbrexx3vqjhp41", "usr") == "eu"
