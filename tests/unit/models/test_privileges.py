"""The tables of rights, held against the documents that there are and against what must never be in them."""

from __future__ import annotations

from typing import Final

import pytest

from models.base import PersonalDocument
from models.database.failures import collection_name
from models.keystore import KEY_DOCUMENTS
from models.privileges import ANY, KEY_STORE, MAIN, Action, DatabaseUser
from models.registry import DOCUMENTS

COLLECTIONS: Final = sorted(map(collection_name, DOCUMENTS))
PERSONAL: Final = sorted(collection_name(it) for it in DOCUMENTS if issubclass(it, PersonalDocument))
ANNOUNCED: Final = {"audit", "erasures"}  # no document class of this version has them yet
ROWS: Final = frozenset({Action.FIND, Action.INSERT, Action.UPDATE, Action.REMOVE})
MAKING: Final = frozenset({Action.CREATE_COLLECTION, Action.CREATE_INDEX, Action.COLL_MOD})


@pytest.mark.parametrize("user", [DatabaseUser.API, DatabaseUser.MIGRATOR])
def test_every_document_is_in_the_table(user: DatabaseUser) -> None:
    """What is missing MongoDB would refuse while the service runs."""
    assert set(COLLECTIONS) - set(MAIN[user]) == set()


@pytest.mark.parametrize("user", [DatabaseUser.WORKER, DatabaseUser.MIGRATOR])
def test_whoever_deletes_or_seals_reaches_everything_personal(user: DatabaseUser) -> None:
    """Nothing of a person is forgotten by an erasure or left in clear."""
    wanted = {Action.FIND, Action.REMOVE if user is DatabaseUser.WORKER else Action.UPDATE}
    assert [name for name in PERSONAL if not wanted <= MAIN[user].get(name, frozenset())] == []


def test_no_table_names_what_there_is_not() -> None:
    """A right to a collection that is gone is one too many."""
    named = {name for collections in MAIN.values() for name in collections}
    assert named - set(COLLECTIONS) - ANNOUNCED == {ANY}


@pytest.mark.parametrize("user", [DatabaseUser.API, DatabaseUser.WORKER, DatabaseUser.KEYSTORE])
def test_whoever_answers_requests_only_handles_rows(user: DatabaseUser) -> None:
    """It makes and drops nothing, and lists nothing."""
    table = MAIN.get(user) or KEY_STORE[user]
    assert frozenset().union(*table.values()) <= ROWS
    assert ANY not in table


@pytest.mark.parametrize("user", DatabaseUser)
def test_a_right_to_a_whole_database_is_one_to_list_it(user: DatabaseUser) -> None:
    """Anything else there would hold for every collection."""
    table = MAIN.get(user) or KEY_STORE[user]
    assert table.get(ANY, frozenset()) <= {Action.LIST_COLLECTIONS}


def test_what_must_not_change_is_only_added_to() -> None:
    """The record of accesses, what was erased, and in the key store who was."""
    for user in (DatabaseUser.API, DatabaseUser.WORKER):
        assert MAIN[user]["audit"] == MAIN[user]["erasures"] == {Action.FIND, Action.INSERT}
    assert not MAIN[DatabaseUser.MIGRATOR]["audit"] & ROWS
    assert KEY_STORE[DatabaseUser.KEYSTORE]["tombstones"] == {Action.FIND, Action.INSERT}


def test_the_key_store_has_what_its_documents_need() -> None:
    """The keymaster has all of it, the service nothing that there is not."""
    names = set(map(collection_name, KEY_DOCUMENTS))
    assert set(KEY_STORE[DatabaseUser.KEYMASTER]) - {ANY} == names
    assert set(KEY_STORE[DatabaseUser.KEYSTORE]) <= names


def test_the_service_reads_the_keys_that_wrap_and_changes_none() -> None:
    """Those are the keymaster's, and so are rotations."""
    table = KEY_STORE[DatabaseUser.KEYSTORE]
    assert table["keys"] == table["state"] == {Action.FIND}
    assert "rotations" not in table


def test_the_migrator_adds_no_people_and_removes_none() -> None:
    """Sealing changes rows, and nothing else about them."""
    for name in PERSONAL:
        assert MAIN[DatabaseUser.MIGRATOR][name] & ROWS == {Action.FIND, Action.UPDATE}


def test_each_user_has_one_database() -> None:
    """And each is in one of the tables."""
    assert not MAIN.keys() & KEY_STORE.keys()
    assert {*MAIN, *KEY_STORE} == set(DatabaseUser)


def test_making_is_the_work_of_two() -> None:
    """Of the migrator here and of the keymaster there."""
    makers = {
        user for table in (MAIN, KEY_STORE) for user, rows in table.items() if MAKING & set().union(*rows.values())
    }
    assert makers == {DatabaseUser.MIGRATOR, DatabaseUser.KEYMASTER}
