"""The page that links in mails lead to: it confirms an address, takes a new password, or sends a link for one.

It is small, from this host alone, and calls the API without cookies: what it may do, the link says.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from types import MappingProxyType
from typing import Final, Self

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

_MEDIA_TYPES: Final = MappingProxyType({"css": "text/css", "js": "text/javascript"})
# Nothing inline, no eval, and no place where a text could become markup or script.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS: Final = {
    "content-security-policy": _POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


@dataclass(frozen=True, slots=True)
class AccountPage:
    """The page at `base`, and its files by their names, which hold their hash."""

    base: str
    page_bytes: bytes
    files: MappingProxyType[str, bytes]

    @classmethod
    def read(cls, *, base: str, api: str) -> Self:
        """Read the files beside this module; `api` is the path that the page asks."""
        beside = files("graph.pages")
        found = {kind: beside.joinpath(f"account.{kind}").read_bytes() for kind in _MEDIA_TYPES}
        names = {kind: f"account.{sha256(content).hexdigest()[:16]}.{kind}" for kind, content in found.items()}
        page = beside.joinpath("account.html").read_text("utf-8")
        page = page.format(style=f"{base}/{names['css']}", script=f"{base}/{names['js']}", api=api)
        return cls(base, page.encode(), MappingProxyType({names[kind]: found[kind] for kind in names}))

    def routes(self) -> list[BaseRoute]:
        """Where the page and its files are found."""
        return [
            Route(self.base, self.page, methods=["GET"]),
            Route(self.base + "/{name}", self.asset, methods=["GET"]),
        ]

    async def page(self, _request: Request) -> Response:
        """The page, the same for every link."""
        return Response(self.page_bytes, media_type="text/html", headers=_HEADERS | {"cache-control": "no-store"})

    async def asset(self, request: Request) -> Response:
        """One file, for ever: its name changes with its content."""
        name: str = request.path_params["name"]
        content = self.files.get(name)
        if content is None:
            return Response(status_code=404)
        headers = _HEADERS | {"cache-control": "public, max-age=31536000, immutable"}
        return Response(content, media_type=_MEDIA_TYPES[name.rpartition(".")[2]], headers=headers)
