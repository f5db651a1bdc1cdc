"""JSON Web Tokens: the only module that knows joserfc. Nothing leaves `verified` without its claims checked.

The algorithm is one of a list that the caller gives and fits the key, never only what the token names
(RFC 8725, section 3.1). `EdDSA` is read as `Ed25519`, the only curve there is here (RFC 9864).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import isfinite
from typing import Any, Final, TypeAlias

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry, extract_compact
from joserfc.jwt import JWTClaimsRegistry
from joserfc.registry import Header

Key: TypeAlias = ECKey | OKPKey | RSAKey

MAX_LENGTH: Final = 8192  # characters
_ED25519: Final = "Ed25519"


class BadToken(Exception):
    """A token that does not hold. Says nothing of what is in it."""


class OverToken(BadToken):
    """A token that was good and whose time is over."""


@dataclass(frozen=True, slots=True)
class Demands:
    """What a kind of token must be. `types` are the accepted `typ` in lower case ("" for none).

    `values` are claims that must be there with one of the given values, `required` those that must be
    there at all. `life` bounds how long before its end a token can have been made, and how far off that is.
    """

    algorithms: Collection[str]
    types: frozenset[str]
    values: Mapping[str, Collection[str]]
    required: frozenset[str]
    life: timedelta
    leeway: timedelta
    one_audience: bool = False
    registry: JWSRegistry = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "registry", _Registry(algorithms=list(self.algorithms)))


def signed(header: Mapping[str, str], claims: Mapping[str, Any], key: Key, algorithm: str) -> str:
    """The token with these claims, signed by `key`."""
    return jwt.encode({"alg": algorithm, **header}, {**claims}, key, registry=JWSRegistry(algorithms=[algorithm]))


def verified(token: str, key_of: Callable[[Header], Key | None], demands: Demands, now: datetime) -> Mapping[str, Any]:
    """The claims of `token`, signed by the key that `key_of` finds for its header, and all that `demands` asks.

    Raises `OverToken` or `BadToken`, never with a part of the token.
    """
    if len(token) > MAX_LENGTH or not token.isascii():
        raise BadToken
    try:
        decoded = jwt.decode(token, lambda found: _found(key_of(found.headers())), registry=demands.registry)
        if str(decoded.header.get("typ", "")).lower() not in demands.types:
            raise BadToken
        _check(decoded.claims, demands, now)
    except ExpiredTokenError:
        raise OverToken from None
    except (JoseError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise BadToken from None
    return decoded.claims


def private_key(jwk: Mapping[str, str]) -> Key:
    """The Ed25519 key that signs, from its JWK."""
    return OKPKey.import_key({**jwk})


def public_key(jwk: Mapping[str, Any]) -> Key:
    """The key that verifies, from its public JWK. Raises `ValueError` for what is none of the three kinds."""
    try:
        match jwk.get("kty"):
            case "OKP":
                # Many a key of Ed25519 names its algorithm as RFC 8037 did; a signature by it is one of Ed25519.
                named = {"alg": _ED25519} if jwk.get("alg") == "EdDSA" else {}
                return OKPKey.import_key({**jwk, **named})
            case "EC":
                return ECKey.import_key({**jwk})
            case "RSA":
                return RSAKey.import_key({**jwk})
    except (JoseError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(type(error).__name__) from None
    raise ValueError("no asymmetric key")


def thumbprint(key: Key) -> str:
    """The SHA-256 of what makes up the public key, in base64url (RFC 7638)."""
    return key.thumbprint()


def claimed_subject(token: str) -> str | None:
    """Whom an unverified token names as its `sub`: only to find the keys that it is then verified with."""
    try:
        subject = json.loads(extract_compact(token.encode("ascii")).payload or b"")["sub"]
    except (JoseError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return subject if isinstance(subject, str) and subject.isascii() and subject.isprintable() else None


def _found(key: Key | None) -> Key:
    if key is None:
        raise BadToken
    return key


def _check(claims: Mapping[str, Any], demands: Demands, now: datetime) -> None:
    essential: dict[str, Any] = {name: {"essential": True} for name in demands.required}
    essential |= {name: {"essential": True, "values": list(values)} for name, values in demands.values.items()}
    seconds, leeway = int(now.timestamp()), int(demands.leeway.total_seconds())
    JWTClaimsRegistry(now=seconds, leeway=leeway, **essential).validate(dict(claims))
    if demands.one_audience and not (isinstance(claims["aud"], str) or len(claims["aud"]) == 1):
        raise BadToken
    times = {name: claims[name] for name in ("exp", "iat", "nbf") if name in claims}
    life = demands.life.total_seconds()
    # NaN and infinity are read from JSON here, and compare as they like.
    if not all(map(isfinite, times.values())) or times["exp"] - times.get("iat", times["exp"]) > life:
        raise BadToken
    if times["exp"] > seconds + life + leeway:
        raise BadToken


class _Registry(JWSRegistry):
    """Reads the ambiguous name `EdDSA` as the one curve that is meant."""

    def get_alg(self, name: str) -> JWSAlgModel:
        if name == "EdDSA" and self.allowed and name in self.allowed:
            return self.algorithms[_ED25519]
        return super().get_alg(name)
