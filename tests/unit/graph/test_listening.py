"""Who is trusted to say where a request comes from."""

from __future__ import annotations

from typing import Any

import pytest
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from graph.commands.listening import trusted
from graph.settings import load_settings


@pytest.mark.parametrize(
    ("peer", "seen"),
    [
        ("10.1.2.3", "203.0.113.7"),
        ("::ffff:10.1.2.3", "203.0.113.7"),  # the same one, by a socket for IPv4 and IPv6
        ("2001:db8::5", "203.0.113.7"),
        ("11.1.2.3", "11.1.2.3"),
        ("::ffff:11.1.2.3", "::ffff:11.1.2.3"),
        ("::10.1.2.3", "::10.1.2.3"),
        ("2001:db9::5", "2001:db9::5"),
    ],
)
async def test_a_proxy_is_trusted_however_its_address_is_written(peer: str, seen: str) -> None:
    """As uvicorn compares it; nobody else is."""
    settings = load_settings({"FIELDWARD_TRUSTED_PROXIES": "10.0.0.0/8, 2001:db8::/32"})
    clients: list[Any] = []

    async def app(scope: Any, *_channels: Any) -> None:  # noqa: ANN401 - as ASGI has it
        clients.append(scope["client"][0])

    async def nothing(*_message: Any) -> Any:  # noqa: ANN401 - stands for both directions
        return {}

    scope: Any = {
        "type": "http",
        "client": (peer, 1),
        "scheme": "http",
        "headers": [(b"x-forwarded-for", b"203.0.113.7")],
    }
    await ProxyHeadersMiddleware(app, trusted(settings))(scope, nothing, nothing)
    assert clients == [seen]
