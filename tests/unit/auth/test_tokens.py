"""Access tokens: what goes in comes out, and nothing else gets in."""

from __future__ import annotations

import base64
import hmac
import json
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey

from auth.principal import Kind, Scope
from auth.tokens import LEEWAY, MAX_LIFETIME, Claims, ExpiredToken, InvalidToken, Tokens, has_expired
from models.crypto.signing import SigningKey, SigningRing
from models.vocabulary import Access, Label, Purpose, Role

NOW = datetime(2026, 3, 1, 12, 0, 0, 250_000, UTC)
STAMP = NOW.timestamp()
ISSUER, AUDIENCE = "https://id.example", "https://id.example/graphql"
GOOD: dict[str, Any] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "usr_eu_01hzzzzzzzzzzzzzzzzzzzzzzz",
    "jti": "a",
    "kind": "PERSON",
    "iat": STAMP,
    "nbf": STAMP,
    "exp": STAMP + 300,
    "purposes": ["ACCOUNT"],
    "region": "eu",
    "roles": [],
}
CLAIMS = Claims(
    subject="usr_eu_01hzzzzzzzzzzzzzzzzzzzzzzz",
    kind=Kind.PERSON,
    issued_at=NOW,
    expires_at=NOW + timedelta(minutes=5),
    session="ses_eu_01hzzzzzzzzzzzzzzzzzzzzzzz",
    roles=frozenset({Role.SUPPORT}),
    purposes=frozenset({Purpose.SUPPORT, Purpose.ACCOUNT}),
    region="eu",
    methods=frozenset({"pwd"}),
    authenticated_at=NOW,
)

Forge = Callable[..., str]


def b64(data: bytes) -> str:
    """Base64 as JOSE writes it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned(header: object, payload: object) -> str:
    """The part of a token that a signature is over."""
    return f"{b64(json.dumps(header).encode())}.{b64(json.dumps(payload).encode())}"


@pytest.fixture
def forge(ring: SigningRing) -> Forge:
    """Sign any claims and header with the service's own key: a GOOD token with something changed."""

    def make(header: dict[str, Any] | None = None, without: str = "", **claims: object) -> str:
        payload = {name: value for name, value in {**GOOD, **claims}.items() if name != without}
        head = {"alg": "Ed25519", "typ": "at+jwt", "kid": ring.keys[0].kid, **(header or {})}
        text = unsigned(head, payload)
        return f"{text}.{b64(Ed25519PrivateKey.from_private_bytes(ring.keys[0]._seed).sign(text.encode()))}"

    return make


def test_the_forgery_itself_is_good(tokens: Tokens, forge: Forge) -> None:
    """What the attackers' table starts from is accepted, so that each row fails for its own reason."""
    assert tokens.verify(forge(), NOW).subject == GOOD["sub"]


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example"},
        {"iss": [ISSUER]},
        {"iss": None},
        {"aud": "https://other.example/graphql"},
        {"aud": []},
        {"aud": None},
        {"aud": {AUDIENCE: 1}},
        {"iat": STAMP + 60},
        {"nbf": STAMP + 60},
        {"exp": STAMP + 3600},
        {"exp": math.nan},
        {"exp": math.inf},
        {"exp": 10**400},
        {"exp": True},
        {"exp": str(STAMP + 300)},
        {"exp": None},
        {"iat": math.nan},
        {"iat": -(10**400)},
        {"nbf": "now"},
        {"sub": ""},
        {"sub": 1},
        {"sub": {"$gt": ""}},
        {"kind": "NOBODY"},
        {"kind": "ROOT"},
        {"roles": ["EMPEROR"]},
        {"roles": "ADMIN"},
        {"roles": {"ADMIN": True}},
        {"scope": "user.contact:own"},
        {"scope": ["user.contact:read"]},
        {"purposes": ["WORLD_DOMINATION"]},
        {"purposes": None},
        {"sid": {"$ne": None}},
        {"region": 7},
        {"auth_time": "yesterday"},
    ],
    ids=lambda claims: json.dumps(claims)[:40],
)
def test_signed_claims_are_still_checked(tokens: Tokens, forge: Forge, claims: dict[str, Any]) -> None:
    """A good signature does not make wrong claims right."""
    with pytest.raises(InvalidToken):
        tokens.verify(forge(**claims), NOW)


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "jti", "kind", "iat", "nbf", "exp", "purposes", "region"])
def test_no_required_claim_may_be_missing(tokens: Tokens, forge: Forge, name: str) -> None:
    """A token without times, issuer or audience is not one of ours."""
    with pytest.raises(InvalidToken):
        tokens.verify(forge(without=name), NOW)


