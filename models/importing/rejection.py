"""Why a row was not imported: a code and a field, never the value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RejectCode(StrEnum):
    """What can be wrong with a line, or with one field of it. Stable: scripts read them."""

    # the line as a whole
    BAD_ENCODING = "BAD_ENCODING"
    BAD_CSV = "BAD_CSV"
    BAD_JSON = "BAD_JSON"
    LINE_TOO_LONG = "LINE_TOO_LONG"
    NOT_AN_OBJECT = "NOT_AN_OBJECT"
    NUL_BYTE = "NUL_BYTE"
    UNBALANCED_QUOTES = "UNBALANCED_QUOTES"
    WRONG_COLUMN_COUNT = "WRONG_COLUMN_COUNT"
    # one field
    AMBIGUOUS = "AMBIGUOUS"
    BAD_BOOLEAN = "BAD_BOOLEAN"
    BAD_CHARACTERS = "BAD_CHARACTERS"
    BAD_CHOICE = "BAD_CHOICE"
    BAD_COUNTRY = "BAD_COUNTRY"
    BAD_DATE = "BAD_DATE"
    BAD_DATETIME = "BAD_DATETIME"
    BAD_EMAIL = "BAD_EMAIL"
    BAD_IP = "BAD_IP"
    BAD_LOCALE = "BAD_LOCALE"
    BAD_NUMBER = "BAD_NUMBER"
    BAD_PHONE = "BAD_PHONE"
    BAD_TYPE = "BAD_TYPE"
    BAD_USERNAME = "BAD_USERNAME"
    HASH_TOO_COSTLY = "HASH_TOO_COSTLY"
    LOOKS_ALIKE = "LOOKS_ALIKE"
    MISSING = "MISSING"
    PLAIN_PASSWORD = "PLAIN_PASSWORD"  # noqa: S105 - a code, not a secret
    TAKEN = "TAKEN"
    TOO_LONG = "TOO_LONG"
    UNSUPPORTED_HASH = "UNSUPPORTED_HASH"


@dataclass(frozen=True, slots=True)
class Rejection:
    """One reason for which the row that starts at `line` (from 1) was left out."""

    line: int
    code: RejectCode
    field: str | None = None


class Refused(Exception):
    """A value cannot be imported. Carries the code alone."""

    def __init__(self, code: RejectCode) -> None:
        super().__init__(code.value)
        self.code = code
