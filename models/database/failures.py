"""What the driver's failures mean to the rest of the service.

The driver's messages carry values (`dup key: { email_key: "..." }`), so none of their text is kept
and none of its exceptions stays attached as a cause.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from beanie import Document
from bson.errors import BSONError
from pymongo import IndexModel
from pymongo import errors as driver

from models.errors import BadInput, ConfigurationError, Conflict, DatabaseUnavailable, FieldwardError

DEFAULT_SETTING: Final = "FIELDWARD_MONGODB_URL"
DUPLICATE: Final = 11000
_AUTHENTICATION_FAILED: Final = frozenset({18, 8000})
_UNAUTHORIZED: Final = 13
_INDEX_CONFLICTS: Final = frozenset({85, 86})  # IndexOptionsConflict, IndexKeySpecsConflict
_NOT_AS_VALIDATED: Final = 121  # DocumentValidationFailure
_SERVER_BUSY: Final = frozenset({50, 112, 262})  # MaxTimeMSExpired, WriteConflict, ExceededTimeLimit

# What encoding or sending a call may raise. The last three come from values BSON cannot hold: an
# integer over 64 bits, a lone surrogate, a null byte in a key.
CAUGHT: Final = (TimeoutError, driver.PyMongoError, BSONError, OverflowError, UnicodeError)


class Collision(DatabaseUnavailable):
    """A transaction met another one; it may be tried again from its start."""


def meaning(error: BaseException, document: type[Document] | None, setting: str = DEFAULT_SETTING) -> FieldwardError:
    """The service's own error for one of `CAUGHT`; names an index, a collection or the variable (`setting`)
    that the address came from, never a value."""
    if isinstance(error, driver.DuplicateKeyError):
        return Conflict(taken_index(document, error.details or {}))
    if isinstance(error, driver.PyMongoError) and error.has_error_label("TransientTransactionError"):
        return Collision()
    if isinstance(error, TimeoutError | driver.ConnectionFailure | driver.WTimeoutError):
        return DatabaseUnavailable()
    if isinstance(error, driver.ConfigurationError | driver.InvalidURI):
        return ConfigurationError(f"{setting} is not a usable MongoDB address.")
    if isinstance(error, driver.OperationFailure):
        return _refusal(error, document, setting)
    if isinstance(error, driver.PyMongoError) and error.timeout:
        return DatabaseUnavailable()
    if isinstance(error, BSONError | OverflowError | UnicodeError):
        return BadInput("A value cannot be stored: it is out of range or no valid text.")
    return FieldwardError("The database could not carry out an operation.")


def is_mistrust(error: BaseException | None) -> bool:
    """Whether a connection failed by the server's certificate. All that the driver keeps of it is OpenSSL's word."""
    return error is not None and "CERTIFICATE_VERIFY_FAILED" in str(error)


def mistrust(setting: str) -> ConfigurationError:
    """What is said at the start of a server whose certificate does not hold."""
    return ConfigurationError(
        f"The certificate of the MongoDB at {setting} is not trusted here: it is over, made for another name, or of an "
        "authority that tlsCAFile does not hold."
    )


def unusable_file(setting: str) -> ConfigurationError:
    """What is said of a file of authorities, keys or revocations that the address names."""
    return ConfigurationError(f"{setting} names a file for TLS that cannot be read or used.")


def _refusal(error: driver.OperationFailure, document: type[Document] | None, setting: str) -> FieldwardError:
    if error.timeout or error.code in _SERVER_BUSY:
        return DatabaseUnavailable()
    if error.code in _AUTHENTICATION_FAILED:
        return ConfigurationError(f"MongoDB refused the credential in {setting}.")
    if error.code == _UNAUTHORIZED:
        return ConfigurationError(f"The MongoDB user in {setting} lacks a right that is needed here.")
    if error.code in _INDEX_CONFLICTS and document is not None:
        return ConfigurationError(
            f"An index of the collection {collection_name(document)} exists with other options. Drop it first."
        )
    if error.code == _NOT_AS_VALIDATED and document is not None:
        return FieldwardError(f"A row is not what the validator of {collection_name(document)} lets in.")
    return FieldwardError("The database refused an operation.")


def taken_index(document: type[Document] | None, details: Mapping[str, Any]) -> str:
    """The name of the unique index that a duplicate-key failure speaks of (`id` for the key itself)."""
    pattern = list(details.get("keyPattern") or {})
    if pattern == ["_id"]:
        return "id"
    for index in unique_indexes(document):
        if list(index.document["key"]) == pattern:
            return str(index.document["name"])
    return "value"


def unique_indexes(document: type[Document] | None) -> list[IndexModel]:
    """The unique indexes that a document class declares."""
    return [index for index in indexes(document) if index.document.get("unique")]


def indexes(document: type[Document] | None) -> list[IndexModel]:
    """All indexes that a document class declares."""
    settings = getattr(document, "Settings", None)
    return list(getattr(settings, "indexes", ()))


def collection_name(document: type[Document]) -> str:
    """The collection that holds a document class."""
    return str(document.Settings.name)
