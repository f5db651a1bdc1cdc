"""Invented people: the same for the same seed, of one piece, and nobody real."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from ipaddress import ip_address, ip_network

import pytest

from models.activity import DeviceDocument, EventDocument, IpLogDocument
from models.ages import age_on, band_of
from models.database import Database, to_bson
from models.demo import DEMO_USERNAMES, demo_people, seed_demo
from models.ids import region_of
from models.names import new_username, normalise_email
from models.people.locales import LOCALES
from models.people.person import GeneratedPerson
from models.sealing import INDEX_SUFFIX
from models.seeding import EPOCH, generate, seed_people
from models.user import UserDocument
from models.vocabulary import Role

COUNT = 600
RESERVED = [ip_network(n) for n in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")]


@pytest.fixture(scope="module")
def people() -> list[GeneratedPerson]:
    """A few hundred invented people."""
    return list(generate(COUNT, seed=4, region="eu"))


def test_the_same_seed_gives_the_same_people(people: list[GeneratedPerson]) -> None:
    """Ids and moments included; a shorter run is the beginning of a longer one."""
    assert list(generate(40, seed=4, region="eu")) == people[:40]


def test_another_seed_gives_other_people(people: list[GeneratedPerson]) -> None:
    """No id comes twice."""
    others = generate(40, seed=5, region="eu")
    assert not {p.user["_id"] for p in others} & {p.user["_id"] for p in people}


async def test_people_are_stored_as_their_documents_would_be(
    memory_database: Database, people: list[GeneratedPerson]
) -> None:
    """The generator writes plain maps for speed; they are what the document classes would write."""
    for person in people[:100]:
        rows = [(UserDocument, person.user), *((DeviceDocument, row) for row in person.devices)]
        rows += [(IpLogDocument, row) for row in person.addresses] + [(EventDocument, row) for row in person.events]
        for document, row in rows:
            assert to_bson(document.model_validate(row)) == row


def test_twenty_locales_take_part(people: list[GeneratedPerson]) -> None:
    """With their countries, currencies and scripts."""
    assert len(LOCALES) == 20
    assert {p.user["locale"] for p in people} == {locale.tag for locale in LOCALES}
    assert any(not p.user["full_name"].isascii() for p in people)


def test_names_and_addresses_are_unique_and_normal(people: list[GeneratedPerson]) -> None:
    """Sign-in finds them by the keys that it makes itself."""
    addresses = {normalise_email(p.user["email"])[1] for p in people}
    assert len({p.user["username_key"] for p in people}) == len(addresses) == COUNT
    for user in (p.user for p in people):
        assert new_username(user["username"]) == (user["username"], user["username_key"], user["username_skeleton"])
        assert normalise_email(user["email"])[0] == user["email"]


def test_no_value_can_belong_to_somebody(people: list[GeneratedPerson]) -> None:
    """Mail goes to example domains, addresses are from the blocks for documentation."""
    assert all(p.user["email"].rpartition("@")[2].split(".")[-2:][0] in ("example", "mail", "post") for p in people)
    ips = {row["ip"] for p in people for row in p.addresses}
    assert all(any(ip_address(ip) in network for network in RESERVED) for ip in ips)


def test_a_life_is_of_one_piece(people: list[GeneratedPerson]) -> None:
    """Nothing happens before joining or after the epoch, and copies agree with their sources."""
    for person in people:
        user = person.user
        moments = [row["at"] for row in [*person.events, *person.addresses]]
        moments += [row[name] for row in person.devices for name in ("first_seen_at", "last_seen_at")]
        assert all(user["created_at"] <= moment <= user["last_seen_at"] <= EPOCH for moment in moments)
        assert all(row["person"] == user["_id"] for row in [*person.events, *person.addresses, *person.devices])
        assert user["device_ids"] == [row["device_id"] for row in person.devices]
        assert user["last_seen_ip"] == person.addresses[0]["ip"]
        assert region_of(user["_id"], "usr") == "eu"
        assert user["age_band"] == band_of(date.fromisoformat(user["birth_date"]), EPOCH.date())


def test_choices_are_the_persons_own(people: list[GeneratedPerson]) -> None:
    """Some consent, none to AI training, no minor to anything."""
    given = Counter(c["purpose"] for p in people for c in p.user["consents"] if c["given"])
    assert set(given) == {"PERSONALISATION", "MARKETING"}
    minors = [p.user for p in people if age_on(date.fromisoformat(p.user["birth_date"]), EPOCH.date()) < 18]
    assert minors
    assert not any(user["consents"] or user["marketing_opt_in"] for user in minors)


def test_a_few_accounts_are_out_of_order(people: list[GeneratedPerson]) -> None:
    """So that every state is met when trying out."""
    states = Counter(p.user["status"] for p in people)
    assert states.keys() == {"ACTIVE", "SUSPENDED", "RESTRICTED"}
    assert states["ACTIVE"] > COUNT * 0.9


def test_the_demo_people_have_a_value_in_every_field() -> None:
    """Whatever somebody tries out first, there is something to see; second factors each has to enrol."""
    stored = {field.alias or name for name, field in UserDocument.model_fields.items() if not field.exclude}
    counted = {"factor_kinds", "factor_changes", "password_short", "password_changes", "reset_from"}
    everything = stored - counted - {f"{path}{INDEX_SUFFIX}" for path in UserDocument.LOOKED_UP}  # the database's own
    for person in demo_people(region="eu", password_hash="x", epoch=EPOCH):
        assert set(person.user) == everything
        assert all((person.devices, person.events, person.addresses))


def test_each_demo_role_is_held_by_one_person() -> None:
    """And the minor is one."""
    people = {p.user["username"]: p.user for p in demo_people(region="eu", password_hash="x", epoch=EPOCH)}
    roles = {name: [grant["role"] for grant in user["roles"]] for name, user in people.items()}
    staff = {role.value.lower(): [role.value] for role in Role}
    assert roles == {"subject": [], "minor": []} | staff
    assert 12 <= age_on(date.fromisoformat(people["minor"]["birth_date"]), EPOCH.date()) <= 14


async def test_seeding_again_adds_nobody(any_database: Database) -> None:
    """Nor a second device or event."""
    assert await seed_people(any_database, 30, seed=4, region="eu") == 30
    before = [await any_database.count(d, {}) for d in (UserDocument, DeviceDocument, IpLogDocument, EventDocument)]
    assert await seed_people(any_database, 30, seed=4, region="eu") == 0
    after = [await any_database.count(d, {}) for d in (UserDocument, DeviceDocument, IpLogDocument, EventDocument)]
    assert after == before


async def test_an_interrupted_seeding_is_completed(any_database: Database, people: list[GeneratedPerson]) -> None:
    """What was not written with its person the first time is written the second."""
    person = people[0]
    await any_database.insert_many(UserDocument, [person.user])
    assert await seed_people(any_database, 1, seed=4, region="eu") == 0
    assert await any_database.count(EventDocument, {}) == len(person.events)


async def test_somebody_elses_name_is_left_alone(any_database: Database, people: list[GeneratedPerson]) -> None:
    """Who meets another person's user name is left out, with everything of theirs."""
    person = people[0]
    other = {**person.user, "_id": "usr_eu_other"}
    await any_database.insert_many(UserDocument, [other])
    assert await seed_people(any_database, 1, seed=4, region="eu") == 0
    assert await any_database.count(EventDocument, {}) == 0


async def test_inventing_people_holds_up_nobody(memory_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes seconds, in which the keys are looked after."""
    loop, went_on = asyncio.get_running_loop(), threading.Event()

    def slow(*_arguments: object, **_named: object) -> Iterator[GeneratedPerson]:
        loop.call_soon_threadsafe(went_on.set)
        assert went_on.wait(30)
        yield from ()

    monkeypatch.setattr("models.seeding.generate", slow)
    assert await seed_people(memory_database, 1, seed=4, region="eu") == 0
    assert went_on.is_set()


async def test_the_demo_is_loaded_once(any_database: Database) -> None:
    """Who deletes a demo person does not get them back at the next start."""
    epoch = datetime(2026, 10, 1, tzinfo=UTC)

    async def load() -> bool:
        return await seed_demo(any_database, region="eu", password_hash="x", epoch=epoch, people=5)

    assert await load()
    assert await any_database.count(UserDocument, {}) == len(DEMO_USERNAMES) + 5
    await any_database.delete_one(UserDocument, {"username_key": "subject"})
    assert not await load()
    assert await any_database.count(UserDocument, {"username_key": "subject"}) == 0
