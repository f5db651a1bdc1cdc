"""Tokens as an attacker would make them, from a genuine one."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.e2e.authenticator import decoded, encoded
from tests.e2e.server import Server

TIMES: Final = frozenset({"iat", "nbf", "exp"})


@dataclass(frozen=True)
class Forger:
    """Knows a genuine token, and the service's own key, so that only what is said is wrong with a token."""

    genuine: str
    own: Ed25519PrivateKey
    stranger: Ed25519PrivateKey

    @classmethod
    def at(cls, server: Server, genuine: str) -> Forger:
        """One who has seen a token, and for the sake of the test the key file."""
        header = json.loads(decoded(genuine.split(".", maxsplit=1)[0]))
        keys = json.loads((server.folder / "keys" / "signing.json").read_text())["keys"]
        seed = next(decoded(key["d"]) for key in keys if key["kid"] == header["kid"])
        return cls(genuine, Ed25519PrivateKey.from_private_bytes(seed), Ed25519PrivateKey.generate())

    def make(self, attack: Mapping[str, Any]) -> str:
        """The token that an entry of `tokens.yaml` describes."""
        header, claims = (json.loads(decoded(part)) for part in self.genuine.split(".")[:2])
        header = _changed(header, {k: self._given(v) for k, v in attack.get("header", {}).items()})
        now = time.time()
        given = attack.get("claims", {})
        moved = {k: now + v if k in TIMES and v is not None else v for k, v in given.items()}
        claims = _changed(claims, moved)
        text = ".".join(encoded(json.dumps(part).encode()) for part in (header, claims))
        return f"{text}.{self._signers()[attack['sign']](text.encode())}"

    def _given(self, value: object) -> object:
        return _jwk(self.stranger) if value == "$stranger" else value

    def _signers(self) -> Mapping[str, Callable[[bytes], str]]:
        raw = self.own.public_key().public_bytes_raw()
        pem = self.own.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

        def by_hmac(key: bytes) -> Callable[[bytes], str]:
            return lambda text: encoded(hmac.digest(key, text, "sha256"))

        return {
            "own": lambda text: encoded(self.own.sign(text)),
            "stranger": lambda text: encoded(self.stranger.sign(text)),
            "original": lambda _: self.genuine.rsplit(".", 1)[1],
            "none": lambda _: "",
            "hmac-x": by_hmac(raw),
            "hmac-jwk": by_hmac(json.dumps(_jwk(self.own), separators=(",", ":")).encode()),
            "hmac-pem": by_hmac(pem),
            "hmac-nothing": by_hmac(b""),
        }


def _changed(members: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**members, **changes}.items() if value is not None}


def _jwk(key: Ed25519PrivateKey) -> dict[str, str]:
    return {"kty": "OKP", "crv": "Ed25519", "x": encoded(key.public_key().public_bytes_raw())}
