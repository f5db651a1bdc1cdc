"""What each label means for storage, display and retention, as data.

A label's mask is a function from the clear value to something that can be shown; it is applied
only where a rule grants `MASKED`. Retention is in days after the account is closed or, for
log-like data, after it was recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from models.vocabulary import Label

BULLET: Final = "•"
_DOTS: Final = BULLET * 3
_DOTS_AT_DOTS: Final = f"{_DOTS}@{_DOTS}"
_SHORTEST_PHONE: Final = 4


class Protection(StrEnum):
    """How a label's values are stored."""

    PLAIN = "plain"
    ENCRYPTED = "encrypted"
    SEARCHABLE = "searchable"  # encrypted, with a blind index for exact look-up
    HASHED = "hashed"


def mask_all(_value: object) -> str:
    """Show that there is a value, and nothing of it, not even its length."""
    return _DOTS


def mask_email(value: object) -> str:
    """Keep the first letter, the `@` and the top-level domain: `a•••@•••.org`."""
    text = str(value)
    at, dot = text.rfind("@"), text.rfind(".")
    if 1 < at < dot:  # nearly all: no need to look closer
        return f"{text[0]}{_DOTS_AT_DOTS}{text[dot:]}"
    if at < 0:
        return _DOTS
    return f"{text[0] if at > 1 else ''}{_DOTS_AT_DOTS}{text[dot:] if dot > at else ''}"


def mask_phone(value: object) -> str:
    """Keep the last two digits: `•••12`. A number of under five digits is masked whole."""
    text = str(value)
    if len(text) > _SHORTEST_PHONE and text[-5:].isdigit():  # E.164, as it is stored: no need to look at each sign
        return _DOTS + text[-2:]
    digits = [sign for sign in text if sign.isdigit()]
    return _DOTS + ("".join(digits[-2:]) if len(digits) > _SHORTEST_PHONE else "")


@dataclass(frozen=True, slots=True)
class LabelSpec:
    """One row of the label table."""

    title: str
    protection: Protection
    retention_days: int
    mask: Callable[[object], str] = mask_all

    @property
    def encrypted(self) -> bool:
        return self.protection in (Protection.ENCRYPTED, Protection.SEARCHABLE)


_PLAIN, _ENCRYPTED = Protection.PLAIN, Protection.ENCRYPTED
_SEARCHABLE, _HASHED = Protection.SEARCHABLE, Protection.HASHED

LABELS: Final[Mapping[Label, LabelSpec]] = MappingProxyType(
    {
        Label.UNIQUE_ID: LabelSpec("Identifier", _PLAIN, 30),
        Label.ACCOUNT: LabelSpec("Account", _PLAIN, 30),
        Label.USERNAME: LabelSpec("User name", _PLAIN, 30),
        Label.SETTINGS: LabelSpec("Settings", _PLAIN, 30),
        Label.ROLES: LabelSpec("Staff roles", _PLAIN, 1095),
        Label.BREAK_GLASS: LabelSpec("Emergency access", _PLAIN, 1095),
        Label.BREAK_GLASS_REVIEW: LabelSpec("Review of emergency access", _PLAIN, 1095),
        Label.CONTACT: LabelSpec("Contact", _ENCRYPTED, 30),
        Label.EMAIL: LabelSpec("Email address", _SEARCHABLE, 30, mask_email),
        Label.PHONE: LabelSpec("Phone number", _SEARCHABLE, 30, mask_phone),
        Label.ADDRESS: LabelSpec("Postal address", _ENCRYPTED, 30),
        Label.NAME: LabelSpec("Name", _ENCRYPTED, 30),
        Label.FIRST_NAME: LabelSpec("Given name", _ENCRYPTED, 30),
        Label.LAST_NAME: LabelSpec("Family name", _ENCRYPTED, 30),
        Label.BIRTH_DATE: LabelSpec("Date of birth", _ENCRYPTED, 30),
        Label.AGE_RANGE: LabelSpec("Age band", _PLAIN, 30),
        Label.LANGUAGE: LabelSpec("Language", _PLAIN, 30),
        Label.LOCATION: LabelSpec("Location", _ENCRYPTED, 30),
        Label.IMPRECISE_LOCATION: LabelSpec("Country", _PLAIN, 30),
        Label.PRECISE_LOCATION: LabelSpec("Precise location", _ENCRYPTED, 30),
        Label.PRIVACY_PREFERENCES: LabelSpec("Privacy choices", _PLAIN, 1095),
        Label.DEVICE: LabelSpec("Device", _ENCRYPTED, 90),
        Label.DEVICE_ID: LabelSpec("Device identifier", _ENCRYPTED, 90),
        Label.IP_ADDRESS: LabelSpec("IP address", _ENCRYPTED, 30),
        Label.BEHAVIOR: LabelSpec("Usage history", _PLAIN, 365),
        Label.CONTENT: LabelSpec("Content", _ENCRYPTED, 30),
        Label.AUTHORIZATION: LabelSpec("Credentials", _HASHED, 0),
        Label.CREDENTIALS: LabelSpec("Session credential", _HASHED, 0),
        Label.PASSWORD: LabelSpec("Password hash", _ENCRYPTED, 0),
    }
)
