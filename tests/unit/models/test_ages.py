"""Ages and age bands."""

from __future__ import annotations

from datetime import date

import pytest

from models.ages import age_on, band_of

DAY = date(2026, 10, 1)


@pytest.mark.parametrize(
    ("born", "age", "band"),
    [
        (date(2026, 10, 1), 0, "0-12"),
        (date(2013, 10, 2), 12, "0-12"),
        (date(2013, 10, 1), 13, "13-17"),
        (date(2008, 10, 2), 17, "13-17"),
        (date(2008, 10, 1), 18, "18-24"),
        (date(2001, 10, 1), 25, "25-34"),
        (date(1991, 10, 1), 35, "35-44"),
        (date(1981, 10, 1), 45, "45-54"),
        (date(1971, 10, 1), 55, "55-64"),
        (date(1961, 10, 1), 65, "65+"),
        (date(1920, 1, 1), 106, "65+"),
    ],
)
def test_a_band_changes_on_the_birthday(born: date, age: int, band: str) -> None:
    """Not a day before."""
    assert (age_on(born, DAY), band_of(born, DAY)) == (age, band)


def test_someone_born_on_a_leap_day_ages_on_the_first_of_march() -> None:
    """In years without that day."""
    assert age_on(date(2008, 2, 29), date(2026, 2, 28)) == 17
    assert age_on(date(2008, 2, 29), date(2026, 3, 1)) == 18
