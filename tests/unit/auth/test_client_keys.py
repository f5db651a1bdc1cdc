"""Which keys a service may register."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from auth.client_keys import ALGORITHMS, MAX_KEYS, algorithms_of, read_keys
from auth.jose import Demands, public_key, verified
from models.errors import BadInput
from tests.integration.identity.service_keys import ServiceKey

NOW = datetime(2026, 3, 1, tzinfo=UTC)
EC = ECKey.generate_key("P-256")
PUBLIC = {**EC.as_dict(private=False), "kid": "one"}


def document(*jwks: object) -> str:
    """A JWK Set."""
    return json.dumps({"keys": jwks})


@pytest.mark.parametrize(
    "key",
    [EC, ECKey.generate_key("P-384"), OKPKey.generate_key("Ed25519"), RSAKey.generate_key(2048)],
    ids=lambda key: key.key_type,
)
def test_a_public_key_is_taken(key: ECKey | OKPKey | RSAKey) -> None:
    """By itself or in a set; without a name it goes by its thumbprint (RFC 7638)."""
    bare = {name: value for name, value in key.as_dict(private=False).items() if name != "kid"}
    for text in (json.dumps(bare), document(bare)):
        (taken,) = read_keys(text, NOW)
        assert taken.id == taken.jwk["kid"] == key.thumbprint()
        assert algorithms_of(taken.jwk)


@pytest.mark.parametrize("named", ["Ed25519", "EdDSA", None])
@pytest.mark.parametrize("written", ["Ed25519", "EdDSA"])
def test_an_ed25519_key_goes_by_either_name(named: str | None, written: str) -> None:
    """Libraries of before RFC 9864 write EdDSA into keys and headers; a key that is taken is one that works."""
    key = ServiceKey.make(written)
    public = key.public() | ({"alg": named} if named else {})
    (taken,) = read_keys(document(public), NOW)
    life, leeway = timedelta(minutes=5), timedelta(0)
    demands = Demands(ALGORITHMS, frozenset({""}), values={}, required=frozenset(), life=life, leeway=leeway)
    claims = verified(key.assertion("one", "here", at=NOW.timestamp()), lambda _: public_key(taken.jwk), demands, NOW)
    assert claims["sub"] == "one"
    assert written in algorithms_of(taken.jwk)


@pytest.mark.parametrize(
    "key",
    [EC, OKPKey.generate_key("Ed25519"), RSAKey.generate_key(2048), OctKey.generate_key(256)],
    ids=lambda key: key.key_type,
)
def test_a_private_or_shared_key_is_refused(key: ECKey | OKPKey | RSAKey | OctKey) -> None:
    """Also among good ones, and nothing of it is repeated."""
    private = {**key.as_dict(private=True), "kid": "two"}
    for text in (document(private), document(PUBLIC, private)):
        with pytest.raises(BadInput, match="private or shared") as refused:
            read_keys(text, NOW)
        assert str(private.get("d", private.get("k"))) not in refused.value.message


@pytest.mark.parametrize(
    "jwk",
    [
        ECKey.generate_key("secp256k1").as_dict(private=False),
        OKPKey.generate_key("X25519").as_dict(private=False),
        OKPKey.generate_key("Ed448").as_dict(private=False),
        {"kty": "RSA", "n": "w" + "A" * 169 + "Q", "e": "AQAB"},  # 1024 bits
        {"kty": "RSA", "n": "w" + "A" * 1_500, "e": "AQAB"},
        {**RSAKey.generate_key(2048).as_dict(private=False), "alg": "RS256"},
        {**PUBLIC, "alg": "HS256"},
        {**PUBLIC, "alg": "ES384"},
        {**PUBLIC, "alg": "none"},
        {**PUBLIC, "use": "enc"},
        {**PUBLIC, "key_ops": ["encrypt"]},
        {**PUBLIC, "key_ops": 7},
        {**PUBLIC, "x": PUBLIC["y"]},
        {**PUBLIC, "x": "!"},
        {**PUBLIC, "x": 7},
        {**PUBLIC, "kid": 7},
        {**PUBLIC, "kid": "a\nb"},
        {**PUBLIC, "kid": "x" * 201},
        {"kty": "EC", "crv": "P-256"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {"kty": "nonsense"},
        {},
    ],
    ids=lambda jwk: ",".join(jwk) or "nothing",
)
def test_a_key_that_is_of_no_use_is_refused(jwk: dict[str, Any]) -> None:
    """In words that name which one it is."""
    with pytest.raises(BadInput, match=r"^Key 1 "):
        read_keys(document(jwk), NOW)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "[]",
        "null",
        '{"keys": []}',
        '{"keys": {}}',
        '{"keys": [1]}',
        document(PUBLIC, PUBLIC),
        document(PUBLIC, {**PUBLIC, "kid": "two"}),
        document(PUBLIC, {**ECKey.generate_key("P-256").as_dict(private=False), "kid": "one"}),
        document(*[{**ECKey.generate_key("P-256").as_dict(private=False), "kid": str(n)} for n in range(MAX_KEYS + 1)]),
        "[" * 50_000,
        " " * 64_001,
    ],
    ids=lambda text: text[:20],
)
def test_what_is_no_set_of_keys_is_refused(text: str) -> None:
    """Nor one with the same key or name twice."""
    with pytest.raises(BadInput):
        read_keys(text, NOW)


def test_several_keys_need_names() -> None:
    """An assertion has to say which one it is."""
    bare = {name: value for name, value in PUBLIC.items() if name != "kid"}
    with pytest.raises(BadInput, match="kid"):
        read_keys(document(bare, {**ECKey.generate_key("P-256").as_dict(private=False), "kid": "two"}), NOW)


def test_only_what_makes_up_the_key_is_kept() -> None:
    """No certificate, no address of one."""
    (taken,) = read_keys(document({**PUBLIC, "x5u": "https://elsewhere.example", "use": "sig", "alg": "ES256"}), NOW)
    assert taken.jwk == {name: PUBLIC[name] for name in ("kty", "crv", "x", "y", "kid")} | {"alg": "ES256"}


def test_no_algorithm_is_shared_or_of_pkcs1() -> None:
    """RFC 8725, section 3.2."""
    assert not [name for name in ALGORITHMS if name.startswith(("HS", "RS", "none"))]
