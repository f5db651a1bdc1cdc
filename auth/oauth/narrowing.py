"""What a token is to carry: all that its service is registered for, or the part that was asked for."""

from __future__ import annotations

from auth.oauth.answers import Refusal
from auth.principal import Scope
from auth.registration import is_covered, regions_of, scopes_of
from models.client import ClientDocument
from models.vocabulary import Purpose


def narrowed_scopes(client: ClientDocument, requested: str | None) -> frozenset[Scope]:
    """The scopes to grant: all the client has, or those requested, each covered by one of its own."""
    own = scopes_of(client)
    if requested is None:
        return own
    try:
        scopes = frozenset(map(Scope.parse, requested.split()))
    except ValueError:
        raise Refusal("invalid_scope", "A scope is written label:read or label:write.") from None
    if not scopes or not all(is_covered(scope, own) for scope in scopes):
        raise Refusal("invalid_scope", "The client is not registered for this scope.")
    return scopes


def narrowed_purposes(client: ClientDocument, requested: str | None) -> frozenset[Purpose]:
    """The purposes to grant: all the client has, or those requested if they are among them."""
    own = frozenset(client.purposes)
    if requested is None:
        return own
    chosen = set(requested.split())
    if not chosen or not chosen <= own:
        raise Refusal("invalid_scope", "The client is not registered for this purpose.")
    return frozenset(map(Purpose, chosen))


def chosen_region(client: ClientDocument, requested: str | None, home: str) -> str:
    """The region that the token is for: the one requested, else this one, else the only one that is allowed."""
    own = regions_of(client, home)
    if requested is not None:
        if requested not in own:
            raise Refusal("invalid_target", "The client is not registered for this region.")
        return requested
    if home in own:
        return home
    if len(own) > 1:
        raise Refusal("invalid_target", "The client is registered for several other regions: name one as region.")
    return next(iter(own))
