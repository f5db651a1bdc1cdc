"""Names, streets and places of each locale, drawn from Faker once: asking it per person is too slow."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from unicodedata import normalize

from faker import Faker

from models.people.locales import LOCALES, Locale

SIZE: Final = 160  # values per pool: 160 x 160 names per locale and gender

_LETTERS: Final = str.maketrans({"ß": "ss", "ø": "oe", "æ": "ae", "å": "a", "ł": "l", "ı": "i", "đ": "d"})
_NOT_PLAIN: Final = re.compile(r"[^a-z]+")
_TITLE: Final = re.compile(r"\s*\([^)]*\)")


@dataclass(frozen=True, slots=True)
class Place:
    """A town: WGS 84 degrees, its name, and the division it lies in where the locale names one."""

    latitude: float
    longitude: float
    city: str
    region: str | None


@dataclass(frozen=True, slots=True)
class Pool:
    """What people of one locale are put together from. `given` and `family` come per gender."""

    locale: Locale
    given: tuple[tuple[str, ...], tuple[str, ...]]
    family: tuple[tuple[str, ...], tuple[str, ...]]
    streets: tuple[str, ...]
    postal_codes: tuple[str, ...]
    places: tuple[Place, ...]
    handles: tuple[str, ...]


def make_pools(seed: int) -> tuple[Pool, ...]:
    """One pool per locale, the same for the same seed and Faker release. Takes a second or two."""
    latin = Faker("en_GB")
    latin.seed_instance(f"handles:{seed}")
    handles = tuple(_drawn(lambda: f"{plain(latin.word())}.{plain(latin.last_name())}"))
    return tuple(_pool(locale, seed, handles) for locale in LOCALES)


def plain(text: str) -> str:
    """The lower-case ASCII letters of `text`, accents dropped; empty for other scripts."""
    return _NOT_PLAIN.sub("", normalize("NFKD", text.lower().translate(_LETTERS)).lower())


def _pool(locale: Locale, seed: int, handles: tuple[str, ...]) -> Pool:
    faker = Faker(locale.faker)
    faker.seed_instance(f"{locale.faker}:{seed}")
    return Pool(
        locale=locale,
        given=(_drawn(faker.first_name_female), _drawn(faker.first_name_male)),
        family=(_drawn(faker.last_name_female), _drawn(faker.last_name_male)),
        streets=_drawn(faker.street_address),
        postal_codes=_drawn(faker.postcode),
        places=_places(faker, locale),
        handles=handles,
    )


def _drawn(make: Callable[[], str]) -> tuple[str, ...]:
    return tuple(_TITLE.sub("", make()).replace("\n", ", ").strip() for _ in range(SIZE))


def _places(faker: Faker, locale: Locale) -> tuple[Place, ...]:
    found = []
    for _ in range(SIZE // 4):
        latitude, longitude, *names = faker.local_latlng(country_code=locale.country) or faker.latlng()
        city = names[0] if names else faker.city()
        region = faker.administrative_unit() if locale.divisions else None
        found.append(Place(float(latitude), float(longitude), city, region))
    return tuple(found)
