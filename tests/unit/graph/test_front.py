"""The short way around Starlette's layers."""

from __future__ import annotations

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from graph.front import Application


class Endpoint:
    """Says by which way it was reached: Starlette's layers leave their router in the scope."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the way and the method."""
        way = "long" if "router" in scope else "short"
        await PlainTextResponse(f"{way} {scope['method']}")(scope, receive, send)


async def other(_request: Request) -> Response:
    """Any other address."""
    return PlainTextResponse("other")


def client_of(passed: list[str]) -> httpx.AsyncClient:
    """A client of an application that notes in `passed` what goes through its outermost layer."""

    def outermost(app: ASGIApp) -> ASGIApp:
        async def note(scope: Scope, receive: Receive, send: Send) -> None:
            passed.append(scope["path"])
            await app(scope, receive, send)

        return note

    app = Application(outermost, routes=[Route("/api", Endpoint()), Route("/other", other, methods=["GET"])])
    app.shorten("/api")
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.example")


async def test_the_path_itself_goes_the_short_way_with_every_method() -> None:
    """Everything passes the outermost layer."""
    passed: list[str] = []
    async with client_of(passed) as client:
        answers = [(await client.request(method, "/api")).text for method in ("GET", "POST", "DELETE")]
        assert answers == ["short GET", "short POST", "short DELETE"]
        assert (await client.get("/other")).text == "other"
    assert passed == ["/api"] * 3 + ["/other"]


async def test_what_is_only_like_it_is_the_routers_business() -> None:
    """A slash at the end is led to the path, and other paths are not found."""
    async with client_of([]) as client:
        led = await client.get("/api/")
        assert (led.status_code, led.headers["location"]) == (307, "http://api.example/api")
        assert (await client.get("/api/more")).status_code == 404
        assert (await client.post("/other")).status_code == 405


def test_a_route_of_some_methods_has_no_short_way() -> None:
    """The router would have to refuse the others."""
    app = Application(lambda inner: inner, routes=[Route("/other", other, methods=["GET"])])
    with pytest.raises(ValueError, match="methods"):
        app.shorten("/other")
