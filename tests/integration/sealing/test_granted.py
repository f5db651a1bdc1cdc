"""Nothing is loaded or opened but what a grant allows, and nothing of it is kept once the answer is made (P7, E1)."""

from __future__ import annotations

import asyncio
import gc
import types
from asyncio import Future
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final
from uuid import uuid4

import pytest

from auth.principal import Kind, Principal, Shape
from auth.rules import purposes_of_person
from models.crypto.envelope import Column, Page
from models.database import Database
from models.embedded import Embedded
from models.sealed import sealed_fields
from models.sealing import Sealer
from models.user import UserDocument
from models.vocabulary import Purpose, Role, UserStatus
from tests.integration.reading.world import Recorder, World, make_engine
from tests.integration.sealing.conftest import Newcomer
from tests.integration.sealing.holdings import document, settle
from tests.stores import keys_of, sealed_database

EVERYTHING: Final = (
    "id username email phone fullName givenName familyName birthDate lastSeenIp deviceIds address { street city } "
    "location { latitude recordedAt }"
)


@pytest.fixture(scope="module")
async def world(mongod: Embedded) -> AsyncIterator[World]:
    """An engine over a real MongoDB that tells what it was asked."""
    recorder = Recorder()
    async with sealed_database(mongod.admin_url, listeners=[recorder]) as database:
        engines = make_engine(database, by_rows=True), make_engine(database, by_rows=False)
        yield World(database, [], *engines, recorder)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The fields that were opened, one by one, wherever that is done."""
    paths: list[str] = []
    real = Page.open_at

    def open_at(self: Page, column: Column, sealed: list[bytes | None]) -> list[bytes]:
        opened = real(self, column, sealed)
        paths.extend([column.path] * len(opened))
        return opened

    monkeypatch.setattr(Page, "open_at", open_at)
    return paths


def staff(*roles: Role, identifier: str = "usr_eu_staff") -> Principal:
    """Somebody who is signed in."""
    held = frozenset(roles)
    return Principal(Shape(Kind.PERSON, held, region="eu"), id=identifier, purposes=purposes_of_person(held))


def loaded(world: World) -> set[str]:
    """The paths of people that were projected."""
    found: set[str] = set()
    for command in world.recorder.reads():
        if command.get("find") == "users":
            found |= set(command["projection"])
    return found


ONE: Final = f"query($id: ID!) @purpose(is: SUPPORT, onDenied: NULL) {{ user(by: {{id: $id}}) {{ {EVERYTHING} }} }}"
LIST: Final = f"query @purpose(is: SUPPORT, onDenied: NULL) {{ users(first: 50) {{ nodes {{ {EVERYTHING} }} }} }}"
SHOWN: Final = {"email", "phone", "full_name", "given_name", "family_name", "address"}


@pytest.mark.parametrize("way", ["ask", "slowly"])
async def test_only_granted_fields_are_loaded_and_opened(
    world: World, new: Newcomer, opened: list[str], way: str
) -> None:
    """By renderers and by resolvers: support gets names, and contact masked; all else stays shut, unread."""
    ann = await settle(world.database, new())
    world.recorder.clear()
    answer = await getattr(world, way)(staff(Role.SUPPORT), ONE, None, id=ann)
    user = answer.body["data"]["user"]
    assert user["fullName"] == "Zoë Åkesson"
    assert [user[name] for name in ("birthDate", "lastSeenIp", "deviceIds", "location")] == [None] * 4
    assert set(opened) == SHOWN
    assert loaded(world) & set(sealed_fields(UserDocument)) == SHOWN


async def test_a_masked_value_shows_its_mask_only(world: World, new: Newcomer) -> None:
    """It was opened for that, and nothing of it is in the answer besides."""
    ann = await settle(world.database, new())
    answer = await world.ask(staff(Role.SUPPORT), ONE, None, id=ann)
    user = answer.body["data"]["user"]
    assert (user["email"], user["phone"]) == ("u•••@•••.example", "•••38")
    assert not any(part in repr(answer.body) for part in ("people.example", "46701740638", "Storgatan", "Umeå"))


async def test_what_is_denied_as_a_whole_opens_nothing(world: World, new: Newcomer, opened: list[str]) -> None:
    """An analyst may read none of it: the operation is refused before the database is asked."""
    ann = await settle(world.database, new())
    world.recorder.clear()
    text = "query($id: ID!) { user(by: {id: $id}) { fullName email } }"
    answer = await world.ask(staff(Role.ANALYST), text, Purpose.ANALYTICS, id=ann)
    assert answer.status == 403
    text = "query($id: ID!) @purpose(is: ANALYTICS, onDenied: NULL) { user(by: {id: $id}) { country fullName email } }"
    answer = await world.ask(staff(Role.ANALYST), text, None, id=ann)
    assert answer.body["data"]["user"]["fullName"] is None
    assert loaded(world) & set(sealed_fields(UserDocument)) == set()
    assert opened == []


async def test_rows_that_are_withheld_are_not_opened(world: World, new: Newcomer, opened: list[str]) -> None:
    """A restricted person, among others: by identifier and in a list their values stay as they are stored."""
    ann, bob = await settle(world.database, new(), status=UserStatus.RESTRICTED), await settle(world.database, new())
    for way in (world.ask, world.slowly):
        opened.clear()
        await way(staff(Role.SUPPORT), ONE, None, id=ann)
        assert opened == []
        answer = await way(staff(Role.SUPPORT), LIST, None)
        shown = [node for node in answer.body["data"]["users"]["nodes"] if node["fullName"] is not None]
        assert bob in {node["id"] for node in shown}
        assert Counter(opened)["full_name"] == len(shown)


async def test_nobody_waits_for_keys_of_what_is_not_shown(
    world: World, new: Newcomer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys are fetched while a row is read; when there is no row, or it is withheld, the answer does not wait."""
    ann = await settle(world.database, new(), status=UserStatus.RESTRICTED)
    asked: list[str] = []

    async def hangs(self: Sealer, people: list[str]) -> None:
        asked.extend(people)
        await asyncio.sleep(30)

    keys_of(world.database)._cache.clear()
    monkeypatch.setattr(Sealer, "fetch_keys", hangs)
    for someone in (ann, "usr_eu_nobody"):
        async with asyncio.timeout(2):
            answer = await world.ask(staff(Role.SUPPORT), ONE, None, id=someone)
        assert "UNAVAILABLE" not in repr(answer.body)
    assert asked == [ann, "usr_eu_nobody"]
    for task in list(world.engine._services.reader._fetching):
        task.cancel()


