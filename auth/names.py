"""User names and email addresses as identity compares them; one spelling has one key everywhere."""

from __future__ import annotations

from typing import Final

from models.errors import BadInput
from models.names import EMAIL_LENGTH, normalise_email, normalise_username

__all__ = ["login_key", "normalise_email", "normalise_username", "spelling"]

_LONGEST: Final = 256


def login_key(login: str) -> tuple[str, str]:
    """The stored field and key that a sign-in name means: `("email", ...)` when it has an `@`.

    Raises `BadInput` for what can be neither; no user name holds an `@`.
    """
    if len(login) > EMAIL_LENGTH:
        raise BadInput("A sign-in name is not that long.", path=("login",))
    if "@" in login:
        return "email", normalise_email(login)[1]
    return "username_key", normalise_username(login)[1]


def spelling(login: str) -> str:
    """What attempts on a sign-in name are counted by: one for all its spellings, also where nobody has it.

    NOTE: the names of one account have one each. Counted together, one that waits would tell whose the other is.
    """
    try:
        return ":".join(login_key(login))
    except BadInput:
        return login[:_LONGEST]
