"""What is asked of every server, as requests ready to be sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import orjson

from models.vocabulary import Purpose, Role

_TEN: Final = (
    *("id", "username", "email", "fullName", "phone"),
    *("country", "locale", "createdAt", "loginCount", "marketingOptIn"),
)
_THREE_DENIED: Final = (
    *("id", "username", "email", "fullName", "country", "locale", "createdAt"),
    *("birthDate", "lastSeenIp", "deviceIds"),
)
_NESTED: Final = ("id", "username", "fullName", "lastSeenIp", "deviceIds", "preferences")
_HOLDS: Final = {"address": " { city }", "preferences": " { theme currency digest }"}


@dataclass(frozen=True, slots=True)
class Workload:
    """One kind of request. `first` None asks for one person by id, else for a page of that size.

    `nulls`: some fields are denied, and the answer shows null in their place.
    """

    name: str
    title: str
    role: Role
    purpose: Purpose
    fields: tuple[str, ...]
    first: int | None = None
    nulls: bool = False

    def document(self, *, declares_nulls: bool) -> str:
        """The operation. Only Fieldward is told in the document that nulls are wanted: the others give nothing else."""
        directive = f" @purpose(is: {self.purpose}, onDenied: NULL)" if self.nulls and declares_nulls else ""
        fields = " ".join(name + _HOLDS.get(name, "") for name in self.fields)
        if self.first is None:
            return f"query {self.name}($id: ID!){directive} {{ user(by: {{id: $id}}) {{ {fields} }} }}"
        return (
            f"query {self.name}($after: String){directive} "
            f"{{ users(first: {self.first}, after: $after) {{ nodes {{ {fields} }} }} }}"
        )

    @property
    def plain(self) -> dict[str, Any]:
        """What the limits, which know no GraphQL, need to know of this workload."""
        return {"names": self.fields} | ({} if self.first is None else {"first": self.first})


WORKLOADS: Final = (
    Workload("Person", "one person x 10", Role.SUPPORT, Purpose.SUPPORT, _TEN),
    Workload("People", "100 people x 10", Role.SUPPORT, Purpose.SUPPORT, _TEN, first=100),
    Workload("Denied", "100 x 10, 3 denied", Role.SUPPORT, Purpose.SUPPORT, _THREE_DENIED, first=100, nulls=True),
    Workload("Nested", "50 x 6, nested", Role.SECURITY, Purpose.SECURITY, _NESTED, first=50),
)
_NONE_SEALED: Final = (
    *("id", "username", "status", "ageBand", "country", "locale"),
    *("createdAt", "lastSeenAt", "loginCount", "marketingOptIn"),
)
_EIGHT_SEALED: Final = (
    *("id", "username", "fullName", "givenName", "familyName", "email", "phone", "address"),
    *("lastSeenIp", "deviceIds"),
)


def _sealed(count: int, role: Role, purpose: Purpose, fields: tuple[str, ...]) -> Workload:
    return Workload(f"Sealed{count}", f"100 people x 10, {count} sealed", role, purpose, fields, first=100)


# By how many of the ten fields are sealed. The rules show eight such fields to SECURITY only.
SEALED: Final[Mapping[int, Workload]] = {
    0: _sealed(0, Role.SUPPORT, Purpose.SUPPORT, _NONE_SEALED),
    1: _sealed(1, Role.SUPPORT, Purpose.SUPPORT, (*_NONE_SEALED[:-1], "fullName")),
    3: _sealed(3, Role.SUPPORT, Purpose.SUPPORT, (*_NONE_SEALED[:-3], "fullName", "givenName", "familyName")),
    8: _sealed(8, Role.SECURITY, Purpose.SECURITY, _EIGHT_SEALED),
}


@dataclass(frozen=True, slots=True)
class Places:
    """Whom requests may ask for: ids of people, and cursors to start a page after."""

    ids: Sequence[str]
    cursors: Sequence[str]


def variables_of(workload: Workload, places: Places, count: int, seed: int) -> list[dict[str, str]]:
    """The variables of `count` requests, drawn at random: the same seed, the same requests."""
    random = Random(seed)  # noqa: S311 - a sample, no secret
    if workload.first is None:
        return [{"id": random.choice(places.ids)} for _ in range(count)]
    return [{"after": random.choice(places.cursors)} for _ in range(count)]


def bodies_of(document: str, name: str, variables: Sequence[dict[str, str]]) -> list[bytes]:
    """The JSON bodies of requests for one operation."""
    return [orjson.dumps({"query": document, "operationName": name, "variables": each}) for each in variables]


def http_request(body: bytes, token: str, purpose: str, port: int) -> bytes:
    """A whole HTTP/1.1 request on a connection that stays open."""
    head = (
        "POST /graphql HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{port}\r\n"
        f"Authorization: Bearer {token}\r\n"
        f"Data-Purpose: {purpose}\r\n"
        "Content-Type: application/json\r\n"
        "Accept: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
