"""The driver's clients, as the service wants them: acknowledged by a majority, no wait without an end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from pymongo import errors as driver

from models.database.failures import CAUGHT, meaning, unusable_file

T = TypeVar("T")

POOL_SIZE: Final = 32  # connections of either client; more than there are threads that could wait for one


def make_client(kind: Callable[..., T], url: str, seconds: float, listeners: Sequence[Any], setting: str) -> T:
    """A client of the driver (`kind`) for `url`, not connected yet; each of its waits ends after `seconds`.

    Raises `ConfigurationError`, which names the variable `setting`, for an address that cannot be used.
    """
    milliseconds = int(seconds * 1000)
    try:
        return kind(
            url,
            w="majority",
            journal=True,
            # Whatever the address says: what was written a moment ago is what is decided by, and keys are given up
            # when a look at all rows finds none that needs them.
            readPreference="primary",
            readPreferenceTags="",
            maxStalenessSeconds=-1,
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
    except OSError:
        failure = unusable_file(setting)
    except ValueError:
        failure = meaning(driver.InvalidURI(), None, setting)
    raise failure
