"""What a service may be registered with, checked. Pure; `auth.clients` stores it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from auth.principal import Scope
from auth.purposes import FOR_SERVICES, LENT
from models.client import ClientDocument
from models.errors import BadInput
from models.vocabulary import Label, Purpose

NAME_LENGTH: Final = 100
_REGION: Final = re.compile(r"[a-z0-9-]{2,16}")


@dataclass(frozen=True, slots=True)
class Registration:
    """What a service is called and may do; a part that is None stays as it is."""

    name: str | None = None
    scopes: frozenset[Scope] | None = None
    purposes: frozenset[Purpose] | None = None
    owner: str | None = None
    regions: frozenset[str] | None = None
    introspects: bool | None = None

    @classmethod
    def read(
        cls,
        *,
        name: str | None = None,
        scopes: Iterable[str] | None = None,
        purposes: Iterable[str] | None = None,
        owner: str | None = None,
        regions: Iterable[str] | None = None,
        introspects: bool | None = None,
    ) -> Registration:
        """From texts. Raises `BadInput` that says what is wrong and with what."""
        return cls(
            None if name is None else _text(name, "name"),
            None if scopes is None else _scopes(scopes),
            None if purposes is None else _purposes(purposes),
            None if owner is None else _text(owner, "owner"),
            None if regions is None else _regions(regions),
            introspects,
        )

    def stored(self) -> dict[str, object]:
        """The fields to set."""
        fields: dict[str, object | None] = {
            "name": self.name,
            "scopes": None if self.scopes is None else sorted(map(str, self.scopes)),
            "purposes": None if self.purposes is None else sorted(each.value for each in self.purposes),
            "owner": self.owner,
            "regions": None if self.regions is None else sorted(self.regions),
            "introspects": self.introspects,
        }
        return {name: value for name, value in fields.items() if value is not None}

    def narrows(self, client: ClientDocument, home: str) -> bool:
        """Whether `client`, registered in the region `home`, loses anything by this."""
        scopes, purposes, regions = self.scopes, self.purposes, self.regions
        return (
            (scopes is not None and not all(is_covered(scope, scopes) for scope in scopes_of(client)))
            or (purposes is not None and not purposes >= set(client.purposes))
            or (regions is not None and not regions >= regions_of(client, home))
        )


def scopes_of(client: ClientDocument) -> frozenset[Scope]:
    """What a service may do."""
    return frozenset(map(Scope.parse, client.scopes))


def regions_of(client: ClientDocument, home: str) -> frozenset[str]:
    """The regions that a service's tokens may be for. One that was never asked belongs where it is registered."""
    return frozenset([home] if client.regions is None else client.regions)


def is_covered(scope: Scope, by: Iterable[Scope]) -> bool:
    """Whether `scope` is one of these, or a part of one."""
    return any(each.access is scope.access and each.label.covers(scope.label) for each in by)


def _text(text: str, path: str) -> str:
    if not text.strip() or len(text) > NAME_LENGTH or not text.isprintable():
        raise BadInput(f"A service needs a {path} of at most {NAME_LENGTH} printable characters.", path=(path,))
    return text.strip()


def _scopes(texts: Iterable[str]) -> frozenset[Scope]:
    try:
        scopes = frozenset(map(Scope.parse, texts))
    except ValueError:
        message = "A scope is a label of the schema with :read or :write, like user.contact:read."
        raise BadInput(message, path=("scopes",)) from None
    if not scopes:
        raise BadInput("A service needs at least one scope.", path=("scopes",))
    if any(Label.AUTHORIZATION.covers(scope.label) for scope in scopes):
        raise BadInput("No scope reaches user.authorization: nobody reads credentials.", path=("scopes",))
    return scopes


def _purposes(texts: Iterable[str]) -> frozenset[Purpose]:
    try:
        purposes = frozenset(map(Purpose, texts))
    except ValueError:
        raise BadInput(f"The purposes are {', '.join(FOR_SERVICES)}.", path=("purposes",)) from None
    if not purposes:
        raise BadInput("A service needs at least one purpose.", path=("purposes",))
    if purposes & LENT:
        raise BadInput("EMERGENCY is for people who break the glass, never for a service.", path=("purposes",))
    return purposes


def _regions(texts: Iterable[str]) -> frozenset[str]:
    regions = frozenset(texts)
    if not regions or not all(map(_REGION.fullmatch, regions)):
        raise BadInput("A region has 2 to 16 lower-case letters, digits or hyphens, like eu.", path=("regions",))
    return regions
