"""Public keys that a service registers (RFC 7517): which are taken, and what each may sign with.

A private or a shared key is refused, whatever it comes with: it was to stay with the service.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from auth.jose import public_key, thumbprint
from models.client import ClientKey
from models.errors import BadInput

MAX_KEYS: Final = 8
MAX_BYTES: Final = 64_000
KID_LENGTH: Final = 200
RSA_BITS: Final = range(2048, 8193)
_SECRET: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_KEPT: Final = ("kty", "crv", "x", "y", "n", "e", "alg", "kid")
_ALGORITHMS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("OKP", "Ed25519"): ("Ed25519", "EdDSA"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("RSA", ""): ("PS256", "PS384", "PS512"),
}
# RSA of PKCS #1 v1.5 (RS256) is not among them, nor anything with a shared secret (RFC 8725, section 3.2).
ALGORITHMS: Final = tuple(sorted({name for names in _ALGORITHMS.values() for name in names}))


def read_keys(text: str, now: datetime) -> list[ClientKey]:
    """The keys of a JWK Set, or of one JWK, in JSON. Raises `BadInput` that names the key by its place."""
    if len(text) > MAX_BYTES:
        raise _bad(f"The keys take more than {MAX_BYTES:,} characters.")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise _bad("The keys are not JSON.") from None
    jwks = document.get("keys", [document]) if isinstance(document, dict) else None
    if not isinstance(jwks, list) or not all(isinstance(jwk, dict) for jwk in jwks):
        raise _bad("The keys are not a JWK Set (RFC 7517).")
    if not 1 <= len(jwks) <= MAX_KEYS:
        raise _bad(f"A service registers 1 to {MAX_KEYS} keys.")
    keys = [_key(jwk, f"Key {place}", now, alone=len(jwks) == 1) for place, jwk in enumerate(jwks, 1)]
    if len({key.id for key in keys}) < len(keys) or len({key.jwk["kid"] for key in keys}) < len(keys):
        raise _bad("Two of the keys are the same, or have the same kid.")
    return keys


def algorithms_of(jwk: Mapping[str, Any]) -> tuple[str, ...]:
    """What a key of this kind may sign with: the one it names, else all that fit it."""
    fitting = _ALGORITHMS.get((str(jwk.get("kty")), str(jwk.get("crv", ""))), ())
    named = jwk.get("alg")
    if jwk.get("kty") == "OKP" and named in fitting:
        return fitting  # two names of one algorithm
    return fitting if named is None else tuple(name for name in fitting if name == named)


def _key(jwk: Mapping[str, Any], called: str, now: datetime, *, alone: bool) -> ClientKey:
    if _SECRET & jwk.keys() or jwk.get("kty") == "oct":
        raise _bad(f"{called} is private or shared. Register public keys only, and make a new one: this one was shown.")
    if not algorithms_of(jwk):
        raise _bad(f"{called} is of a kind that is not taken. Take Ed25519, P-256, P-384, P-521 or RSA, to sign with.")
    operations = jwk.get("key_ops", ["verify"])
    if jwk.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        raise _bad(f"{called} is not for signatures.")
    kept = {name: jwk[name] for name in _KEPT if name in jwk}
    if not all(isinstance(value, str) for value in kept.values()):
        raise _bad(f"{called} is not written as RFC 7517 says.")
    if jwk["kty"] == "RSA" and _bits(kept.get("n", "")) not in RSA_BITS:
        raise _bad(f"{called} has too few bits, or too many: {RSA_BITS.start} to {RSA_BITS.stop - 1} are taken.")
    try:
        identifier = thumbprint(public_key(kept))
    except ValueError:
        raise _bad(f"{called} is no valid key.") from None
    kid = kept.get("kid") or (identifier if alone else "")
    if not 1 <= len(kid) <= KID_LENGTH or not kid.isprintable():
        raise _bad(f"{called} needs a kid of its own, of at most {KID_LENGTH} printable characters.")
    return ClientKey(id=identifier, jwk={**kept, "kid": kid}, created_at=now)


def _bits(modulus: str) -> int:
    try:
        return int.from_bytes(urlsafe_b64decode(modulus + "=" * (-len(modulus) % 4)), "big").bit_length()
    except ValueError:
        return 0


def _bad(message: str) -> BadInput:
    return BadInput(message, path=("jwks",))
