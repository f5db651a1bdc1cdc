"""The headers of a request, read once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.requests import cookie_parser
from starlette.types import Scope

from auth.identity import Credentials

PREFLIGHT_HEADER: Final = "graphql-require-preflight"
_READ: Final = {
    name.encode(): name
    for name in (
        *("accept", "content-type", "content-length", "content-encoding"),
        *("data-purpose", "host", "origin", "user-agent", PREFLIGHT_HEADER),
    )
}
_NO_COOKIES: Final[Mapping[str, str]] = {}


def read_headers(scope: Scope) -> tuple[Mapping[str, str], Credentials]:
    """The headers that matter here; one that is given several times is joined by commas, but for credentials."""
    found: dict[str, str] = {}
    authorizations: list[str] = []
    cookies: dict[str, str] | None = None
    for name, value in scope["headers"]:
        if (key := _READ.get(name)) is not None:
            text = value.decode("latin-1")
            found[key] = f"{found[key]}, {text}" if key in found else text
        elif name == b"authorization":
            authorizations.append(value.decode("latin-1"))
        elif name == b"cookie":
            cookies = {**(cookies or {}), **cookie_parser(value.decode("latin-1"))}
    return found, Credentials(authorizations, cookies or _NO_COOKIES)
