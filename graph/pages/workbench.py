"""The workbench: GraphiQL with sign-in, purposes and explanations, all of it from this host.

`make workbench` builds it from `workbench/` into `graph/pages/assets/`: gzipped files whose names hold
their hash, and `manifest.json`. They are read once, at start; nothing else in that folder, or beside
it, can be asked for.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

ASSETS: Final = Path(__file__).parent / "assets"
_MEDIA_TYPES: Final = MappingProxyType(
    {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".ttf": "font/ttf"}
)
_HTML: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Fieldward</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" type="image/svg+xml" href="{base}/{icon}">
<link rel="stylesheet" href="{base}/{style}">
</head>
<body>
<div id="workbench"{demo}></div>
<noscript>The workbench needs scripts. The API itself does not: send it a POST.</noscript>
<script type="module" src="{base}/{script}"></script>
</body>
</html>
"""
# Scripts and workers are files of this host: neither inline nor eval. Styles may be inline because the editor
# (Monaco) makes its style elements and attributes itself and knows no nonce. Its icon font is in the style
# sheet, hence `data:` for fonts.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE_HEADERS: Final = {
    "content-security-policy": _POLICY,
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
    "vary": "Accept",
}
_ASSET_HEADERS: Final = {
    # A worker is governed by the policy that its own file is sent with.
    "content-security-policy": _POLICY,
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "public, max-age=31536000, immutable",
    "vary": "Accept-Encoding",
}


@dataclass(frozen=True, slots=True)
class DemoSignIns:
    """The published sign-ins that the page offers in development."""

    people: tuple[str, ...]
    password: str


@dataclass(frozen=True, slots=True)
class Workbench:
    """The page and its files; `files` holds gzipped content by name."""

    page_bytes: bytes
    files: MappingProxyType[str, bytes]

    @classmethod
    def read(cls, folder: Path, *, base: str, demo: DemoSignIns | None) -> Self | None:
        """Read what was built into `folder`; None when nothing, or not all of it, is there.

        `base` is the address under which the files are served, without a slash at its end.
        """
        try:
            manifest = json.loads((folder / "manifest.json").read_bytes())
            files = {name: (folder / f"{name}.gz").read_bytes() for name in manifest["files"]}
            named = {part: manifest[part] for part in ("script", "style", "icon")}
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if not set(named.values()) <= files.keys():
            return None
        page = _HTML.format(base=base, demo=_attribute(demo), **named)
        return cls(page.encode(), MappingProxyType(files))

    def route(self, base: str) -> Route:
        """Where the files are found."""
        return Route(base + "/{name}", self.asset, methods=["GET"])

    async def page(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application that answers a browser at the API's address."""
        await Response(self.page_bytes, media_type="text/html", headers=_PAGE_HEADERS)(scope, receive, send)

    async def asset(self, request: Request) -> Response:
        """One file, for ever: its name changes with its content."""
        name: str = request.path_params["name"]
        content = self.files.get(name)
        if content is None:
            return Response(status_code=404)
        headers = dict(_ASSET_HEADERS)
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["content-encoding"] = "gzip"
        else:
            content = gzip.decompress(content)
        return Response(content, media_type=_MEDIA_TYPES.get(Path(name).suffix), headers=headers)


def _attribute(demo: DemoSignIns | None) -> str:
    if demo is None:
        return ""
    return f' data-demo="{escape(orjson.dumps(demo).decode())}"'
