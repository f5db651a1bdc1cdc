"""A sealed value opens where it was stored and nowhere else; what was changed does not open at all (E1)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from itertools import combinations
from typing import Any, Final

import orjson
import pytest

from models.activity import DeviceDocument, IpLogDocument
from models.crypto.envelope import OVERHEAD, SealBroken
from models.database import Database, Raw
from models.factor import FactorDocument
from models.keystore.documents import DataKeyDocument
from models.session import SessionDocument
from models.ticket import TicketDocument
from models.user import UserDocument
from tests.integration.sealing.conftest import Newcomer
from tests.integration.sealing.holdings import SEALED, Kind, document, exchanged, holds, raw, settle, stored
from tests.stores import clear, keys_of

# Fields of one name in two collections.
ALIKE: Final = [
    (UserDocument, TicketDocument, "email"),
    (DeviceDocument, FactorDocument, "name"),
    (IpLogDocument, SessionDocument, "ip"),
]


async def opens(database: Database, kind: Kind, person: str, path: str) -> bool:
    """Whether the value that is stored there opens; where it does not, nothing of the row has become clear."""
    row: Raw = {**await stored(database, kind, person)}
    before = dict(row)
    assert database.sealing is not None
    try:
        assert await database.sealing.open(kind, [row], [path]) == []
    except SealBroken:
        assert row == before
        return False
    return True


@pytest.mark.parametrize("kind", [kind for kind in SEALED if len(SEALED[kind]) > 1], ids=lambda kind: kind.__name__)
async def test_two_fields_of_a_document_do_not_trade_places(sealed: Database, new: Newcomer, kind: Kind) -> None:
    """Any two of them: somebody with a client of their own swaps what is stored."""
    ann = await settle(sealed, new())
    row = await stored(sealed, kind, ann)
    for one, other in combinations(SEALED[kind], 2):
        await exchanged(sealed, kind, ann, {one: row[other], other: row[one]})
        assert not await opens(sealed, kind, ann, one)
        assert not await opens(sealed, kind, ann, other)
        await exchanged(sealed, kind, ann, {one: row[one], other: row[other]})
        assert await opens(sealed, kind, ann, one)


@pytest.mark.parametrize("kind", list(SEALED), ids=lambda kind: kind.__name__)
async def test_two_people_do_not_trade_values(sealed: Database, new: Newcomer, kind: Kind) -> None:
    """The same field, in a document of another person."""
    ann, bob = await settle(sealed, new()), await settle(sealed, new())
    mine, theirs = await stored(sealed, kind, ann), await stored(sealed, kind, bob)
    for path in SEALED[kind]:
        await exchanged(sealed, kind, ann, {path: theirs[path]})
        assert not await opens(sealed, kind, ann, path)
        await exchanged(sealed, kind, ann, {path: mine[path]})
        assert await opens(sealed, kind, ann, path)


async def test_two_documents_of_a_person_do_not_trade_values(sealed: Database, new: Newcomer) -> None:
    """One device's name is not another's, though both have one key."""
    ann = await settle(sealed, new())
    first = await stored(sealed, DeviceDocument, ann)
    second = document(DeviceDocument, ann, id=f"second_{ann}", name="another")
    await sealed.insert(second)
    other = await raw(sealed, DeviceDocument).find_one({"_id": second.id})
    for path in SEALED[DeviceDocument]:
        changed = {**first, path: other[path]}
        with pytest.raises(SealBroken):
            await clear(sealed, DeviceDocument, changed)


@pytest.mark.parametrize(("kind", "other", "path"), ALIKE)
async def test_two_collections_do_not_trade_values(
    sealed: Database, new: Newcomer, kind: Kind, other: Kind, path: str
) -> None:
    """The proposed address of a ticket does not become the account's, though document, person and field are named
    alike."""
    ann = await settle(sealed, new())
    mine = await stored(sealed, kind, ann)
    await raw(sealed, other).delete_many({"person": ann})
    await sealed.insert(document(other, ann, id=mine["_id"]))
    theirs = await stored(sealed, other, ann)
    assert theirs["_id"] == mine["_id"]
    await exchanged(sealed, kind, ann, {path: theirs[path]})
    await exchanged(sealed, other, ann, {path: mine[path]})
    assert not await opens(sealed, kind, ann, path)
    assert not await opens(sealed, other, ann, path)


async def test_a_document_does_not_become_another_persons(sealed: Database, new: Newcomer) -> None:
    """Neither by the name of its person alone, which somebody writes over, nor with their key put beside it."""
    ann, bob = await settle(sealed, new()), await settle(sealed, new())
    await exchanged(sealed, FactorDocument, ann, {"person": bob})
    row = await raw(sealed, FactorDocument).find_one({"_id": f"factors_{ann}"})
    with pytest.raises(SealBroken):
        await clear(sealed, FactorDocument, row)
    store, keys = keys_of(sealed).database, await stored_keys(sealed, ann)
    await raw_keys(store).update_one({"_id": bob}, {"$set": {"keys": keys}})
    keys_of(sealed)._cache.clear()
    assert sealed.sealing is not None
    assert await sealed.sealing.open(FactorDocument, [row], ["name", "secret"]) == [0]
    assert "secret" not in row


@pytest.mark.parametrize("kind", list(SEALED), ids=lambda kind: kind.__name__)
async def test_a_value_with_one_byte_changed_does_not_open(memory: Database, new: Newcomer, kind: Kind) -> None:
    """Any byte: of the format, the version, the nonce, the text or the tag; nor does a shorter or longer one."""
    ann = await settle(memory, new())
    row = await stored(memory, kind, ann)
    assert memory.sealing is not None
    for path in SEALED[kind]:
        value = row[path]
        changed = [value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :] for at in range(len(value))]
        for bad in (*changed, value[:-1], value + b"\0", value[:OVERHEAD], b"", value[1:]):
            with pytest.raises(SealBroken):
                await memory.sealing.open(kind, [{**row, path: bad}], [path])
    await clear(memory, kind, row)


async def test_a_value_of_a_version_that_is_gone_does_not_open(sealed: Database, new: Newcomer) -> None:
    """What an older version of the person's key had sealed, once only the newer one is alive."""
    ann = await settle(sealed, new())
    old = await stored(sealed, UserDocument, ann)
    ring = await keys_of(sealed).ring()
    _key, wrapped = ring.wraps(ann, 2)
    await raw_keys(keys_of(sealed).database).update_one(
        {"_id": ann}, {"$set": {"keys": [{"v": 2, "wrapped": wrapped}]}}
    )
    keys_of(sealed)._cache.clear()
    with pytest.raises(SealBroken):
        await clear(sealed, UserDocument, dict(old))
    await sealed.update_one(UserDocument, {"_id": ann}, {"$set": holds(UserDocument, ann)})
    new_row = await stored(sealed, UserDocument, ann)
    await clear(sealed, UserDocument, dict(new_row))
    for path in SEALED[UserDocument]:
        with pytest.raises(SealBroken):
            await clear(sealed, UserDocument, {**new_row, path: old[path]})


