"""Devices that a person has signed in from before (OWASP, "Slow Down Online Guessing Attacks with Device Cookies").

A device holds a token that names the account and is authenticated by a key of this service. It opens nothing:
whoever shows it is only counted apart from strangers who try the same account, so they cannot lock its owner out.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from hmac import compare_digest
from secrets import token_urlsafe
from typing import Final

from models.base import now as utc_now
from models.crypto.macs import MacKey

DEVICE_LIFETIME: Final = timedelta(days=180)
DEVICE_COOKIE: Final = "fieldward_device"
_MAX_LENGTH: Final = 128
_KIND: Final = "device"


class Devices:
    """Issues and recognises tokens of the form `<random>.<issued, seconds>.<code>`."""

    def __init__(self, key: MacKey, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._key, self._clock = key, clock

    def issue(self, account: str) -> str:
        """A token for the device from which `account` (a person's id) has just signed in."""
        name, issued = token_urlsafe(16), str(int(self._clock().timestamp()))
        return f"{name}.{issued}.{self._key.mac(_KIND, account, name, issued)}"

    def recognise(self, token: str | None, account: str) -> str | None:
        """The device's own name, when `token` was issued for this account and has not expired; else None."""
        parts = token.split(".") if token and len(token) <= _MAX_LENGTH and token.isascii() else []
        if len(parts) != 3:
            return None
        name, issued, code = parts
        if not compare_digest(code, self._key.mac(_KIND, account, name, issued)):
            return None
        age = self._clock().timestamp() - int(issued)
        return name if age < DEVICE_LIFETIME.total_seconds() else None
