"""Ages and age bands from birth dates. Pure: the day is always passed in."""

from __future__ import annotations

from datetime import date
from typing import Final

from models.vocabulary import AgeBand

OLDEST: Final = 125  # years; an earlier birth date is taken for a mistake

_UPPER_BOUNDS: Final = (
    (13, AgeBand.UNDER_13),
    (18, AgeBand.TEEN),
    (25, AgeBand.YOUNG_ADULT),
    (35, AgeBand.ADULT_25),
    (45, AgeBand.ADULT_35),
    (55, AgeBand.ADULT_45),
    (65, AgeBand.ADULT_55),
)


def age_on(born: date, day: date) -> int:
    """Completed years from `born` to `day`; someone born on 29 February ages on 1 March."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def band_of(born: date, day: date) -> AgeBand:
    """The coarse age band of someone born on `born`, on `day`."""
    age = age_on(born, day)
    return next((band for limit, band in _UPPER_BOUNDS if age < limit), AgeBand.SENIOR)
