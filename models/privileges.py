"""Who may do what to which collection: the users of MongoDB that Fieldward has, as tables to read.

A user has the one role of its name, in the database that its table is of. What stands in no table MongoDB
refuses: other collections and databases, dropping, users and roles, and going around validators. To MongoDB
a first insert makes the plain collection, so whoever may insert may do that. Expired rows are removed by the
server itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias


class DatabaseUser(StrEnum):
    """A user of MongoDB, and its role."""

    API = "api"  # answers requests
    WORKER = "worker"  # deletes by retention, and carries erasures out
    MIGRATOR = "migrator"  # makes indexes and validators, seals what is stored
    KEYSTORE = "keystore"  # the API in the key store: opens and makes people's keys
    KEYMASTER = "keymaster"  # makes and rotates the keys that wrap people's keys


class Action(StrEnum):
    """What can be done to a collection (privilege actions of MongoDB)."""

    FIND = "find"
    INSERT = "insert"
    UPDATE = "update"
    REMOVE = "remove"
    CREATE_COLLECTION = "createCollection"
    CREATE_INDEX = "createIndex"
    DROP_INDEX = "dropIndex"
    COLL_MOD = "collMod"
    LIST_INDEXES = "listIndexes"
    LIST_COLLECTIONS = "listCollections"


Actions: TypeAlias = frozenset[Action]
Table: TypeAlias = Mapping[DatabaseUser, Mapping[str, Actions]]

ANY: Final = ""  # as MongoDB writes it: the database as a whole

_APPEND: Final = frozenset({Action.INSERT})
_READ: Final = frozenset({Action.FIND})
_READ_APPEND: Final = _READ | _APPEND
_READ_CHANGE: Final = _READ | {Action.UPDATE}
_READ_REMOVE: Final = _READ | {Action.REMOVE}
_KEEP: Final = _READ_APPEND | {Action.UPDATE}  # all but removing
_COME_AND_GO: Final = _READ_APPEND | {Action.REMOVE}  # what is there is not changed
_ALL: Final = _KEEP | {Action.REMOVE}
_SCHEMA: Final = frozenset(
    {Action.CREATE_COLLECTION, Action.CREATE_INDEX, Action.DROP_INDEX, Action.COLL_MOD, Action.LIST_INDEXES}
)
_LIST: Final = frozenset({Action.LIST_COLLECTIONS})

MAIN: Final[Table] = MappingProxyType(
    {
        DatabaseUser.API: {
            "users": _ALL,
            "devices": _COME_AND_GO,
            "ip_log": _COME_AND_GO,
            "events": _COME_AND_GO,
            "sessions": _ALL,
            "factors": _ALL,
            "factor_removals": _COME_AND_GO,  # goes with the account
            "tickets": _ALL,
            "role_changes": _COME_AND_GO,  # the same
            "break_glass": _KEEP,  # outlives the account
            "revocations": _KEEP,
            "throttle": _ALL,
            "clients": _KEEP,
            "assertions": _APPEND,
            "markers": _KEEP,
            "imports": _KEEP,
            "erasures": _READ_APPEND,
            "audit": _READ_APPEND,
        },
        DatabaseUser.WORKER: {
            "users": _READ_REMOVE,
            "devices": _READ_REMOVE,
            "ip_log": _READ_REMOVE,
            "events": _READ_REMOVE,
            "sessions": _READ_REMOVE,
            "factors": _READ_REMOVE,
            "factor_removals": _READ_REMOVE,
            "tickets": _READ_REMOVE,
            "role_changes": _READ_REMOVE,
            "break_glass": _READ_REMOVE,
            "markers": _KEEP,
            "erasures": _READ_APPEND,
            "audit": _READ_APPEND,
        },
        DatabaseUser.MIGRATOR: {
            ANY: _LIST,
            "users": _SCHEMA | _READ_CHANGE,
            "devices": _SCHEMA | _READ_CHANGE,
            "ip_log": _SCHEMA | _READ_CHANGE,
            "events": _SCHEMA | _READ_CHANGE,
            "sessions": _SCHEMA | _READ_CHANGE,
            "factors": _SCHEMA | _READ_CHANGE,
            "factor_removals": _SCHEMA | _READ_CHANGE,
            "tickets": _SCHEMA | _READ_CHANGE,
            "role_changes": _SCHEMA | _READ_CHANGE,
            "break_glass": _SCHEMA | _READ_CHANGE,
            "revocations": _SCHEMA,
            "throttle": _SCHEMA,
            "clients": _SCHEMA,
            "assertions": _SCHEMA,
            "markers": _SCHEMA | _KEEP,
            "imports": _SCHEMA,
            "erasures": _SCHEMA | _READ,
            "audit": _SCHEMA,
        },
    }
)

KEY_STORE: Final[Table] = MappingProxyType(
    {
        DatabaseUser.KEYSTORE: {
            "keys": _READ,
            "data_keys": _COME_AND_GO,
            "tombstones": _READ_APPEND,
            "state": _READ,
        },
        DatabaseUser.KEYMASTER: {
            ANY: _LIST,
            "keys": _SCHEMA | _ALL,
            "data_keys": _SCHEMA | _ALL,
            "tombstones": _SCHEMA | _READ,
            "state": _SCHEMA | _ALL,
            "rotations": _SCHEMA | _ALL,
        },
    }
)