@pytest.mark.parametrize(
    "header",
    [{"typ": "JWT"}, {"typ": "id_token+jwt"}, {"kid": "unknown"}, {"crit": ["exp"], "exp": 1}, {"alg": "EdDSA"}],
    ids=str,
)
def test_a_header_of_another_kind_is_refused(tokens: Tokens, forge: Forge, header: dict[str, Any]) -> None:
    """Only access tokens, only known keys, only the one algorithm (RFC 8725, sections 3.1 and 3.11)."""
    with pytest.raises(InvalidToken):
        tokens.verify(forge(header), NOW)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", ""])
def test_an_unsigned_token_is_refused(tokens: Tokens, ring: SigningRing, algorithm: str) -> None:
    """The algorithm "none" signs nothing, however it is written."""
    head = {"alg": algorithm, "typ": "at+jwt", "kid": ring.keys[0].kid}
    for signature in ("", b64(b"\0" * 64)):
        with pytest.raises(InvalidToken):
            tokens.verify(f"{unsigned(head, GOOD)}.{signature}", NOW)


def test_the_public_key_is_no_shared_secret(tokens: Tokens, ring: SigningRing) -> None:
    """An HMAC under any spelling of the public key is refused (RFC 8725, section 2.1)."""
    public = ring.keys[0].public_jwk()
    head = {"alg": "HS256", "typ": "at+jwt", "kid": ring.keys[0].kid}
    text = unsigned(head, GOOD)
    raw = base64.urlsafe_b64decode(public["x"] + "=")
    pem = OKPKey.import_key({**public}).as_pem(private=False)
    for secret in (raw, public["x"].encode(), json.dumps(public).encode(), pem):
        with pytest.raises(InvalidToken):
            tokens.verify(f"{text}.{b64(hmac.digest(secret, text.encode(), 'sha256'))}", NOW)
    with pytest.raises(InvalidToken):
        tokens.verify(jwt.encode(head, GOOD, OctKey.import_key(raw)), NOW)


def test_another_services_key_is_refused(tokens: Tokens, ring: SigningRing) -> None:
    """Not even under our key's name, nor brought along in the header."""
    stranger = SigningKey.generate()
    for kid in (ring.keys[0].kid, stranger.kid):
        head = {"alg": "Ed25519", "typ": "at+jwt", "kid": kid, "jwk": stranger.public_jwk()}
        with pytest.raises(InvalidToken):
            tokens.verify(jwt.encode(head, GOOD, OKPKey.import_key({**stranger.private_jwk()}), ["Ed25519"]), NOW)


def test_changed_claims_are_refused(tokens: Tokens) -> None:
    """The signature is over what is said."""
    header, payload, signature = tokens.issue(CLAIMS).split(".")
    said = json.loads(base64.urlsafe_b64decode(payload + "=="))
    changed = b64(json.dumps({**said, "roles": ["ADMIN"]}).encode())
    with pytest.raises(InvalidToken):
        tokens.verify(f"{header}.{changed}.{signature}", NOW)


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "...", "a.b.c", "W10.W10.W10", "bnVsbA.bnVsbA.bnVsbA", "é.é.é", "\ud800", "\0", "x" * 10_000_000],
    ids=lambda token: ascii(token)[:12],
)
def test_what_is_no_token_is_refused(tokens: Tokens, token: str) -> None:
    """No text makes the reader fail in another way."""
    with pytest.raises(InvalidToken):
        tokens.verify(token, NOW)


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_no_text_is_taken_for_a_token(header: str, payload: str, signature: str) -> None:
    """Refused is the only outcome, for any three parts."""
    tokens = Tokens(SigningRing((SigningKey.generate(),)), issuer=ISSUER, audience=AUDIENCE)
    parts = [b64(part.encode("utf-8", "surrogatepass")) for part in (header, payload, signature)]
    for token in (".".join(parts), f"{header}.{payload}.{signature}"):
        with pytest.raises(InvalidToken):
            tokens.verify(token, NOW)


