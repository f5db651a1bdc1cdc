"""A service that signs its own requests: its key, and assertions that are right but for what a test changes."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Any, Final
from warnings import catch_warnings, simplefilter

from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry, serialize_compact
from joserfc.registry import Header

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """A private key and the name it goes by."""

    key: ECKey | OKPKey | RSAKey
    kid: str = "2026-03"
    algorithm: str = "ES256"

    @classmethod
    def make(cls, algorithm: str = "ES256", kid: str = "2026-03") -> ServiceKey:
        """A new one that fits the algorithm."""
        if algorithm.startswith("ES"):
            return cls(
                ECKey.generate_key({"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}[algorithm]), kid, algorithm
            )
        if algorithm.startswith("Ed"):
            return cls(OKPKey.generate_key("Ed25519"), kid, algorithm)
        return cls(RSAKey.generate_key(2048), kid, algorithm)

    def public(self) -> dict[str, Any]:
        """Its public half, as the service registers it."""
        return {**self.key.as_dict(private=False), "kid": self.kid}

    def jwks(self) -> str:
        """A JWK Set with nothing else."""
        return json.dumps({"keys": [self.public()]})

    def assertion(
        self,
        client_id: str,
        audience: str,
        header: dict[str, Any] | None = None,
        *,
        without: str = "",
        at: float | None = None,
        key: ECKey | OKPKey | RSAKey | None = None,
        **changes: object,
    ) -> str:
        """One that holds for a minute, with these claims and headers changed and `without` one."""
        now = int(at or time.time())
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": audience,
            "jti": token_urlsafe(12),
            "iat": now,
            "exp": now + 60,
            **changes,
        }
        head = {"alg": self.algorithm, "kid": self.kid, **(header or {})}
        said = {name: value for name, value in claims.items() if name != without}
        named = {name: value for name, value in head.items() if value is not None}
        with catch_warnings():
            simplefilter("ignore")  # some of what is tried here is discouraged, and says so
            text = json.dumps(said).encode()
            return serialize_compact(named, text, key or self.key, registry=_Anything(algorithms=[head["alg"]]))


class _Anything(JWSRegistry):
    """Writes whatever header it is given."""

    def check_header(self, header: Header) -> None:
        """As it is."""


def asserted(assertion: str, **more: str) -> dict[str, str]:
    """The form of a token request with it."""
    return {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
        **more,
    }
