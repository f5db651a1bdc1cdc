"""Service clients: programs that hold a scoped token of their own (RFC 6749, section 4.4). No personal data."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from beanie import Document
from pydantic import BaseModel, Field
from pymongo import ASCENDING, IndexModel

from models.base import now
from models.vocabulary import Purpose


class ClientSecret(BaseModel):
    """A client secret, stored only as its SHA-256 (the secret has 256 random bits). `id` names it in lists."""

    hash: bytes
    id: str | None = None
    created_at: datetime = Field(default_factory=now)
    expires_at: datetime | None = None


class ClientKey(BaseModel):
    """A public key of the client (RFC 7517). `id` is its thumbprint (RFC 7638)."""

    id: str
    jwk: dict[str, str]
    created_at: datetime = Field(default_factory=now)


class ClientDocument(Document):
    """A registered service. `id` is the OAuth `client_id`.

    `owner` is whom to ask about it, a team rather than a person. `regions` are those its tokens may be for
    (absent: the one it is registered in), `introspects` says that it may ask about tokens of others.
    `used` is when each of its credentials was last used, by the id of the credential.
    """

    id: str  # type: ignore[assignment]  # Beanie's own default is an ObjectId
    name: str
    scopes: list[str]
    purposes: list[Purpose]
    secrets: list[ClientSecret]
    keys: list[ClientKey] = Field(default_factory=list)
    owner: str | None = None
    regions: list[str] | None = None
    introspects: bool = False
    created_at: datetime = Field(default_factory=now)
    last_used_at: datetime | None = None
    used: dict[str, datetime] = Field(default_factory=dict)
    removed_at: datetime | None = None
    revision: int | None = None  # counts changes, so that of two at once one begins anew

    class Settings:
        name = "clients"
        indexes: ClassVar[list[IndexModel]] = []


class AssertionDocument(Document):
    """An assertion that was used, until it would be over anyway: `id` is a hash of its client and `jti`."""

    id: str  # type: ignore[assignment]  # Beanie's own default is an ObjectId
    expires_at: datetime

    class Settings:
        name = "assertions"
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0, name="expiry"),
        ]
