"""Moments and identifiers that follow from a random source alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from uuid import UUID


def moment_before(epoch: datetime, days: float) -> datetime:
    """The moment `days` before `epoch`, in whole milliseconds, as MongoDB stores it."""
    return epoch - timedelta(milliseconds=int(days * 86_400_000))


def milliseconds(moment: datetime) -> int:
    """Unix time in milliseconds."""
    return int(moment.timestamp() * 1000)


def device_id(random: Random) -> str:
    """A random identifier such as apps make for an installation (RFC 9562, version 4)."""
    return str(UUID(int=random.getrandbits(128), version=4))


def day_of(moment: datetime) -> datetime:
    """The midnight at which the day of `moment` began."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
