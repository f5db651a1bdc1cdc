"""How the driver's clients are made: acknowledged by a majority, in the journal, without compression, in good time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from pymongo import errors as driver

from models.database.failures import CAUGHT, meaning

T = TypeVar("T")

POOL_SIZE: Final = 32  # connections of a client; more than there are threads that could wait for one


def make_client(kind: Callable[..., T], url: str, seconds: float, listeners: Sequence[Any], setting: str) -> T:
    """A client of `kind` for `url`. Raises `ConfigurationError`, which names `setting`, for what is no address."""
    milliseconds = int(seconds * 1000)
    try:
        return kind(
            url,
            w="majority",
            journal=True,
            retryWrites=True,
            tz_aware=True,
            uuidRepresentation="standard",
            compressors=[],
            appname="fieldward",
            maxPoolSize=POOL_SIZE,
            maxConnecting=POOL_SIZE,
            connectTimeoutMS=milliseconds,
            serverSelectionTimeoutMS=milliseconds,
            waitQueueTimeoutMS=milliseconds,
            event_listeners=list(listeners),
        )
    except CAUGHT as error:
        failure = meaning(error, None, setting)
    except ValueError:
        failure = meaning(driver.InvalidURI(), None, setting)
    raise failure
