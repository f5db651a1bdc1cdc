"""What the tables of `models.privileges` say is what MongoDB allows: all of it, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pytest

from models.embedded import DATABASE, KEYSTORE_DATABASE
from models.privileges import ANY, KEY_STORE, MAIN, Action, DatabaseUser
from tests.integration.privileges.conftest import Open, refused

TABLES: Final = {DATABASE: MAIN, KEYSTORE_DATABASE: KEY_STORE}
USERS: Final = [*MAIN, *KEY_STORE]
OWN: Final = {user: database for database, table in TABLES.items() for user in table}
NAME: Final = "test_privileges"
NONE: Final = {"q": {"_id": "none"}}
COMMANDS: Final[Mapping[Action, tuple[str, Mapping[str, object]]]] = {
    Action.FIND: ("find", {"limit": 1}),
    Action.INSERT: ("insert", {"documents": [{"_id": NAME}]}),
    Action.UPDATE: ("update", {"updates": [NONE | {"u": {"$set": {"a": 1}}}]}),
    Action.REMOVE: ("delete", {"deletes": [NONE | {"limit": 1}]}),
    Action.CREATE_COLLECTION: ("create", {}),
    Action.CREATE_INDEX: ("createIndexes", {"indexes": [{"key": {NAME: 1}, "name": NAME}]}),
    Action.DROP_INDEX: ("dropIndexes", {"index": NAME}),
    Action.COLL_MOD: ("collMod", {}),
    Action.LIST_INDEXES: ("listIndexes", {}),
}
COLLECTIONS: Final = [
    (database, collection)
    for database, table in TABLES.items()
    for collection in sorted(
        {name for collections in table.values() for name in collections if name != ANY} | {"other"}
    )
]


@pytest.mark.parametrize("user", USERS)
def test_mongodb_allows_what_the_table_says(open_as: Open, user: DatabaseUser) -> None:
    """Every action on every collection of both databases, tried by everybody."""
    client = open_as(user)
    for database, collection in COLLECTIONS:
        allowed = TABLES[database].get(user, {}).get(collection, frozenset())
        if Action.INSERT in allowed:
            allowed |= {Action.CREATE_COLLECTION}  # as the first insert does
        for action, (command, more) in COMMANDS.items():
            told = (user, database, collection, action)
            assert refused(client, database, command, collection, **more) == (action not in allowed), told


@pytest.mark.parametrize("user", USERS)
def test_nobody_drops_a_database_or_makes_users(open_as: Open, user: DatabaseUser) -> None:
    """Not in their own database either."""
    client = open_as(user)
    for database in (DATABASE, KEYSTORE_DATABASE, "admin", "other"):
        for command, target, more in (
            ("dropDatabase", 1, {}),
            ("createUser", "somebody", {"pwd": "a-new-password", "roles": ["dbOwner"]}),
            ("updateUser", user, {"pwd": "a-new-password"}),
            ("dropUser", user, {}),
            ("usersInfo", "root", {}),
            ("createRole", "everything", {"privileges": [], "roles": ["dbOwner"]}),
            ("updateRole", user, {"roles": ["dbOwner"]}),
            ("grantRolesToUser", user, {"roles": ["dbOwner"]}),
        ):
            assert refused(client, database, command, target, **more), (database, command)


@pytest.mark.parametrize("user", USERS)
def test_nobody_goes_around_a_validator(open_as: Open, user: DatabaseUser) -> None:
    """To ask for it is a right of its own, which no role has."""
    given = {"documents": [{"_id": NAME}], "bypassDocumentValidation": True}
    for collection in TABLES[OWN[user]][user]:
        assert refused(open_as(user), OWN[user], "insert", collection or "other", **given), collection


def test_a_pipeline_is_no_way_out_of_the_tables(open_as: Open) -> None:
    """Joining, writing and listing by one needs the rights of what it touches."""
    client = open_as(DatabaseUser.API)
    stages: list[dict[str, object]] = [
        {"$lookup": {"from": "assertions", "pipeline": [], "as": "found"}},
        {"$unionWith": "other"},
        {"$out": "other"},
        {"$out": "audit"},
        {"$merge": {"into": "audit"}},
        {"$out": {"db": KEYSTORE_DATABASE, "coll": "data_keys"}},
        {"$collStats": {"storageStats": {}}},
        {"$indexStats": {}},
    ]
    for stage in stages:
        assert refused(client, DATABASE, "aggregate", "users", pipeline=[stage], cursor={}), stage
    assert refused(client, "admin", "aggregate", 1, pipeline=[{"$currentOp": {"allUsers": True}}], cursor={})


@pytest.mark.parametrize("user", USERS)
def test_nobody_runs_the_server(open_as: Open, user: DatabaseUser) -> None:
    """Its settings, its log and its end are the administrator's."""
    client = open_as(user)
    for command in ("serverStatus", "getCmdLineOpts", "shutdown", "replSetGetConfig", "currentOp", "fsync"):
        assert refused(client, "admin", command), command
    assert refused(client, "admin", "getLog", "global")
    assert refused(client, "admin", "setParameter", 1, quiet=True)


def test_listing_is_for_those_who_make_collections(open_as: Open) -> None:
    """The others see the names of what they may use, at most."""
    for user in USERS:
        allowed = Action.LIST_COLLECTIONS in TABLES[OWN[user]][user].get(ANY, frozenset())
        assert refused(open_as(user), OWN[user], "listCollections") == (not allowed), user
