"""What this authorization server says of itself (RFC 8414). Only what works is in it."""

from __future__ import annotations

from typing import Final

from auth.client_keys import ALGORITHMS
from auth.oauth.authentication import METHODS
from auth.principal import Scope
from auth.purposes import FOR_SERVICES
from models.vocabulary import Access, Label

TOKEN: Final = "/oauth/token"  # noqa: S105 - a path, not a secret
REVOKE: Final = "/oauth/revoke"
INTROSPECT: Final = "/oauth/introspect"
JWKS: Final = "/.well-known/jwks.json"
METADATA: Final = "/.well-known/oauth-authorization-server"
PATHS: Final = (TOKEN, REVOKE, INTROSPECT, JWKS, METADATA)


def metadata(issuer: str) -> dict[str, object]:
    """The document for a server at `issuer`. `purposes_supported` is an addition of this service."""
    base = issuer.rstrip("/")
    scopes = [str(Scope(label, access)) for label in Label for access in Access]
    authentication = {
        f"{endpoint}_endpoint_{name}": list(values)
        for endpoint in ("token", "revocation", "introspection")
        for name, values in (
            ("auth_methods_supported", METHODS),
            ("auth_signing_alg_values_supported", ALGORITHMS),
        )
    }
    return {
        "issuer": issuer,
        "token_endpoint": base + TOKEN,
        "revocation_endpoint": base + REVOKE,
        "introspection_endpoint": base + INTROSPECT,
        "jwks_uri": base + JWKS,
        "scopes_supported": [scope for scope in scopes if not scope.startswith(Label.AUTHORIZATION)],
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
        **authentication,
        "purposes_supported": list(FOR_SERVICES),
    }
