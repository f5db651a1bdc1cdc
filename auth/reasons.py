"""The words by which staff say why they do something: one line of text."""

from __future__ import annotations

from typing import Final

from models.importing.rejection import Refused, RejectCode
from models.importing.values import words

LEAST: Final = 10  # characters; fewer say nothing to whoever looks at it later
MOST: Final = 500


def read_reason(text: str) -> str:
    """`text` on one line. Raises `Refused`: MISSING for under `LEAST` characters, TOO_LONG, BAD_CHARACTERS."""
    if len(text) > 4 * MOST:
        raise Refused(RejectCode.TOO_LONG)
    line = " ".join(text.split())
    if len(line) < LEAST:
        raise Refused(RejectCode.MISSING)
    return words(MOST)(line)
