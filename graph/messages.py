"""What passes between HTTP and the engine: one request in, one answer out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """A well-formed GraphQL over HTTP request; nothing in it is trusted."""

    query: str
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request came from: the peer's address, what it calls itself, and the refresh token and the
    token of a known device that a browser's cookies hold."""

    ip: str | None = None
    user_agent: str | None = None
    refresh_token: str | None = field(default=None, repr=False)
    device_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie to set; `value` None deletes it. `max_age` in seconds."""

    name: str
    value: str | None
    max_age: int = 0
    path: str = "/"


@dataclass(slots=True)
class Answer:
    """The engine's answer.

    `body` is the GraphQL response map and may hold what orjson writes natively (datetimes, dates).
    `status` is the status under `application/graphql-response+json`; under `application/json` every
    well-formed GraphQL response is sent with 200.
    """

    body: dict[str, Any]
    status: int = 200
    cookies: list[Cookie] = field(default_factory=list)
    challenge: str | None = None
    retry_after: int | None = None
    personal: bool = False
