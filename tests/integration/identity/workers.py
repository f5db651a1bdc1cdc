"""Workers of the service as tests see them: identity on a database, with a clock that may be turned."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

import httpx
from starlette.applications import Starlette
from starlette.requests import cookie_parser

from auth.clients import Clients
from auth.identity import Credentials, Identity
from auth.oauth import OAuth
from auth.passwords import Passwords
from auth.principal import Principal
from auth.revocations import Revocations
from auth.sessions import Session, Sessions
from auth.throttle import Throttle
from auth.tokens import Tokens
from models.base import now
from models.crypto.signing import SigningRing
from models.database import Database

PASSWORD = "purple sofa runs the marathon"
ISSUER = "https://id.example"


class Clock:
    """The time now, plus what a test has turned it forward."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return now() + self.ahead


@dataclass(frozen=True, slots=True)
class Worker:
    """One process of the service: its own memory, the shared database and keys."""

    database: Database
    clock: Clock
    ring: SigningRing
    passwords: Passwords
    tokens: Tokens
    revocations: Revocations
    sessions: Sessions
    clients: Clients
    identity: Identity
    throttle: Throttle
    told: list[str] = field(default_factory=list)  # whose session ended because a refresh token was copied

    async def whose(self, token: str) -> Principal:
        """Who a request with this bearer token comes from."""
        return await self.identity.principal(connection(("Authorization", f"Bearer {token}")))

    async def sign_in(self, login: str = "alice") -> Session:
        """A new session of a person with `PASSWORD`."""
        session = await self.sessions.sign_in(login, PASSWORD, ip="203.0.113.7", device="Browser")
        assert isinstance(session, Session)
        return session

    def http(self) -> httpx.AsyncClient:
        """A client of this worker's OAuth endpoints."""
        oauth = OAuth(self.database, self.clients, self.tokens, self.revocations, self.throttle, clock=self.clock)
        transport = httpx.ASGITransport(app=Starlette(routes=oauth.routes()))
        return httpx.AsyncClient(transport=transport, base_url=ISSUER)


def connection(*headers: tuple[str, str]) -> Credentials:
    """What a request with these headers presents."""
    cookies = {name: text for key, value in headers if key == "Cookie" for name, text in cookie_parser(value).items()}
    return Credentials([value for key, value in headers if key == "Authorization"], cookies)


Person: TypeAlias = Callable[..., Awaitable[str]]
Start: TypeAlias = Callable[[], Awaitable[Worker]]
