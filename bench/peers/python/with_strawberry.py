"""Stock Strawberry, with `permission_classes` on every field."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any, Self

import strawberry
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.permission import BasePermission
from strawberry.types.nodes import SelectedField

from bench.peers.python.common import MASKS, Access, Callers, People, Raw, Shared, serve

Info = strawberry.Info[dict[str, Any], None]


def may(coordinate: str) -> list[type[BasePermission]]:
    """The permission that asks the rules for `coordinate`."""

    class May(BasePermission):
        message = f"{coordinate} is not permitted."
        error_extensions = {"code": "FORBIDDEN"}  # noqa: RUF012 - Strawberry's own declaration

        def has_permission(self, source: Any, info: strawberry.Info, **_arguments: Any) -> bool:  # noqa: ANN401, ARG002 - its signature
            access: Access = info.context["access"]
            return not access.denied(coordinate)

    return [May]


def guarded(coordinate: str) -> Any:  # noqa: ANN401 - stands for a field of any type
    """A field behind its permission."""
    return strawberry.field(permission_classes=may(coordinate), default=None)


@strawberry.type
class Address:
    """Where a person lives."""

    stored_city: strawberry.Private[str | None] = None

    @strawberry.field(permission_classes=may("Address.city"))
    def city(self, info: Info) -> str | None:
        """Shown masked where the rules say so."""
        return _masked("Address.city", self.stored_city, info)


@strawberry.type
class Preferences:
    """What a person has set for the product."""

    theme: str | None = guarded("Preferences.theme")
    currency: str | None = guarded("Preferences.currency")
    digest: str | None = guarded("Preferences.digest")


@strawberry.type
class User:
    """A person."""

    id: strawberry.ID
    stored_email: strawberry.Private[str | None] = None
    stored_phone: strawberry.Private[str | None] = None
    status: str | None = guarded("User.status")
    age_band: str | None = guarded("User.ageBand")
    username: str | None = guarded("User.username")
    email_verified: bool | None = guarded("User.emailVerified")
    full_name: str | None = guarded("User.fullName")
    given_name: str | None = guarded("User.givenName")
    family_name: str | None = guarded("User.familyName")
    birth_date: str | None = guarded("User.birthDate")
    country: str | None = guarded("User.country")
    locale: str | None = guarded("User.locale")
    address: Address | None = guarded("User.address")
    created_at: datetime | None = guarded("User.createdAt")
    last_seen_at: datetime | None = guarded("User.lastSeenAt")
    last_seen_ip: str | None = guarded("User.lastSeenIp")
    login_count: int | None = guarded("User.loginCount")
    marketing_opt_in: bool | None = guarded("User.marketingOptIn")
    device_ids: list[str] | None = guarded("User.deviceIds")
    preferences: Preferences | None = guarded("User.preferences")

    @strawberry.field(permission_classes=may("User.email"))
    def email(self, info: Info) -> str | None:
        """Shown masked where the rules say so."""
        return _masked("User.email", self.stored_email, info)

    @strawberry.field(permission_classes=may("User.phone"))
    def phone(self, info: Info) -> str | None:
        """Shown masked where the rules say so."""
        return _masked("User.phone", self.stored_phone, info)

    @classmethod
    def of(cls, raw: Raw) -> Self:
        """A person from a document as read."""
        identifier, preferences, address = raw.pop("_id"), raw.pop("preferences", None), raw.pop("address", None)
        return cls(
            id=identifier,
            stored_email=raw.pop("email", None),
            stored_phone=raw.pop("phone", None),
            address=Address(stored_city=address.get("city")) if address else None,
            preferences=Preferences(**preferences) if preferences else None,
            **raw,
        )


def _masked(coordinate: str, value: str | None, info: Info) -> str | None:
    return MASKS[coordinate](value) if value is not None and info.context["access"].masked(coordinate) else value


@strawberry.type
class UserConnection:
    """A page of people."""

    nodes: list[User]


@strawberry.input
class UserBy:
    """Names one person."""

    id: strawberry.ID


@strawberry.type
class Query:
    """Reading people."""

    @strawberry.field
    async def user(self, info: Info, by: UserBy) -> User | None:
        """One person."""
        raw = await info.context["people"].one(str(by.id), _selected(info.selected_fields[0]), info.context["access"])
        return raw and User.of(raw)

    @strawberry.field
    async def users(self, info: Info, first: int = 20, after: str | None = None) -> UserConnection:
        """A page of people."""
        names = _selected(info.selected_fields[0].selections[0])
        rows = await info.context["people"].many(first, after, names, info.context["access"])
        return UserConnection(nodes=[User.of(raw) for raw in rows])


def _selected(field: Any) -> list[str]:  # noqa: ANN401 - Strawberry's union of selections
    return [it.name for it in field.selections if isinstance(it, SelectedField)]


class Application(GraphQL[dict[str, Any], None]):
    """Strawberry's ASGI application with what every resolver needs in its context."""

    def __init__(self, callers: Callers, people: People) -> None:
        super().__init__(
            strawberry.Schema(Query, extensions=[ParserCache, ValidationCache]),
            graphql_ide=None,
            subscription_protocols=(),
        )
        self._callers, self._people = callers, people

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> dict[str, Any]:
        """Who asks, for what."""
        return {
            "request": request,
            "response": response,
            "access": self._callers.access(request),
            "people": self._people,
        }


def application() -> Application:
    """The application, from the environment."""
    shared = Shared.load()
    # A denial is no failure to be logged with its trace.
    logging.getLogger("strawberry.execution").setLevel(logging.CRITICAL + 1)
    return Application(Callers(shared), People(shared, tz_aware=True))


if __name__ == "__main__":
    serve(application())
