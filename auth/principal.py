"""Who is asking, as frozen values. Built once per request by `auth.identity`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from models.vocabulary import Access, Label, Purpose, Role

RECENT: Final = timedelta(minutes=15)
"""For how long a person counts as having just proven who they are."""

_STRONG: Final = "mfa"  # RFC 8176: more than one factor was used


class Kind(StrEnum):
    """The kinds of principals."""

    NOBODY = "NOBODY"
    PERSON = "PERSON"
    SERVICE = "SERVICE"


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """What a service may do with a label and all beneath it, written `user.contact:read`."""

    label: Label
    access: Access

    @classmethod
    def parse(cls, text: str) -> Scope:
        """Read `user.contact:read`; raises `ValueError` for anything else."""
        label, separator, access = text.partition(":")
        if not separator:
            raise ValueError("a scope is written label:read or label:write")
        return cls(Label(label), Access(access))

    def __str__(self) -> str:
        return f"{self.label}:{self.access}"


class Assurance(NamedTuple):
    """How surely a person is who they say. A tuple: it is hashed with every request.

    `strong`: by a second factor too; `recent`: within the last `RECENT`. Services and nobody have neither.
    """

    strong: bool = False
    recent: bool = False


UNPROVEN: Final = Assurance()
PROVEN: Final = Assurance(strong=True, recent=True)
STALE: Final = Assurance(strong=True)


@dataclass(frozen=True, slots=True)
class Shape:
    """All of a principal that the policy looks at; equal shapes share cached grants."""

    kind: Kind
    roles: frozenset[Role] = frozenset()
    scopes: frozenset[Scope] = frozenset()
    region: str = ""
    assurance: Assurance = UNPROVEN

    @property
    def proven(self) -> Shape:
        """The same caller after every step-up: what they may do at all."""
        return self if self.assurance == PROVEN else replace(self, assurance=PROVEN)


@dataclass(frozen=True, slots=True)
class Principal:
    """One caller: a signed-in person, a service, or nobody.

    `id` is the person's or client's identifier, `session` the sign-in session, `methods` the
    authentication methods used (RFC 8176) at `authenticated_at`. `problem` says why a credential
    that was presented does not hold (the caller is then nobody): public documents still work.
    """

    shape: Shape
    id: str | None = None
    purposes: frozenset[Purpose] = frozenset()
    session: str | None = None
    methods: frozenset[str] = field(default_factory=frozenset)
    authenticated_at: datetime | None = None
    from_cookie: bool = False
    problem: str | None = None

    @property
    def authenticated(self) -> bool:
        return self.shape.kind is not Kind.NOBODY

    @property
    def person(self) -> str | None:
        """The person's id when a person is asking, else None."""
        return self.id if self.shape.kind is Kind.PERSON else None


def is_strong(methods: frozenset[str]) -> bool:
    """Whether authentication methods (RFC 8176) include a second factor."""
    return _STRONG in methods


def subject_of(region: str) -> Shape:
    """The person whom an operation itself identifies: they have just signed in or registered."""
    return Shape(Kind.PERSON, region=region, assurance=Assurance(recent=True))


NOBODY = Principal(shape=Shape(Kind.NOBODY))
