"""What a browser is shown at the API's address where the workbench is not built."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_HTML: Final = b"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Fieldward</title><meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,"></head>
<body>
<h1>Fieldward</h1>
<p>GraphiQL is not here because its files are not built: run <code>make workbench</code> where the npm registry can be
reached, then start again.</p>
<p>This is the GraphQL API. Send it a POST with <code>Content-Type: application/json</code> and a body such as
<code>{"query": "{ purposes { name } }"}</code>.</p>
</body>
</html>
"""
_HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "vary": "Accept",
}


async def plain_page(scope: Scope, receive: Receive, send: Send) -> None:
    """A small page that says what is missing, and how to call the API without it."""
    await Response(_HTML, media_type="text/html", headers=_HEADERS)(scope, receive, send)
