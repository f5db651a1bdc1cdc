"""One invented person with everything that belongs to them, from a random source alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Final, TypeAlias

from models.ages import age_on, band_of
from models.ids import fixed_id
from models.names import new_username
from models.people.activity import add_activity
from models.people.moments import milliseconds, moment_before
from models.people.pools import Pool, plain
from models.vocabulary import Purpose, UserStatus

Raw: TypeAlias = dict[str, Any]

DOMAINS: Final = ("example.com", "example.org", "example.net", "mail.example", "post.example")  # RFC 2606
MINOR_SHARE: Final = 0.03
SUSPENDED_SHARE: Final = 0.012
RESTRICTED_SHARE: Final = 0.008
NOTICE_VERSION: Final = 1

_ADULT_AGES: Final = ((18, 24), (25, 34), (25, 34), (35, 44), (35, 44), (45, 54), (55, 64), (65, 88))
_THEMES: Final = ("system", "system", "light", "dark")
_DIGESTS: Final = ("weekly", "weekly", "daily", "monthly", "never")


@dataclass(frozen=True, slots=True)
class GeneratedPerson:
    """A person as stored: the account, and the rows of the other collections that belong to it."""

    user: Raw
    devices: list[Raw]
    addresses: list[Raw]
    events: list[Raw]


def make_person(number: int, random: Random, pool: Pool, *, region: str, epoch: datetime) -> GeneratedPerson:
    """Invent the person with this `number`, which makes the user name and the address unique.

    All moments lie before `epoch`.
    """
    user = _account(random, region, epoch)
    _name(user, number, random, pool)
    _contact(user, random, pool)
    _birth(user, random, epoch.date())
    user["country"], user["locale"] = pool.locale.country, pool.locale.tag
    user["preferences"] = {
        "theme": _one(random, _THEMES),
        "currency": pool.locale.currency,
        "digest": _one(random, _DIGESTS),
    }
    _consents(user, random, epoch.date())
    devices, addresses, events = add_activity(user, random, region, epoch)
    if random.random() < 0.6:
        _locate(user, random, pool)
    return GeneratedPerson(user, devices, addresses, events)


def _one(random: Random, values: tuple[str, ...]) -> str:
    return values[int(random.random() * len(values))]


def _account(random: Random, region: str, epoch: datetime) -> Raw:
    days = 1 + 1500 * random.random() ** 1.6  # a growing product: more people joined lately
    created = moment_before(epoch, days)
    share = random.random()
    status = UserStatus.ACTIVE
    if share < SUSPENDED_SHARE:
        status = UserStatus.SUSPENDED
    elif share < SUSPENDED_SHARE + RESTRICTED_SHARE:
        status = UserStatus.RESTRICTED
    return {
        "_id": fixed_id("usr", region, milliseconds(created), random.getrandbits(80)),
        "email_verified": random.random() < 0.86,
        "status": status.value,
        "roles": [],
        "created_at": created,
    }


def _name(user: Raw, number: int, random: Random, pool: Pool) -> None:
    gender = int(random.random() * 2)
    given, family = _one(random, pool.given[gender]), _one(random, pool.family[gender])
    user["given_name"], user["family_name"] = given, family
    user["full_name"] = pool.locale.name.format(given=given, family=family)
    first, last = plain(given), plain(family)
    handle = f"{first}.{last}" if len(first) > 1 and len(last) > 1 else _one(random, pool.handles)
    username = f"{handle[:40]}{number}"
    user["username"], user["username_key"], user["username_skeleton"] = new_username(username)
    email = f"{handle[:40].replace('.', '_')}{number}@{_one(random, DOMAINS)}"
    user["email"] = email


def _contact(user: Raw, random: Random, pool: Pool) -> None:
    place = pool.places[int(random.random() * len(pool.places))]
    address = {"street": _one(random, pool.streets), "city": place.city, "region": place.region}
    address |= {"postal_code": _one(random, pool.postal_codes), "country": pool.locale.country}
    user["address"] = {key: value for key, value in address.items() if value is not None}
    if random.random() < 0.8:
        digits = iter(str(random.getrandbits(40) + 10**12)[1:])
        user["phone"] = "".join(next(digits) if sign == "#" else sign for sign in pool.locale.phone)


def _locate(user: Raw, random: Random, pool: Pool) -> None:
    city = user["address"]["city"]
    place = next(place for place in pool.places if place.city == city)
    user["location"] = {
        "latitude": round(place.latitude + (random.random() - 0.5) / 10, 5),
        "longitude": round(place.longitude + (random.random() - 0.5) / 10, 5),
        "accuracy": float(5 + int(random.random() * 60)),
        "recorded_at": user["last_seen_at"],
    }


def _birth(user: Raw, random: Random, today: date) -> None:
    if random.random() < MINOR_SHARE:
        youngest, oldest = 9, 17
    else:
        youngest, oldest = _ADULT_AGES[int(random.random() * len(_ADULT_AGES))]
    days = youngest * 365.25 + 2 + (oldest - youngest + 1) * 364.5 * random.random()
    born = today - timedelta(days=int(days))
    user["birth_date"], user["age_band"] = born.isoformat(), band_of(born, today).value


def _consents(user: Raw, random: Random, today: date) -> None:
    consents = []
    adult = age_on(date.fromisoformat(user["birth_date"]), today) >= 18
    for purpose, share in ((Purpose.PERSONALISATION, 0.45), (Purpose.MARKETING, 0.25)):
        if adult and random.random() < share:
            given = random.random() < 0.88  # the others have withdrawn it since
            consents.append(
                {"purpose": purpose.value, "given": given, "at": user["created_at"], "notice_version": NOTICE_VERSION}
            )
    user["consents"] = consents
    user["marketing_opt_in"] = any(c["given"] and c["purpose"] == Purpose.MARKETING for c in consents)
