"""Opaque identifiers that name their kind and region: `usr_eu_01h...`."""

from __future__ import annotations

import re
from typing import Final

from ulid import ULID

_PATTERN: Final = re.compile(r"\A(?P<kind>[a-z]{3})_(?P<region>[a-z0-9-]{2,16})_(?P<ulid>[0-9a-hjkmnp-tv-z]{26})\Z")


def new_id(kind: str, region: str) -> str:
    """Make an identifier of `kind` (`usr`, `ses`, ...) in `region`; sorts by time of making (ULID)."""
    return f"{kind}_{region}_{str(ULID()).lower()}"


def region_of(identifier: str, kind: str) -> str | None:
    """The region that `identifier` names, or None when it is no identifier of `kind`."""
    match = _PATTERN.match(identifier)
    return match["region"] if match and match["kind"] == kind else None


_DIGITS: Final = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, as ULID prescribes
_PAIRS: Final = tuple(high + low for high in _DIGITS for low in _DIGITS)
_VALUES: Final = {digit: value for value, digit in enumerate(_DIGITS)}


def fixed_id(kind: str, region: str, milliseconds: int, randomness: int) -> str:
    """An identifier with a given time (Unix, ms) and 80 given bits: the same input, the same id."""
    number = milliseconds << 80 | randomness
    pairs = [_PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)]
    return f"{kind}_{region}_{''.join(pairs)}"


def randomness_of(identifier: str) -> int:
    """The lower 80 bits of an identifier that `new_id` or `fixed_id` made."""
    number = 0
    for digit in identifier[-16:]:
        number = number << 5 | _VALUES[digit]
    return number
