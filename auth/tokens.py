"""Access tokens: JWTs by RFC 9068 (`typ` at+jwt), signed with Ed25519 (RFC 8037, named as in RFC 9864).

The only module that knows joserfc. Whatever leaves `verify` has a good signature by a key of this ring
and was checked for issuer, audience and times; the algorithm is never taken from the token.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe
from typing import Any, Final, TypeVar

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import KeySet, OKPKey
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry

from auth.principal import Kind, Principal, Scope, Shape
from models.crypto.signing import SigningRing
from models.errors import Unauthenticated
from models.vocabulary import Purpose, Role

T = TypeVar("T")

PERSON_LIFETIME: Final = timedelta(minutes=5)
MAX_LIFETIME: Final = timedelta(minutes=10)
LEEWAY: Final = timedelta(seconds=3)
MAX_LENGTH: Final = 8192  # characters; a token with every scope has under 4,000
_ALGORITHM: Final = "Ed25519"
_TYPE: Final = "at+jwt"


class InvalidToken(Unauthenticated):
    """A token that does not hold. Never says which part of it was wrong."""

    def __init__(self, message: str = "The access token is not valid.") -> None:
        super().__init__(message)


class ExpiredToken(InvalidToken):
    """A token that was good and is over."""

    def __init__(self) -> None:
        super().__init__("The access token has expired.")


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says. Times are in UTC to the millisecond, so that a revocation can tell before from after."""

    subject: str
    kind: Kind
    issued_at: datetime
    expires_at: datetime
    session: str | None = None
    roles: frozenset[Role] = frozenset()
    scopes: frozenset[Scope] = frozenset()
    purposes: frozenset[Purpose] = frozenset()
    region: str = ""
    methods: frozenset[str] = field(default_factory=frozenset)
    authenticated_at: datetime | None = None

    def principal(self) -> Principal:
        """The caller these claims describe."""
        return Principal(
            shape=Shape(self.kind, self.roles, self.scopes, self.region),
            id=self.subject,
            purposes=self.purposes,
            session=self.session,
            methods=self.methods,
            authenticated_at=self.authenticated_at,
        )


class Tokens:
    """Issues and verifies. `issuer` is a URL, `audience` names the API the tokens are for."""

    def __init__(self, ring: SigningRing, *, issuer: str, audience: str) -> None:
        self.issuer, self.audience = issuer, audience
        self._kid = ring.current.kid
        self._signing = OKPKey.import_key({**ring.current.private_jwk()})
        self._verifying = KeySet([OKPKey.import_key({**key.public_jwk()}) for key in ring.keys])
        self._registry = JWSRegistry(algorithms=[_ALGORITHM])

    def issue(self, claims: Claims) -> str:
        """The signed token that says `claims`. Raises `ValueError` for a life longer than `MAX_LIFETIME`."""
        if not timedelta(0) < claims.expires_at - claims.issued_at <= MAX_LIFETIME:
            raise ValueError("an access token lives for at most MAX_LIFETIME")
        header = {"alg": _ALGORITHM, "typ": _TYPE, "kid": self._kid}
        payload = {"iss": self.issuer, "aud": self.audience, "jti": token_urlsafe(12), **_written(claims)}
        return jwt.encode(header, payload, self._signing, registry=self._registry)

    def verify(self, token: str, now: datetime) -> Claims:
        """What `token` says. Raises `ExpiredToken` or `InvalidToken`, never with a part of the token."""
        if len(token) > MAX_LENGTH or not token.isascii():
            raise InvalidToken
        try:
            decoded = jwt.decode(token, self._verifying, registry=self._registry)
            if str(decoded.header.get("typ")).lower() != _TYPE:
                raise InvalidToken
            self._check(decoded.claims, now)
            return _read(decoded.claims)
        except ExpiredTokenError:
            raise ExpiredToken from None
        except (JoseError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            raise InvalidToken from None

    def _check(self, claims: Mapping[str, Any], now: datetime) -> None:
        required: dict[str, Any] = {name: {"essential": True} for name in ("sub", "exp", "nbf", "iat", "jti")}
        required["iss"] = {"essential": True, "value": self.issuer}
        required["aud"] = {"essential": True, "value": self.audience}
        leeway = int(LEEWAY.total_seconds())
        JWTClaimsRegistry(now=int(now.timestamp()), leeway=leeway, **required).validate(dict(claims))
        if claims["exp"] - claims["iat"] > MAX_LIFETIME.total_seconds():
            raise InvalidToken


def has_expired(claims: Claims, now: datetime) -> bool:
    """Whether the time of verified claims is over, by the same measure as `Tokens.verify`."""
    return claims.expires_at + LEEWAY <= now


def _written(claims: Claims) -> dict[str, Any]:
    issued = claims.issued_at.timestamp()
    optional = {
        "sid": claims.session,
        "roles": sorted(claims.roles),
        "scope": " ".join(sorted(map(str, claims.scopes))),
        "amr": sorted(claims.methods),
        "auth_time": claims.authenticated_at and claims.authenticated_at.timestamp(),
    }
    return {
        "sub": claims.subject,
        # RFC 9068 wants the client that asked; people sign in to this service itself.
        "client_id": claims.subject if claims.kind is Kind.SERVICE else "fieldward",
        "kind": claims.kind.value,
        "iat": issued,
        "nbf": issued,
        "exp": claims.expires_at.timestamp(),
        "purposes": sorted(claims.purposes),
        "region": claims.region,
        **{name: value for name, value in optional.items() if value},
    }


def _read(claims: Mapping[str, Any]) -> Claims:
    kind = Kind(claims["kind"])
    if kind is Kind.NOBODY:
        raise ValueError("a token is of a person or a service")
    session, auth_time = claims.get("sid"), claims.get("auth_time")
    return Claims(
        subject=_text(claims["sub"]),
        kind=kind,
        issued_at=_moment(claims["iat"]),
        expires_at=_moment(claims["exp"]),
        session=None if session is None else _text(session),
        roles=_each(Role, claims.get("roles", [])),
        scopes=_each(Scope.parse, _text(claims.get("scope", "")).split()),
        purposes=_each(Purpose, claims["purposes"]),
        region=_text(claims["region"]),
        methods=_each(_text, claims.get("amr", [])),
        authenticated_at=None if auth_time is None else _moment(auth_time),
    )


def _each(parse: Callable[[str], T], values: object) -> frozenset[T]:
    if not isinstance(values, list):
        raise TypeError("expected a list")
    return frozenset(parse(value) for value in values)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("expected text")
    return value


def _moment(value: float) -> datetime:
    return datetime.fromtimestamp(round(value * 1000) // 1000, UTC) + timedelta(milliseconds=round(value * 1000) % 1000)
