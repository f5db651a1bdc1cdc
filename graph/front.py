"""The application's outermost layers: the request log, and a short way to the endpoints that are asked most.

A request for one of those passes none of Starlette's layers and no router. It needs none of them: the endpoint
answers every failure itself, and what escapes it all the same is logged and answered by the server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send


class ShortWay:
    """ASGI: requests at exactly one of the paths of `endpoints` go there, all else to `app`."""

    def __init__(self, app: ASGIApp, endpoints: Mapping[str, ASGIApp]) -> None:
        self._app, self._endpoints = app, endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        endpoint = self._endpoints.get(scope["path"]) if scope["type"] == "http" else None
        await (endpoint or self._app)(scope, receive, send)


class Application(Starlette):
    """Starlette within `outermost`."""

    def __init__(self, outermost: Callable[[ASGIApp], ASGIApp], **options: Any) -> None:  # noqa: ANN401 - Starlette's
        self._outermost = outermost
        self._short: dict[str, ASGIApp] = {}
        super().__init__(**options)

    def build_middleware_stack(self) -> ASGIApp:
        """As Starlette's, with the short way around it."""
        return self._outermost(ShortWay(super().build_middleware_stack(), self._short))

    def shorten(self, path: str) -> None:
        """Make the short way to the route of exactly this path, which must take every method."""
        route = next(it for it in self.routes if isinstance(it, Route) and it.path == path)
        if route.methods is not None:
            raise ValueError("the router says which methods a route takes")
        self._short[path] = route.app
