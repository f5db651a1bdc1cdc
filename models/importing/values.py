"""How one cell becomes one stored value. Every function raises `Refused` with a code, never the value."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from models.ages import OLDEST, age_on
from models.importing.countries import COUNTRIES
from models.importing.rejection import Refused, RejectCode
from models.vocabulary import UserStatus

MAX_DEVICES: Final = 50
MAX_STREET: Final = 200

# Control characters, and the marks that turn writing direction around and so disguise text.
_FORBIDDEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
_DATE: Final = re.compile(r"\A\d{4}-\d{2}-\d{2}\Z")
_MOMENT: Final = re.compile(
    r"\A\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?\Z"
)
_WHOLE: Final = re.compile(r"\A\d{1,9}\Z")
_DECIMAL: Final = re.compile(r"\A[+-]?\d{1,6}(?:\.\d{1,15})?\Z")
_PHONE_DRESSING: Final = re.compile(r"[\s().\-/]")
_PHONE: Final = re.compile(r"\A\+[1-9]\d{6,14}\Z")
_LOCALE: Final = re.compile(
    r"\A([a-z]{2,3})(?:-([a-z]{4}))?(?:-([a-z]{2}|\d{3}))?((?:-(?:[a-z0-9]{5,8}|\d[a-z0-9]{3}))*)\Z"
)
_WORD: Final = re.compile(r"\A[a-z][a-z0-9_-]{0,31}\Z")
_CURRENCY: Final = re.compile(r"\A[A-Z]{3}\Z")
_SPACE: Final = re.compile(r"\s+")
_BOOLEANS: Final = {
    **dict.fromkeys(("true", "t", "yes", "y", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0"), False),
}


def text_of(value: object) -> str | None:
    """The cell as text without surrounding space, None when it is empty."""
    if isinstance(value, str):
        return value.strip() or None
    if value is None:
        return None
    if isinstance(value, bool | int | float):
        return str(value)
    raise Refused(RejectCode.BAD_TYPE)


def words(limit: int) -> Callable[[str], str]:
    """Free text of at most `limit` characters on one line."""

    def read(text: str) -> str:
        if len(text) > limit:
            raise Refused(RejectCode.TOO_LONG)
        if _FORBIDDEN.search(text):
            raise Refused(RejectCode.BAD_CHARACTERS)
        return text

    return read


_street = words(MAX_STREET)


def street(text: str) -> str:
    """The lines of a street address, joined by commas."""
    if len(text) > 2 * MAX_STREET:
        raise Refused(RejectCode.TOO_LONG)
    # NOTE: space is taken run by run; an expression that looks for a line end within takes quadratic time.
    return _street(_SPACE.sub(lambda run: ", " if "\n" in run[0] or "\r" in run[0] else run[0], text))


def boolean(text: str) -> bool:
    """true, yes, y, t, 1 and their opposites."""
    try:
        return _BOOLEANS[text.lower()]
    except KeyError:
        raise Refused(RejectCode.BAD_BOOLEAN) from None


def whole(text: str) -> int:
    """A count."""
    if not _WHOLE.match(text):
        raise Refused(RejectCode.BAD_NUMBER)
    return int(text)


def decimal(least: float, most: float) -> Callable[[str], float]:
    """A number between two bounds."""

    def read(text: str) -> float:
        if not _DECIMAL.match(text) or not least <= float(text) <= most:
            raise Refused(RejectCode.BAD_NUMBER)
        return float(text)

    return read


def birth_date(text: str, today: date) -> date:
    """`YYYY-MM-DD`; the orders 3/4/1990 and 4/3/1990 cannot be told apart, so neither is taken."""
    try:
        born = date.fromisoformat(text) if _DATE.match(text) else None
    except ValueError:
        born = None
    if born is None or born > today or age_on(born, today) > OLDEST:
        raise Refused(RejectCode.BAD_DATE)
    return born


def moment(text: str, now: datetime) -> datetime:
    """An ISO 8601 moment, UTC unless it says otherwise, in whole milliseconds; not after `now`."""
    try:
        found = datetime.fromisoformat(text) if _MOMENT.match(text) else None
    except ValueError:
        found = None
    if found is None or not 1970 <= found.year <= 9000:
        raise Refused(RejectCode.BAD_DATETIME)
    found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    if found > now + timedelta(days=1):  # clocks and zones differ, years do not
        raise Refused(RejectCode.BAD_DATETIME)
    return found.replace(microsecond=found.microsecond // 1000 * 1000)


def phone(text: str) -> str:
    """A number in the form of ITU-T E.164, less spaces, dots, hyphens, slashes and brackets."""
    number = _PHONE_DRESSING.sub("", text)
    number = f"+{number[2:]}" if number.startswith("00") else number
    if not number.isascii() or not _PHONE.match(number):
        raise Refused(RejectCode.BAD_PHONE)
    return number


def country(text: str) -> str:
    """An ISO 3166-1 alpha-2 code."""
    code = text.upper()
    if code not in COUNTRIES:
        raise Refused(RejectCode.BAD_COUNTRY)
    return code


@lru_cache(maxsize=512)
def locale(text: str) -> str:
    """A BCP 47 tag (language, script, region, variants) in its usual case; `de_DE` is read as `de-DE`."""
    found = _LOCALE.match(text.replace("_", "-").lower()) if len(text) <= 35 and text.isascii() else None
    if found is None:
        raise Refused(RejectCode.BAD_LOCALE)
    language, script, region, variants = found.groups()
    parts = (language, script and script.title(), region and region.upper())
    return "-".join(part for part in parts if part) + (variants or "")


def address(text: str) -> str:
    """An IPv4 or IPv6 address in its usual spelling, without a zone."""
    try:
        return str(IPv6Address(text) if ":" in text and "%" not in text else IPv4Address(text))
    except AddressValueError:
        raise Refused(RejectCode.BAD_IP) from None


def status(text: str) -> str:
    """One of the states an account can be in."""
    try:
        return UserStatus(text.upper()).value
    except ValueError:
        raise Refused(RejectCode.BAD_CHOICE) from None


def word(text: str) -> str:
    """The name of a setting's value: `dark`, `weekly`."""
    if not _WORD.match(text.lower()):
        raise Refused(RejectCode.BAD_CHOICE)
    return text.lower()


def currency(text: str) -> str:
    """Three letters, as ISO 4217 has them."""
    if not _CURRENCY.match(text.upper()):
        raise Refused(RejectCode.BAD_CHOICE)
    return text.upper()


_device = words(128)


def devices(value: object) -> list[str]:
    """A list, or one cell with `;` or `|` between the identifiers."""
    if isinstance(value, str):
        value = re.split(r"[;|]", value)
    if not isinstance(value, list):
        raise Refused(RejectCode.BAD_TYPE)
    if len(value) > MAX_DEVICES:
        raise Refused(RejectCode.TOO_LONG)
    return [_device(text) for item in value if (text := text_of(item)) is not None]