def test_a_refusal_repeats_nothing_of_the_token(tokens: Tokens, forge: Forge) -> None:
    """Neither the message nor the chain of causes is shown a claim or the text."""
    with pytest.raises(InvalidToken) as refused:
        tokens.verify(forge(roles=["EMPEROR"]), NOW)
    assert refused.value.message == "The access token is not valid."
    assert refused.value.__suppress_context__


def test_a_token_is_over_after_its_time_and_a_little_leeway(tokens: Tokens) -> None:
    """Clocks may differ by seconds, no more; and the cache measures by the same rule."""
    token = tokens.issue(CLAIMS)
    before, after = CLAIMS.expires_at, CLAIMS.expires_at + LEEWAY + timedelta(seconds=1)
    assert tokens.verify(token, before) == CLAIMS
    assert not has_expired(CLAIMS, before)
    with pytest.raises(ExpiredToken):
        tokens.verify(token, after)
    assert has_expired(CLAIMS, after)
    assert timedelta(seconds=5) >= LEEWAY


def test_a_token_of_the_previous_key_still_holds(ring: SigningRing, tokens: Tokens) -> None:
    """After a new key has been put in front, the others go on verifying."""
    older = Tokens(SigningRing((ring.keys[1],)), issuer=ISSUER, audience=AUDIENCE)
    assert tokens.verify(older.issue(CLAIMS), NOW) == CLAIMS


def test_no_token_lives_longer_than_revocations_are_kept(tokens: Tokens) -> None:
    """A longer life is refused when issuing."""
    for life in (MAX_LIFETIME + timedelta(seconds=1), timedelta(0)):
        with pytest.raises(ValueError, match="MAX_LIFETIME"):
            tokens.issue(replace(CLAIMS, expires_at=NOW + life))


def test_the_header_is_that_of_rfc_9068(tokens: Tokens, ring: SigningRing) -> None:
    """Type, algorithm and key are named."""
    header = json.loads(base64.urlsafe_b64decode(tokens.issue(CLAIMS).split(".")[0] + "=="))
    assert header == {"alg": "Ed25519", "typ": "at+jwt", "kid": ring.keys[0].kid}


SCOPES = st.builds(Scope, st.sampled_from(Label), st.sampled_from(Access))
MOMENTS = st.integers(0, 3_000_000_000_000).map(
    lambda milliseconds: datetime(2001, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
)
ANY_CLAIMS = st.builds(
    lambda issued, life, **rest: Claims(issued_at=issued, expires_at=issued + life, **rest),
    MOMENTS,
    st.integers(1, 600_000).map(lambda milliseconds: timedelta(milliseconds=milliseconds)),
    subject=st.text(st.characters(codec="utf-8"), min_size=1, max_size=40),
    kind=st.sampled_from([Kind.PERSON, Kind.SERVICE]),
    session=st.none() | st.text(st.characters(codec="utf-8"), min_size=1, max_size=40),
    roles=st.frozensets(st.sampled_from(Role)),
    scopes=st.frozensets(SCOPES),
    purposes=st.frozensets(st.sampled_from(Purpose)),
    region=st.sampled_from(["eu", "us"]),
    methods=st.frozensets(st.sampled_from(["pwd", "otp", "hwk"])),
    authenticated_at=st.none() | MOMENTS,
)


@given(ANY_CLAIMS)
def test_what_is_issued_is_what_is_verified(claims: Claims) -> None:
    """Every claim comes back as it was, times to the millisecond."""
    tokens = Tokens(SigningRing((SigningKey.generate(),)), issuer=ISSUER, audience=AUDIENCE)
    assert tokens.verify(tokens.issue(claims), claims.issued_at) == claims