async def test_what_hangs_on_people_is_opened_by_grant_too(world: World, new: Newcomer, opened: list[str]) -> None:
    """Devices: of those fields that are asked for, for whom they may show."""
    ann = await settle(world.database, new())
    await world.ask(staff(identifier=ann), "{ me { devices(first: 5) { name } } }", Purpose.ACCOUNT)
    assert opened == ["name"]
    opened.clear()
    text = ONE.replace(EVERYTHING, "id devices(first: 5) { name }")
    await world.ask(staff(Role.SUPPORT), text, None, id=ann)
    assert opened == []


async def test_one_value_is_opened_once(world: World, new: Newcomer, opened: list[str]) -> None:
    """However often it is selected, under whatever name."""
    ann = await settle(world.database, new())
    await world.ask(
        staff(identifier=ann), "{ me { email again: email ...f } } fragment f on User { email }", Purpose.ACCOUNT
    )
    assert opened == ["email"]


_SKIPPED: Final = (types.ModuleType, types.FrameType, types.CoroutineType, types.GeneratorType, Future, type)


def reachable(*roots: object) -> Iterator[object]:
    """Everything that hangs on some objects, but for what is running: modules, frames, tasks, classes."""
    seen: set[int] = set()
    waiting = list(roots)
    while waiting:
        each = waiting.pop()
        if id(each) in seen or isinstance(each, _SKIPPED):
            continue
        seen.add(id(each))
        yield each
        if isinstance(each, types.FunctionType):
            waiting += [cell.cell_contents for cell in each.__closure__ or () if cell != types.CellType()]
            waiting += [each.__defaults__, each.__kwdefaults__]
        else:
            waiting += gc.get_referents(each)


def holding(marker: str, *roots: object) -> list[str]:
    """The types of what holds a marker in the clear."""
    return [
        type(each).__name__
        for each in reachable(*roots)
        if (isinstance(each, str) and marker in each) or (isinstance(each, bytes) and marker.encode() in each)
    ]


async def test_nothing_opened_is_kept_after_the_answer(world: World, new: Newcomer) -> None:
    """Neither by the cache of keys, the reader and its common look-ups, the engine, nor by the database."""
    marker = f"mk{uuid4().hex}"
    ann = new()
    await world.database.insert(document(UserDocument, ann, full_name=marker, email=f"{marker}@people.example"))
    for _ in range(3):
        for text in ("{ me { fullName email } }", "{ me { fullName email devices(first: 3) { name } } }"):
            answer = await world.ask(staff(identifier=ann), text, Purpose.ACCOUNT)
            assert marker in repr(answer.body)
        assert marker in repr((await world.ask(staff(Role.SUPPORT), LIST)).body)
    del answer
    gc.collect()
    roots = (world.engine, world.database, keys_of(world.database), world.database.sealing)
    assert holding(marker, *roots) == []


async def test_what_is_kept_would_be_found(world: World) -> None:
    """In a cache, a closure or a list that hangs on any of it: the search gets there."""
    marker = f"mk{uuid4().hex}"
    places: list[Any] = [world.engine, keys_of(world.database), world.database.sealing, world.database]
    for place in places:
        kept = {"rows": [{"full_name": marker.upper().lower()}]}
        if hasattr(place, "__dict__"):
            place.__dict__["kept"] = lambda kept=kept: kept
            assert holding(marker, *places) == ["str"]
            del place.__dict__["kept"]
    database: Database = world.database
    assert "DataKeys" in {type(each).__name__ for each in reachable(database)}
