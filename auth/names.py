"""User names and email addresses as identity compares them; one spelling has one key everywhere."""

from __future__ import annotations

from models.errors import BadInput
from models.names import EMAIL_LENGTH, normalise_email, normalise_username

__all__ = ["login_key", "normalise_email", "normalise_username"]


def login_key(login: str) -> tuple[str, str]:
    """The stored field and key that a sign-in name means: `("email_key", ...)` when it has an `@`.

    Raises `BadInput` for what can be neither; no user name holds an `@`.
    """
    if len(login) > EMAIL_LENGTH:
        raise BadInput("A sign-in name is not that long.", path=("login",))
    if "@" in login:
        return "email_key", normalise_email(login)[1]
    return "username_key", normalise_username(login)[1]
