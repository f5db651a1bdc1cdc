"""One worker's view of the key store: what it keeps and for how long, what it notices, and what without (E2, E5)."""

from __future__ import annotations

import asyncio
import logging
import pickle
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final

import pytest

from graph.commands import key_store
from graph.settings import load_settings
from models.crypto.roots import RootKeysUnavailable
from models.crypto.wrapping import KeyKind, KeyName, WrappingKey
from models.database import Database
from models.errors import ConfigurationError, DatabaseUnavailable
from models.keystore import KeysUnavailable, cache, first, region
from models.keystore.documents import DataKeyDocument, KeyDocument, StateDocument, TombstoneDocument
from models.keystore.journal import Journal
from models.keystore.keys import Keys
from models.keystore.ring import key_id, new_secret
from tests.bindings import Binding, seal
from tests.unit.models.keystore.conftest import Worker
from tests.unit.models.keystore.watched import Clock, Provider, Watched

ANN: Final = "usr_eu_ann"
HERE: Final = Binding("eu", "users", ANN, ANN, "email")


async def newer_version(store: Watched, keys: Keys, person: str) -> None:
    """Give a person a second version of their key, as a rotation does."""
    _key, wrapped = (await keys.ring()).wraps(person, 2)
    await store.real.update_one(DataKeyDocument, {"_id": person}, {"$push": {"keys": {"v": 2, "wrapped": wrapped}}})


def ready(keys: Keys) -> bool:
    """What `/health/ready` asks."""
    return keys.answers


async def change_epoch(store: Watched) -> None:
    """Say that keys have changed."""
    await store.real.update_one(StateDocument, {"_id": "eu"}, {"$inc": {"epoch": 1}})


async def test_a_key_is_made_once(worker: Worker) -> None:
    """For who has none: the first is kept whoever asks again, and opens what it sealed for every worker."""
    one, other = worker(), worker()
    assert await one.make([ANN]) == {ANN}
    sealed = seal((await one.of([ANN]))[ANN].newest, HERE, b"value")
    assert await other.make([ANN, "usr_eu_bob"]) == {"usr_eu_bob"}
    assert (await other.of([ANN]))[ANN].open_at(HERE.row, HERE.column, sealed) == b"value"


async def test_what_is_stored_is_wrapped(worker: Worker, store: Watched) -> None:
    """65 bytes, another 65 for each person."""
    await worker().make([ANN, "usr_eu_bob"])
    rows = await store.real.find(DataKeyDocument, {})
    wrapped = [each["wrapped"] for row in rows for each in row["keys"]]
    assert [len(each) for each in wrapped] == [65, 65]
    assert wrapped[0] != wrapped[1]


async def test_a_page_of_people_is_one_query(worker: Worker, store: Watched) -> None:
    """Their keys together, and none again while they are at hand."""
    people = [f"usr_eu_{number}" for number in range(100)]
    await worker().make(people)
    reader = worker()
    found = await reader.of(people)
    assert sorted(found) == sorted(people)
    assert store.count_of(DataKeyDocument) == 1
    assert await reader.of(people[:50]) == {person: found[person] for person in people[:50]}
    assert store.count_of(DataKeyDocument) == 1


async def test_only_what_is_missing_is_fetched(worker: Worker, store: Watched) -> None:
    """Of a page of which some are at hand."""
    people = [f"usr_eu_{number}" for number in range(10)]
    await worker().make(people)
    reader = worker()
    await reader.of(people[:6])
    await reader.of(people)
    filters = [filter for document, filter in store.asked if document is DataKeyDocument]  # noqa: A001 - MongoDB's own word
    assert filters[-1] == {"_id": {"$in": people[6:]}}


async def test_who_has_none_is_left_out(worker: Worker) -> None:
    """As after their key was destroyed."""
    keys = worker()
    await keys.make([ANN])
    assert list(await keys.of([ANN, "usr_eu_nobody"])) == [ANN]
    assert keys.known([ANN, "usr_eu_nobody"]) is None


async def test_a_key_is_kept_for_a_minute(worker: Worker, store: Watched, clock: Clock) -> None:
    """At most, however often it is used."""
    await worker().make([ANN])
    reader = worker()
    await reader.of([ANN])
    for _ in range(5):
        clock.pass_by(11)
        await reader.refresh()
        assert reader.known([ANN]) is not None
    assert store.count_of(DataKeyDocument) == 1
    clock.pass_by(0.5)
    await reader.refresh()
    assert reader.known([ANN]) is None
    await reader.of([ANN])
    assert store.count_of(DataKeyDocument) == 2


