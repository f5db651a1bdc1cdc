"""Time-based one-time passwords (RFC 6238): six digits, 30 seconds, SHA-1, as every authenticator app has them."""

from __future__ import annotations

from base64 import b32encode
from datetime import datetime
from hmac import compare_digest
from secrets import token_bytes
from typing import Final

from pyotp import TOTP

PERIOD: Final = 30  # seconds
DIGITS: Final = 6
DRIFT: Final = 1  # steps that a clock may be off, either way (RFC 6238, section 5.2)
_SECRET_BYTES: Final = 20  # RFC 4226, section 4, R6
_LONGEST: Final = 16  # characters, with the spaces that apps show


def new_secret() -> bytes:
    """A secret to share with an authenticator app."""
    return token_bytes(_SECRET_BYTES)


def readable(secret: bytes) -> str:
    """A secret in base32, as people type it."""
    return b32encode(secret).decode()


def provisioning_uri(secret: bytes, *, account: str, issuer: str) -> str:
    """`otpauth://totp/...`, for a QR code (Google Authenticator's key URI format)."""
    return _totp(secret).provisioning_uri(name=account, issuer_name=issuer)


def step_of(secret: bytes, code: str, moment: datetime, *, after: int | None) -> int | None:
    """The time step that `code` belongs to, or None. Steps up to `after` are used already.

    Every step is compared, whichever fits, so that the time taken tells nothing.
    """
    given = "".join(code.split()) if len(code) <= _LONGEST else ""
    if not (given.isascii() and given.isdigit() and len(given) == DIGITS):
        return None
    totp, now = _totp(secret), int(moment.timestamp()) // PERIOD
    steps = range(now - DRIFT, now + DRIFT + 1)
    fitting = [step for step in steps if compare_digest(totp.generate_otp(step), given)]
    return next((step for step in fitting if after is None or step > after), None)


def _totp(secret: bytes) -> TOTP:
    return TOTP(readable(secret), digits=DIGITS, interval=PERIOD)