@pytest.mark.parametrize(
    "bad",
    [
        "in the clear",
        {"city": "Oslo"},
        ["a"],
        7,
        7.5,
        True,
        b"in the clear, and long enough for a sealed one",
    ],
    ids=repr,
)
async def test_what_is_not_sealed_does_not_pass_for_it(sealed: Database, new: Newcomer, bad: object) -> None:
    """A value of any type that somebody put there by hand, once nothing is left in the clear."""
    ann = await settle(sealed, new())
    for path in SEALED[UserDocument]:
        row: dict[str, Any] = {**await stored(sealed, UserDocument, ann), path: bad}
        with pytest.raises(SealBroken):
            await clear(sealed, UserDocument, row)


async def test_the_log_says_which_field_does_not_open(
    sealed: Database, new: Newcomer, caplog: pytest.LogCaptureFixture
) -> None:
    """The collection and the field, so that it is noticed; neither the value nor whose it is."""
    ann = await settle(sealed, new())
    row = await stored(sealed, SessionDocument, ann)
    with caplog.at_level(logging.INFO), pytest.raises(SealBroken):
        await clear(sealed, SessionDocument, {**row, "ip": row["device"]})
    [line] = said(caplog)
    assert {key: line[key] for key in ("event", "level", "collection", "field")} == {
        "event": "seal_broken",
        "level": "error",
        "collection": "sessions",
        "field": "ip",
    }
    assert ann not in caplog.text


def said(caplog: pytest.LogCaptureFixture) -> list[Mapping[str, Any]]:
    """The lines of the log, as its own handler writes them."""
    handler = logging.getLogger().handlers[0]
    return [orjson.loads(handler.format(record)) for record in caplog.records]


async def stored_keys(database: Database, person: str) -> object:
    """The wrapped keys of a person."""
    return (await raw_keys(keys_of(database).database).find_one({"_id": person}))["keys"]


def raw_keys(store: Database) -> Any:  # noqa: ANN401 - the driver's own collection
    """The collection of people's wrapped keys."""
    return store._of(DataKeyDocument)