async def test_keys_in_use_are_fetched_anew_before_their_time(worker: Worker, store: Watched, clock: Clock) -> None:
    """So whoever is asked for again and again costs no query; who is not is forgotten."""
    people = [ANN, "usr_eu_bob", "usr_eu_eve"]
    await worker().make(people)
    reader = worker()
    await reader.of(people)
    for _ in range(5):
        clock.pass_by(cache.RENEWED + 1)
        await reader.refresh()
        assert reader.known([ANN]) is not None
        await reader._chores()
    filters = [filter for document, filter in store.asked if document is DataKeyDocument]  # noqa: A001 - MongoDB's own word
    assert filters == [{"_id": {"$in": people}}, *[{"_id": ANN}] * 5]
    assert reader.known(["usr_eu_bob"]) is None


async def test_a_key_that_is_gone_is_not_renewed(worker: Worker, store: Watched, clock: Clock) -> None:
    """It ends with its minute, also where no tombstone tells of it."""
    await worker().make([ANN])
    reader = worker()
    await reader.of([ANN])
    await store.real.delete_one(DataKeyDocument, {"_id": ANN})
    clock.pass_by(cache.RENEWED + 1)
    for _ in range(2):
        await reader.refresh()
        assert reader.known([ANN]) is not None
        await reader._chores()
        clock.pass_by(cache.KEPT - cache.RENEWED - 1)
    clock.pass_by(1)
    await reader.refresh()
    assert reader.known([ANN]) is None


async def test_so_many_are_renewed_at_once(worker: Worker, store: Watched, clock: Clock) -> None:
    """Others are answered in between."""
    people = [f"usr_eu_{number}" for number in range(cache.AT_ONCE + 10)]
    await worker().make(people)
    reader = worker()
    await reader.of(people)
    assert reader.known(people) is not None
    clock.pass_by(cache.RENEWED + 1)
    await reader.refresh()
    for left in (10, 0):
        await reader._chores()
        assert len(reader._cache.due()) == left


