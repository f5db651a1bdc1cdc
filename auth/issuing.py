"""What a sign-in leads to, and the access tokens of sessions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from auth.principal import Kind, Principal
from auth.rules import purposes_of_person
from auth.tokens import PERSON_LIFETIME, Claims, Tokens
from models.ids import region_of
from models.vocabulary import FactorKind, Purpose, Role, UserStatus

NEEDED: Final = {
    "status": 1,
    "roles": 1,
    "password_hash": 1,
    "password_changes": 1,
    "factor_kinds": 1,
}  # of an account, to sign in to it
_KNOWN: Final = frozenset({"pwd"})  # what one knows, RFC 8176
_HELD: Final = frozenset({"otp", "hwk"})  # what one has


@dataclass(frozen=True, slots=True)
class Session:
    """What a person holds after signing in; `expires_in` seconds is the life of the access token.

    `refresh_token` is empty where the one that the person has goes on holding.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int
    person: str
    principal: Principal


@dataclass(frozen=True, slots=True)
class SecondFactorWanted:
    """The password was right and nothing is open yet: one of `kinds` is to be shown with `challenge`."""

    challenge: str = field(repr=False)
    person: str
    kinds: frozenset[FactorKind]


def may_sign_in(user: Mapping[str, Any]) -> bool:
    """Whether sessions of this stored account may begin and go on."""
    return user.get("status") != UserStatus.SUSPENDED


def united(*methods: Iterable[str]) -> frozenset[str]:
    """Methods by RFC 8176 together, with `mfa` when they are what one knows and what one has.

    A passkey that has verified its user (`hwk`, `user`) is both by itself.
    """
    proven = frozenset(each for some in methods for each in some)
    both = proven & _KNOWN and proven & _HELD
    return proven | {"mfa"} if both or {"hwk", "user"} <= proven else proven


def issue(
    tokens: Tokens, user: Mapping[str, Any], session: Mapping[str, Any], now: datetime, refresh_token: str
) -> Session:
    """An access token of the stored `session` of the stored `user`, dated `now`.

    No token outlives a role or an extra purpose that it names.
    """
    person = user["_id"]
    granted = _holding(user.get("roles", ()), now)
    roles = frozenset(Role(each["role"]) for each in granted)
    # An extra purpose is given to staff; whoever is none any more has none.
    extra = _holding(session.get("extra_purposes", ()), now) if roles else []
    ends = [each["expires_at"] for each in (*granted, *extra) if each.get("expires_at")]
    until = min([now + PERSON_LIFETIME, *ends])
    claims = Claims(
        subject=person,
        kind=Kind.PERSON,
        issued_at=now,
        expires_at=until,
        session=session["_id"],
        roles=roles,
        purposes=purposes_of_person(roles) | {Purpose(each["purpose"]) for each in extra},
        region=region_of(person, "usr") or "",
        methods=_holding_methods(user, session),
        authenticated_at=session.get("authenticated_at"),
    )
    return Session(tokens.issue(claims), refresh_token, int((until - now).total_seconds()), person, claims.principal())


def _holding_methods(user: Mapping[str, Any], session: Mapping[str, Any]) -> frozenset[str]:
    """What the session was proven by; what was shown of factors counts only while the person has one."""
    proven = frozenset(session.get("methods", ()))
    return proven if user.get("factor_kinds") else proven & _KNOWN


def _holding(grants: Iterable[Mapping[str, Any]], now: datetime) -> list[Mapping[str, Any]]:
    return [each for each in grants if each.get("expires_at") is None or each["expires_at"] > now]
