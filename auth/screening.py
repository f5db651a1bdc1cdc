"""Which new passwords are refused: NIST SP 800-63B-4, section 3.1.1.2, alone and with a second factor.

Any Unicode counts, by code point after NFKC; no rule asks for kinds of characters. A password is too
common, or too personal, when little is left of it once the known pieces are taken out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from importlib.resources import files
from typing import Final
from unicodedata import normalize

MIN_LENGTH: Final = 15  # used alone
MIN_LENGTH_WITH_FACTOR: Final = 8
MAX_LENGTH: Final = 128
ENOUGH_LEFT: Final = 6  # characters of one's own, besides the known pieces
ENOUGH_DIFFERENT: Final = 5  # different characters
_SHORTEST_PERSONAL: Final = 3
_LONGEST_PERSONAL: Final = 256  # characters of each that count; what is longer is no name or address
_LOOK_ALIKES: Final = str.maketrans("013457@$!", "oleastasi")
_YEAR: Final = r"(?:19|20)\d\d"


class Problem(StrEnum):
    """Why a password was refused."""

    TOO_SHORT = "TOO_SHORT"
    TOO_LONG = "TOO_LONG"
    COMMON = "COMMON"
    PERSONAL = "PERSONAL"
    NOT_TEXT = "NOT_TEXT"


def common_pieces() -> tuple[str, ...]:
    """The pieces that common passwords are made of, from the data file beside this module."""
    lines = files("auth").joinpath("common_passwords.txt").read_text("utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))


class Screening:
    """Looks at new passwords. `pieces` are lower-case; loaded once, looked up by one expression."""

    def __init__(self, pieces: Iterable[str]) -> None:
        self._common = re.compile(f"{_any_of(pieces)}|{_YEAR}")

    def problems(self, password: str, personal: Sequence[str] = (), *, second_factor: bool = False) -> list[Problem]:
        """All that is wrong with `password`; `personal` are names and addresses of its owner. Empty: fine.

        `second_factor`: whether the owner has one that is asked for besides.
        """
        if not is_text(password):
            return [Problem.NOT_TEXT]
        if len(password) > 4 * MAX_LENGTH:
            return [Problem.TOO_LONG]
        text = normalize("NFKC", password)
        found = []
        if len(text) < (MIN_LENGTH_WITH_FACTOR if second_factor else MIN_LENGTH):
            found.append(Problem.TOO_SHORT)
        if len(text) > MAX_LENGTH:
            found.append(Problem.TOO_LONG)
        if self._is_common(text):
            found.append(Problem.COMMON)
        if _is_personal(text, personal):
            found.append(Problem.PERSONAL)
        return found

    def _is_common(self, text: str) -> bool:
        folded = text.casefold()
        return len(set(folded)) < ENOUGH_DIFFERENT or any(
            _is_made_of(self._common, view) for view in (folded, folded.translate(_LOOK_ALIKES))
        )


def is_short(password: str) -> bool:
    """Whether `password` is too short to be used without a second factor."""
    return len(normalize("NFKC", password)) < MIN_LENGTH


def is_text(password: str) -> bool:
    """Whether `password` is valid Unicode: no lone surrogate, which UTF-8 cannot hold."""
    return not any("\ud800" <= character <= "\udfff" for character in password)


def _is_personal(text: str, personal: Sequence[str]) -> bool:
    folded = [normalize("NFKC", value[:_LONGEST_PERSONAL]).casefold() for value in personal]
    words = {word for value in folded for word in re.split(r"[\W_]+", value) if len(word) >= _SHORTEST_PERSONAL}
    return bool(words) and _is_made_of(re.compile(_any_of(words)), text.casefold())


def _is_made_of(known: re.Pattern[str], text: str) -> bool:
    """Whether `text` has known pieces and, besides them and separators, too little of its own."""
    rest, found = known.subn("", text)
    return found > 0 and len(re.sub(r"[\W_]+", "", rest)) < ENOUGH_LEFT


def _any_of(pieces: Iterable[str]) -> str:
    return "|".join(re.escape(piece) for piece in sorted(pieces, key=len, reverse=True))
