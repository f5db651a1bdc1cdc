"""A passkey authenticator in software, and the browser before it: ES256, attestation `none` or `packed` (self).

It answers options as a browser's `toJSON` does. What a test wants to be wrong is said by keyword.
"""

from __future__ import annotations

import json
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from secrets import token_bytes
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40
_AAGUID = bytes(16)


@dataclass
class Key:
    """One passkey: whose, for which host, and how often it has signed."""

    id: bytes
    private: ec.EllipticCurvePrivateKey
    host: str
    handle: bytes
    count: int = 0

    def public(self) -> bytes:
        """The public key in COSE (RFC 9053, section 7.1)."""
        numbers = self.private.public_key().public_numbers()
        coordinates = {-2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        return cbor2.dumps({1: 2, 3: -7, -1: 1, **coordinates})

    def sign(self, data: bytes) -> bytes:
        """An ECDSA signature, as DER."""
        return self.private.sign(data, ec.ECDSA(SHA256()))


@dataclass
class Authenticator:
    """Holds keys for pages at `origin`. `counts` False is what passkeys that are synchronised do."""

    origin: str
    counts: bool = True
    keys: list[Key] = field(default_factory=list)

    def create(
        self,
        options: str,
        *,
        verified: bool = True,
        origin: str | None = None,
        host: str | None = None,
        challenge: bytes | None = None,
        packed: bool = False,
    ) -> str:
        """The answer of `navigator.credentials.create`."""
        asked = json.loads(options)
        assert asked["authenticatorSelection"]["userVerification"] == "required"
        assert asked["authenticatorSelection"]["residentKey"] == "required"
        assert -7 in [each["alg"] for each in asked["pubKeyCredParams"]]
        excluded = {decoded(each["id"]) for each in asked.get("excludeCredentials", ())}
        assert not excluded & {key.id for key in self.keys}, "this device has a key of this person"
        key = Key(
            token_bytes(32),
            ec.generate_private_key(ec.SECP256R1()),
            host or asked["rp"]["id"],
            decoded(asked["user"]["id"]),
        )
        self.keys.append(key)
        return self.attested(key, challenge or decoded(asked["challenge"]), verified, origin, packed=packed)

    def attested(
        self, key: Key, challenge: bytes, verified: bool = True, origin: str | None = None, *, packed: bool = False
    ) -> str:
        """The answer that presents `key` as new."""
        client = self._client("webauthn.create", challenge, origin)
        credential = _AAGUID + struct.pack(">H", len(key.id)) + key.id + key.public()
        data = _authenticator_data(key, verified) + credential
        data = data[:32] + bytes([data[32] | _ATTESTED]) + data[33:]
        signed: dict[str, Any] = {"alg": -7, "sig": key.sign(data + sha256(client).digest())} if packed else {}
        statement = {"fmt": "packed" if packed else "none", "attStmt": signed, "authData": data}
        response = {
            "clientDataJSON": encoded(client),
            "attestationObject": encoded(cbor2.dumps(statement)),
            "transports": ["internal", "hybrid"],
        }
        return _credential(key, response)

    def get(
        self,
        options: str,
        *,
        verified: bool = True,
        origin: str | None = None,
        challenge: bytes | None = None,
        host: str | None = None,
        key: Key | None = None,
        handle: bytes | None = None,
        signed_by: Key | None = None,
    ) -> str:
        """The answer of `navigator.credentials.get`: by `key`, or by the one that the options allow."""
        asked = json.loads(options)
        assert asked["userVerification"] == "required"
        allowed = {decoded(each["id"]) for each in asked.get("allowCredentials", ())}
        used = key or next(
            each for each in self.keys if each.host == asked["rpId"] and (each.id in allowed or not allowed)
        )
        if self.counts:
            used.count += 1
        client = self._client("webauthn.get", challenge or decoded(asked["challenge"]), origin)
        data = _authenticator_data(used, verified, host)
        response = {
            "clientDataJSON": encoded(client),
            "authenticatorData": encoded(data),
            "signature": encoded((signed_by or used).sign(data + sha256(client).digest())),
            "userHandle": encoded(used.handle if handle is None else handle),
        }
        return _credential(used, response)

    def _client(self, kind: str, challenge: bytes, origin: str | None) -> bytes:
        data = {"type": kind, "challenge": encoded(challenge), "origin": origin or self.origin, "crossOrigin": False}
        return json.dumps(data).encode()


def encoded(data: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """The reverse."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _authenticator_data(key: Key, verified: bool, host: str | None = None) -> bytes:
    flags = _PRESENT | (_VERIFIED if verified else 0)
    return sha256((host or key.host).encode()).digest() + struct.pack(">BI", flags, key.count)


def _credential(key: Key, response: dict[str, Any]) -> str:
    name = encoded(key.id)
    made = {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}
    return json.dumps(made)