async def test_an_answer_that_took_long_is_not_kept(
    worker: Worker, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who was destroyed meanwhile would not be noticed, and a minute would not be the most."""
    await worker().make([ANN])
    for delay, kept in ((cache.PROMPT - 0.1, True), (cache.PROMPT, False)):
        reader = worker()
        real = reader._rows

        async def rows(*asked: Any, delay: float = delay, real: Any = real) -> Any:  # noqa: ANN401 - as it is
            clock.pass_by(delay)
            return await real(*asked)

        monkeypatch.setattr(reader, "_rows", rows)
        assert list(await reader.of([ANN])) == [ANN]
        await reader.refresh()
        assert (reader.known([ANN]) is not None) is kept


async def test_keys_are_kept_for_so_many(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest go first."""
    monkeypatch.setattr(cache, "MOST", 3)
    keys = worker()
    people = [f"usr_eu_{number}" for number in range(5)]
    await keys.make(people)
    assert len(keys._cache) == 3
    assert [person for person in people if keys.known([person]) is not None] == people[2:]
    assert len(await keys.of(people)) == 5


async def test_a_destroyed_key_is_forgotten_by_all(worker: Worker, clock: Clock) -> None:
    """Here at once, by another worker as soon as it looks, which it does within a second."""
    one, other = worker(), worker()
    await one.make([ANN])
    assert ANN in await other.of([ANN])
    await one.destroy(ANN)
    assert one.known([ANN]) is None
    clock.pass_by(0.4)
    await other.refresh()
    assert other.known([ANN]) is None
    assert await other.of([ANN]) == {}


async def test_nobody_lags_by_more_than_a_second(worker: Worker, clock: Clock) -> None:
    """Also without looking in the background: whoever needs a key looks first, once the last look is older."""
    one, other = worker(), worker()
    await one.make([ANN])
    await other.of([ANN])
    await one.destroy(ANN)
    clock.pass_by(1.01)
    assert other.known([ANN]) is None
    assert await other.of([ANN]) == {}


async def test_a_tombstone_of_another_clock_is_seen(worker: Worker, store: Watched, clock: Clock) -> None:
    """One that lags by some seconds, or took as long to be written."""
    reader = worker()
    await reader.make([ANN])
    clock.pass_by(0.5)
    await reader.refresh()
    late = Clock(clock.seconds, clock.at)
    late.pass_by(-8)
    await store.real.insert(TombstoneDocument(id=ANN, at=late.at))
    await store.real.delete_one(DataKeyDocument, {"_id": ANN})
    await reader.refresh()
    assert reader.known([ANN]) is None


async def test_a_key_that_is_read_while_it_is_destroyed_goes_as_well(worker: Worker, store: Watched) -> None:
    """The answer with it was under way: it is kept for no longer than until the next look."""
    one = worker()
    await one.make([ANN])
    reader = worker()
    await reader.refresh()
    asked = store.hold(DataKeyDocument)
    reading = asyncio.create_task(reader.of([ANN]))
    await asked.wait()
    await one.destroy(ANN)
    await reader.refresh()
    store.release(DataKeyDocument)
    await reading
    await reader.refresh()
    assert await reader.of([ANN]) == {}


async def test_changed_keys_are_loaded_anew(worker: Worker, store: Watched) -> None:
    """Once the epoch says so: nothing that was kept before counts."""
    keys = worker()
    await keys.make([ANN])
    await newer_version(store, keys, ANN)
    await keys.refresh()
    assert (await keys.of([ANN]))[ANN].newest.version == 1
    await change_epoch(store)
    await keys.refresh()
    assert keys.known([ANN]) is None
    assert (await keys.of([ANN]))[ANN].newest.version == 2


async def wrapped_by_a_new_key(store: Watched, roots: Provider, person: str) -> None:
    """Make the second key-encryption key of the region, and a person whose key it wraps, as another worker does."""
    name, secret = KeyName(KeyKind.ENCRYPTION, "eu", 2), new_secret()
    wrapped = await roots.wrap(name, secret)
    identifier = key_id(KeyKind.ENCRYPTION, "eu", 2)
    made = {"id": identifier, "kind": name.kind, "region": "eu", "version": 2, "wrapped": wrapped.blob}
    await store.real.insert(KeyDocument.model_validate({**made, "root": wrapped.root}))
    _key, blob = WrappingKey(secret, 2).new_data_key(KeyName(KeyKind.DATA, "eu", 1, person))
    rows = [{"_id": person, "keys": [{"v": 1, "wrapped": blob}], "kek": 2}]
    await store.real.insert_many(DataKeyDocument, rows)


async def test_a_new_key_of_the_region_is_noticed(
    worker: Worker, store: Watched, roots: Provider, clock: Clock
) -> None:
    """When it has wrapped the key of somebody who is asked for: before the next look, that is."""
    keys = worker()
    await keys.refresh()
    clock.pass_by(0.9)
    await keys.refresh()
    clock.pass_by(0.9)
    await wrapped_by_a_new_key(store, roots, ANN)
    assert (await keys.ring()).newest.version == 1
    assert ANN in await keys.of([ANN])
    assert (await keys.ring()).newest.version == 2


async def test_two_changes_within_a_second_are_noticed(worker: Worker, store: Watched, roots: Provider) -> None:
    """Keys were loaded a moment ago for the first: nobody is taken for one without a key until the next look."""
    keys = worker()
    await keys.refresh()
    await change_epoch(store)
    await keys.refresh()
    await wrapped_by_a_new_key(store, roots, ANN)
    await change_epoch(store)
    assert (await keys.ring()).newest.version == 1
    assert ANN in await keys.of([ANN])


async def test_an_unknown_key_does_not_load_all_keys_each_time(
    worker: Worker, store: Watched, roots: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody wrote a version that there is not: they are as one without a key, the log says so, others are read."""
    keys = worker()
    await keys.make([ANN, "usr_eu_bob"])
    row = await store.real.find_one(DataKeyDocument, {"_id": ANN})
    assert row is not None
    blob = row["keys"][0]["wrapped"]
    changed = {"keys": [{"v": 1, "wrapped": blob[:4] + b"\x09" + blob[5:]}]}
    await store.real.update_one(DataKeyDocument, {"_id": ANN}, {"$set": changed})
    reader = worker()
    roots.calls.clear()
    with caplog.at_level(logging.ERROR):
        for _ in range(5):
            assert list(await reader.of([ANN, "usr_eu_bob"])) == ["usr_eu_bob"]
    assert roots.calls.count("unwrap") == 1
    assert "data_key_broken" in caplog.text


async def test_what_was_read_before_keys_changed_is_not_kept(worker: Worker, store: Watched) -> None:
    """The answer comes after the change was noticed: it is good for this once, and lacks the newest version."""
    keys = worker()
    await worker().make([ANN])
    await keys.refresh()
    asked = store.hold(DataKeyDocument)
    reading = asyncio.create_task(keys.of([ANN]))
    await asked.wait()
    await newer_version(store, keys, ANN)
    await change_epoch(store)
    await keys.refresh()
    store.release(DataKeyDocument)
    assert (await reading)[ANN].newest.version == 1
    assert keys.known([ANN]) is None
    assert (await keys.of([ANN]))[ANN].newest.version == 2


async def test_what_was_kept_can_be_passed_over(worker: Worker, store: Watched) -> None:
    """For a value of a version that is newer than what is kept."""
    keys = worker()
    await keys.make([ANN])
    await newer_version(store, keys, ANN)
    assert (await keys.of([ANN]))[ANN].newest.version == 1
    assert (await keys.of([ANN], anew=True))[ANN].newest.version == 2


async def test_without_the_key_store_what_is_at_hand_is_good_for_a_second(
    worker: Worker, store: Watched, clock: Clock
) -> None:
    """Then nothing is answered: somebody's key may be gone since. When it is back, so is everything."""
    keys = worker()
    await keys.make([ANN])
    store.away = True
    clock.pass_by(0.9)
    assert ANN in await keys.of([ANN])
    clock.pass_by(0.2)
    assert keys.known([ANN]) is None
    works: list[Callable[[], Any]] = [keys.ring, lambda: keys.of([ANN]), lambda: keys.make(["usr_eu_new"])]
    for work in works:
        with pytest.raises(DatabaseUnavailable) as caught:
            await work()
        assert caught.value.code == "UNAVAILABLE"
        assert caught.value.__cause__ is None
    store.away = False
    assert ANN in await keys.of([ANN])


async def test_a_store_that_goes_in_between_is_unavailable_too(worker: Worker, store: Watched) -> None:
    """It answered a moment ago, and not for the key itself."""
    keys = worker()
    await keys.refresh()
    store.away = True
    with pytest.raises(DatabaseUnavailable) as caught:
        await keys.of([ANN])
    assert caught.value.code == "UNAVAILABLE"
    with pytest.raises(DatabaseUnavailable) as caught:
        await keys.make([ANN])
    assert caught.value.code == "UNAVAILABLE"


async def test_readiness_follows_the_key_store(worker: Worker, store: Watched, clock: Clock) -> None:
    """Three seconds after the last good look it is not ready."""
    keys = worker()
    assert not ready(keys)
    await keys.refresh()
    assert ready(keys)
    store.away = True
    clock.pass_by(2.9)
    assert ready(keys)
    clock.pass_by(0.2)
    assert not ready(keys)
    store.away = False
    await keys.refresh()
    assert ready(keys)


async def test_a_region_without_keys_is_told_how_to_get_them(empty: Watched, roots: Provider) -> None:
    """At the start."""
    with pytest.raises(ConfigurationError, match="fieldward database migrate"):
        await Keys(empty.as_database(), roots, "eu").start()


async def test_a_region_that_lost_its_keys_is_said(store: Watched, worker: Worker) -> None:
    """The state is there, the keys are not: somebody removed them."""
    await store.real.delete_many(KeyDocument, {})
    with pytest.raises(ConfigurationError, match="has lost the keys of the region eu"):
        await worker().start()


async def test_a_provider_that_is_away_at_the_start_is_named(
    empty: Watched, store: Watched, roots: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a configuration error of one line, with nothing behind it; the database is not sealed by anybody."""
    roots.away = True
    monkeypatch.setattr(key_store, "roots_of", lambda _settings: roots)
    main = await Database.connect(None, name="away")
    settings = load_settings({"FIELDWARD_DATA_DIR": str(tmp_path / "data")})
    with pytest.raises(ConfigurationError, match=r"^The provider of root keys does not answer\.$") as caught:
        async with key_store.sealed(main, store.as_database(), settings):
            pytest.fail("it opened")
    assert caught.value.__context__ is None
    assert main.sealing is None
    await main.close()


@pytest.fixture
async def polling(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Keys]:
    """A worker that looks all the time."""
    monkeypatch.setattr(region, "INTERVAL", 0.001)
    keys = worker()
    await keys.start()
    yield keys
    await keys.stop()


async def rounds(roots: Provider, clock: Clock, number: int) -> None:
    """Let it look whether the provider answers so many times."""
    for _ in range(number):
        roots.called.clear()
        clock.pass_by(16)
        await roots.called.wait()
        await asyncio.sleep(0.01)  # and some looks in between, at which it is not asked


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The lines on keys that could not be fetched."""
    return [record.getMessage() for record in caplog.records if "keys_not_fetched" in record.getMessage()]


async def test_a_provider_that_goes_later_is_noticed(
    polling: Keys, roots: Provider, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """It is not ready, and the log says so once; what is unwrapped goes on for a while. Back again, it is ready."""
    await polling.make([ANN])
    await rounds(roots, clock, 1)
    assert ready(polling)
    roots.away = True
    with caplog.at_level(logging.WARNING):
        await rounds(roots, clock, 4)
    assert not ready(polling)
    assert len(warnings_in(caplog)) == 1
    assert "KEYS_UNAVAILABLE" in warnings_in(caplog)[0]
    assert ANN in await polling.of([ANN])
    roots.away = False
    await rounds(roots, clock, 1)
    assert ready(polling)
    roots.away = True
    with caplog.at_level(logging.WARNING):
        await rounds(roots, clock, 2)
    assert len(warnings_in(caplog)) == 2


async def test_the_root_keys_work_is_asked_for_now_and_then(polling: Keys, roots: Provider, clock: Clock) -> None:
    """A root key that was withdrawn is noticed: keys are unwrapped anew every five minutes."""
    roots.calls.clear()
    await rounds(roots, clock, 21)
    assert roots.calls.count("unwrap") == 1
    assert roots.calls.count("versions") == 20


async def test_without_the_provider_nothing_opens_in_the_end(polling: Keys, roots: Provider, clock: Clock) -> None:
    """A quarter of an hour after it last confirmed the keys, whoever's key was fetched a moment ago included."""
    await polling.make([ANN])
    roots.away = True
    end = clock.seconds + region.LAPSED
    while clock.seconds < end - 20:
        await rounds(roots, clock, 1)
    assert ANN in await polling.of([ANN])
    clock.pass_by(end + 0.5 - clock.seconds)
    await polling.refresh()
    assert polling.known([ANN]) is None
    with pytest.raises(KeysUnavailable):
        await polling.of([ANN])
    with pytest.raises(KeysUnavailable):
        await polling.ring()
    roots.away = False
    await rounds(roots, clock, 1)
    assert ANN in await polling.of([ANN])


async def test_a_new_key_is_discarded(worker: Worker, store: Watched) -> None:
    """That of somebody who was not stored after all; nobody else's."""
    keys = worker()
    await keys.make([ANN, "usr_eu_bob"])
    await keys.discard([ANN])
    await keys.discard([])
    assert [row["_id"] for row in await store.real.find(DataKeyDocument, {})] == ["usr_eu_bob"]
    assert keys.known([ANN]) is None


async def test_what_cannot_be_destroyed_now_is_later(
    store: Watched, roots: Provider, clock: Clock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Noted in the journal at once; again and again while the key store is away; and it is said."""
    journal = Journal(tmp_path / "destroyed.jsonl")
    keys = Keys(
        store.as_database(), roots, "eu", journal=journal, clock=lambda: clock.at, seconds=lambda: clock.seconds
    )
    await keys.make([ANN])
    store.away = True
    with caplog.at_level(logging.WARNING):
        await keys.destroy_soon(ANN)
    assert [tomb.person for tomb in journal.read()] == [ANN]
    assert "key_not_destroyed_yet" in caplog.text
    assert ANN not in caplog.text
    assert await store.real.count(DataKeyDocument, {"_id": ANN}) == 1
    store.away = False
    await keys._destroy_left()
    assert await store.real.count(DataKeyDocument, {"_id": ANN}) == 0
    assert await keys.is_destroyed([ANN, "usr_eu_bob"]) == {ANN}
    assert not keys._leaving


@pytest.mark.parametrize("left", [0, 1, 2])
async def test_a_destruction_that_broke_off_is_noticed(
    store: Watched, roots: Provider, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: int
) -> None:
    """The process was killed between two steps: as long as the key is there, the journal has more than the store."""
    journal = Journal(tmp_path / "destroyed.jsonl")
    keys = Keys(store.real, roots, "eu", journal=journal, clock=lambda: clock.at, seconds=lambda: clock.seconds)
    await keys.make([ANN])
    steps = iter([True] * left)
    for name in ("insert", "delete_one"):
        monkeypatch.setattr(Database, name, breaking(getattr(Database, name), steps))
    with pytest.raises(DatabaseUnavailable) if left < 2 else nullcontext():
        await keys.destroy(ANN)
    there = await store.real.count(DataKeyDocument, {"_id": ANN})
    noted = await store.real.count(TombstoneDocument, {"_id": ANN})
    assert (there, noted) == [(1, 0), (0, 0), (0, 1)][left]
    assert len(journal.read()) == 1


def breaking(real: Callable[..., Any], steps: Iterator[bool]) -> Callable[..., Any]:
    """`real`, as long as there are steps."""

    async def step(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - as the real one
        if not next(steps, False):
            raise DatabaseUnavailable
        return await real(*arguments, **options)

    return step


async def test_destroying_twice_is_destroying_once(worker: Worker, store: Watched) -> None:
    """Safe to call again, for somebody who never had a key as well."""
    keys = worker()
    await keys.make([ANN])
    for person in (ANN, ANN, "usr_eu_nobody"):
        await keys.destroy(person)
    assert await keys.is_destroyed([ANN, "usr_eu_nobody"]) == {ANN, "usr_eu_nobody"}


async def test_a_changed_key_does_not_pass(worker: Worker, store: Watched, caplog: pytest.LogCaptureFixture) -> None:
    """Somebody put one person's key into another's row: that one has none, and nobody else is the worse for it."""
    keys = worker()
    await keys.make([ANN, "usr_eu_bob"])
    row = await store.real.find_one(DataKeyDocument, {"_id": ANN})
    assert row is not None
    await store.real.update_one(DataKeyDocument, {"_id": "usr_eu_bob"}, {"$set": {"keys": row["keys"]}})
    with caplog.at_level(logging.ERROR):
        assert list(await worker().of([ANN, "usr_eu_bob"])) == [ANN]
    assert "data_key_broken" in caplog.text
    assert "usr_eu_bob" not in caplog.text


async def test_after_its_end_nothing_is_left(polling: Keys) -> None:
    """No key, no work in the background."""
    await polling.make([ANN])
    await polling.stop()
    assert len(polling._cache) == 0
    assert polling._known._ring is None
    assert "keys" not in {task.get_name() for task in asyncio.all_tasks()}


async def test_nothing_of_it_shows_a_key(worker: Worker, store: Watched, roots: Provider) -> None:
    """Neither printed, nor in a traceback with all its variables; and nothing of it is sent elsewhere."""
    keys = worker()
    await keys.make([ANN])
    row = await store.real.find_one(DataKeyDocument, {"_id": ANN})
    assert row is not None
    ring = await keys.ring()
    data = await keys.of([ANN])
    for each in (keys, keys._cache, ring, data[ANN], keys._known):
        assert "0x" in repr(each) or repr(each).endswith("()")
        assert not any(word in repr(each) for word in ("wrapped", "secret", "AESGCM"))
    for holder in (keys._cache, ring, data[ANN]):
        with pytest.raises(TypeError, match="not copied or pickled"):
            pickle.dumps(holder)
    roots.away = True
    await change_epoch(store)
    with pytest.raises(RootKeysUnavailable) as caught:
        await keys.refresh()
    frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    shown = "".join(frames.format())
    assert "keys = <" in shown
    assert row["keys"][0]["wrapped"].hex() not in shown
    assert all(each._secret.hex() not in shown and repr(each._secret) not in shown for each in roots.ring.keys)


async def test_no_traceback_shows_a_first_key(empty: Watched, roots: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store goes away when they are about to be stored: what is in variables then is no key."""
    made: list[bytes] = []

    def remembered() -> bytes:
        made.append(new_secret())
        return made[-1]

    monkeypatch.setattr(first, "new_secret", remembered)
    monkeypatch.setattr(Database, "insert", away)
    with pytest.raises(DatabaseUnavailable) as caught:
        await first.make_first_keys(empty.real, roots, "eu", sealed=True)
    traced = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    traced.stack[:] = [frame for frame in traced.stack if frame.filename != __file__]
    assert len(made) == 1
    assert "wrapped" in "".join(traced.format())
    assert repr(made[0]) not in "".join(traced.format())


async def away(_database: Database, _document: object) -> None:
    """A key store that does not answer."""
    raise DatabaseUnavailable
