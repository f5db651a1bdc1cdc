"""Access tokens: JWTs by RFC 9068 (`typ` at+jwt), signed with Ed25519 (RFC 8037, named as in RFC 9864).

Whatever leaves `verify` has a good signature by a key of this ring and was checked for issuer, audience
and times; the algorithm is never taken from the token.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe
from typing import Any, Final, TypeVar

from auth.jose import BadToken, Demands, Key, OverToken, private_key, public_key, signed, verified
from auth.principal import Kind, Principal, Scope, Shape
from models.crypto.signing import SigningRing
from models.errors import Unauthenticated
from models.vocabulary import Purpose, Role

T = TypeVar("T")

PERSON_LIFETIME: Final = timedelta(minutes=5)
MAX_LIFETIME: Final = timedelta(minutes=10)
LEEWAY: Final = timedelta(seconds=3)
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
    jti: str = field(default="", compare=False)  # made when issued

    @property
    def ids(self) -> tuple[str, ...]:
        """What this token ends with when it is revoked: person or client, session, and the token itself."""
        return tuple(each for each in (self.subject, self.session, self.jti) if each)

    @property
    def client_id(self) -> str:
        """The client that asked, which RFC 9068 wants; people sign in to this service itself."""
        return self.subject if self.kind is Kind.SERVICE else "fieldward"

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
        self._demands = Demands(
            algorithms=(_ALGORITHM,),
            types=frozenset({_TYPE}),
            values={"iss": (issuer,), "aud": (audience,)},
            required=frozenset({"sub", "exp", "nbf", "iat", "jti"}),
            life=MAX_LIFETIME,
            leeway=LEEWAY,
        )
        self.use(ring)

    def use(self, ring: SigningRing) -> None:
        """Sign and verify with these keys from now on."""
        self._private: dict[str, Key] = {key.kid: private_key(key.private_jwk()) for key in ring.keys}
        self._public: dict[str, Key] = {key.kid: public_key(key.public_jwk()) for key in ring.keys}
        self._ring = ring

    @property
    def ring(self) -> SigningRing:
        """The keys in use; another object after each change of them."""
        return self._ring

    def issue(self, claims: Claims) -> str:
        """The signed token that says `claims`, of a `jti` of its own. Raises `ValueError` for a life
        longer than `MAX_LIFETIME`."""
        if not timedelta(0) < claims.expires_at - claims.issued_at <= MAX_LIFETIME:
            raise ValueError("an access token lives for at most MAX_LIFETIME")
        kid = self._ring.signing(claims.issued_at).kid
        payload = {"iss": self.issuer, "aud": self.audience, "jti": f"tok_{token_urlsafe(12)}", **_written(claims)}
        return signed({"typ": _TYPE, "kid": kid}, payload, self._private[kid], _ALGORITHM)

    def verify(self, token: str, now: datetime) -> Claims:
        """What `token` says. Raises `ExpiredToken` or `InvalidToken`, never with a part of the token."""
        good = {key.kid for key in self._ring.verifying(now)}

        def key_of(header: Mapping[str, Any]) -> Key | None:
            kid = header.get("kid")
            return self._public[kid] if kid in good else None

        try:
            return _read(verified(token, key_of, self._demands, now))
        except OverToken:
            raise ExpiredToken from None
        except (BadToken, ValueError, KeyError, TypeError, OverflowError):
            raise InvalidToken from None


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
        "client_id": claims.client_id,
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
        jti=_text(claims["jti"]),
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
