"""What mutations answer with: domain failures are data, refusals of access are GraphQL errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, Final

import strawberry

from models.errors import BadInput, Conflict
from models.importing.rejection import Refused

_MESSAGES: Final = {
    "TAKEN": "This is already in use.",
    "LOOKS_ALIKE": "This looks like a name that is already in use. Choose one that cannot be mistaken for it.",
    "MISSING": "This is missing, or too short to say anything.",
    "TOO_SHORT": "This password is too short: use at least 15 characters.",
    "TOO_LONG": "This is too long.",
    "COMMON": "This password is too easy to guess.",
    "PERSONAL": "This password says too much about you.",
    "NOT_TEXT": "This holds characters that are no text.",
    "BAD_CHARACTERS": "This holds characters that cannot be stored.",
    "BAD_COUNTRY": "This is not an ISO 3166-1 alpha-2 country code.",
    "BAD_DATE": "This is not a possible date of birth.",
    "BAD_LOCALE": "This is not a BCP 47 language tag.",
    "BAD_PHONE": "This is not a telephone number in international form, like +441632960123.",
    "BAD_CHOICE": "This is not a possible setting.",
}


@strawberry.type(description="Why a mutation did not do what was asked.")
class UserError:
    """A domain failure."""

    STRUCTURAL: ClassVar[str] = "codes only"

    code: str = strawberry.field(description="Stable, for programs.")
    message: str = strawberry.field(description="For people.")
    path: list[str] = strawberry.field(description="Which input it is about.")


class Problems:
    """Collects what is wrong with an input, so that all of it is said at once."""

    def __init__(self) -> None:
        self.errors: list[UserError] = []

    def __bool__(self) -> bool:
        return bool(self.errors)

    def add(self, code: str, *path: str, message: str | None = None) -> None:
        """Note one failure; the message never holds the value."""
        self.errors.append(UserError(code=code, message=message or _MESSAGES.get(code, code), path=["input", *path]))

    @contextmanager
    def at(self, *path: str) -> Iterator[None]:
        """Turn a refused value into a failure at `path`."""
        try:
            yield
        except BadInput as error:
            self.add("INVALID", *path, message=error.message)
        except Refused as error:
            self.add(error.code.value, *path)
        except Conflict as error:
            code, field = _CONFLICTS.get(error.field, ("TAKEN", error.field))
            self.add(code, field)


_CONFLICTS: Final = {"look_alike": ("LOOKS_ALIKE", "username")}
