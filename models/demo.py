"""The people of the demo, one for each part to play, with a value in every field."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from typing import Final

from models.ages import band_of
from models.bookkeeping import MarkerDocument
from models.database import Database, Raw
from models.errors import Conflict
from models.lookalikes import skeleton
from models.people.locales import LOCALES
from models.people.moments import moment_before
from models.people.person import NOTICE_VERSION, GeneratedPerson, make_person
from models.people.pools import Place, Pool
from models.seeding import Progress, seed_people, store
from models.vocabulary import Purpose, Role, UserStatus

DEMO_PEOPLE: Final = 500
DEMO_SEED: Final = 2018
_MARKER: Final = "demo"


@dataclass(frozen=True, slots=True)
class _Part:
    username: str
    given: str
    family: str
    age: int
    role: Role | None = None


_PARTS: Final = (
    _Part("subject", "Sofia", "Lindqvist", 34),
    _Part("minor", "Milo", "Lindqvist", 13),
    _Part("support", "Sam", "Okafor", 29, Role.SUPPORT),
    _Part("analyst", "Ana", "Moreira", 41, Role.ANALYST),
    _Part("privacy", "Priya", "Raman", 38, Role.PRIVACY),
    _Part("security", "Selma", "Haugen", 45, Role.SECURITY),
    _Part("admin", "Adam", "Novak", 52, Role.ADMIN),
)
DEMO_USERNAMES: Final = tuple(part.username for part in _PARTS)


async def seed_demo(
    database: Database,
    *,
    region: str,
    password_hash: str,
    epoch: datetime,
    people: int = DEMO_PEOPLE,
    progress: Progress = lambda _done: None,
) -> bool:
    """Load the demo people and `people` invented ones, once; returns whether it loaded them now.

    `password_hash` lets the demo people sign in; the invented ones have none. What an interrupted
    load left out is added by the next one. `epoch` is the moment before which all their lives lie.
    """
    if await is_loaded(database):
        return False
    await store(database, demo_people(region=region, password_hash=password_hash, epoch=epoch))
    await seed_people(database, people, seed=DEMO_SEED, region=region, epoch=epoch, progress=progress)
    try:
        await database.insert(MarkerDocument(id=_MARKER))
    except Conflict:
        return False  # another process has loaded it meanwhile
    return True


async def is_loaded(database: Database) -> bool:
    """Whether the demo was loaded before; it stays loaded when its people are deleted."""
    return await database.find_one(MarkerDocument, {"_id": _MARKER}) is not None


def demo_people(*, region: str, password_hash: str, epoch: datetime) -> list[GeneratedPerson]:
    """The people whose user names the demo sign-ins use."""
    return [_play(part, region, password_hash, epoch) for part in _PARTS]


def _play(part: _Part, region: str, password_hash: str, epoch: datetime) -> GeneratedPerson:
    random = Random(f"demo:{part.username}")  # noqa: S311 - invented data, no secret
    person = make_person(0, random, _POOL, region=region, epoch=epoch)
    user = person.user
    born = _birthday(epoch, part.age)
    user |= {
        "username": part.username,
        "username_key": part.username,
        "username_skeleton": skeleton(part.username),
        "email": f"{part.username}@demo.example",
        "email_verified": True,
        "full_name": f"{part.given} {part.family}",
        "given_name": part.given,
        "family_name": part.family,
        "birth_date": born.date().isoformat(),
        "age_band": band_of(born.date(), epoch.date()).value,
        "status": UserStatus.ACTIVE.value,
        "roles": [{"role": part.role.value}] if part.role else [],
        "phone": f"+46701740{600 + _PARTS.index(part)}",
        "password_hash": password_hash,
        "import_key": f"demo:{part.username}",
    }
    user |= _choices(part, user["created_at"])
    user.setdefault("location", _LOCATION | {"recorded_at": user["last_seen_at"]})
    return person


def _birthday(epoch: datetime, age: int) -> datetime:
    """A birthday `age` years and about a hundred days before `epoch`."""
    return moment_before(epoch, age * 365.25 + 100)


def _choices(part: _Part, joined: datetime) -> Raw:
    if part.age < 18:
        return {"consents": [], "marketing_opt_in": False}
    given = {"given": True, "at": joined, "notice_version": NOTICE_VERSION}
    consents = [{"purpose": purpose.value, **given} for purpose in (Purpose.PERSONALISATION, Purpose.MARKETING)]
    return {"consents": consents, "marketing_opt_in": True}


_LOCATION: Final = {"latitude": 59.3293, "longitude": 18.0686, "accuracy": 25.0}
_SWEDISH: Final = next(locale for locale in LOCALES if locale.tag == "sv-SE")
_POOL: Final = Pool(
    locale=replace(_SWEDISH, phone="+46701740600"),
    given=(("Sofia",), ("Milo",)),
    family=(("Lindqvist",), ("Lindqvist",)),
    streets=("Storgatan 12", "Kyrkvägen 3", "Björkstigen 41"),
    postal_codes=("111 22", "413 01", "211 34"),
    places=(
        Place(59.3293, 18.0686, "Stockholm", "Stockholms län"),
        Place(57.7089, 11.9746, "Göteborg", "Västra Götalands län"),
        Place(55.6050, 13.0038, "Malmö", "Skåne län"),
    ),
    handles=("demo.person",),
)
