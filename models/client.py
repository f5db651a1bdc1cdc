"""Service clients: programs that hold a scoped token of their own (RFC 6749, section 4.4)."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from beanie import Document
from pydantic import BaseModel, Field
from pymongo import IndexModel

from models.base import now
from models.vocabulary import Purpose


class ClientSecret(BaseModel):
    """A client secret, stored only as its SHA-256 (the secret has 256 random bits)."""

    hash: bytes
    created_at: datetime = Field(default_factory=now)
    expires_at: datetime | None = None


class ClientDocument(Document):
    """A registered service. Holds no personal data. `id` is the OAuth `client_id`."""

    id: str  # type: ignore[assignment]  # Beanie's own default is an ObjectId
    name: str
    scopes: list[str]
    purposes: list[Purpose]
    secrets: list[ClientSecret]
    created_at: datetime = Field(default_factory=now)
    last_used_at: datetime | None = None
    removed_at: datetime | None = None

    class Settings:
        name = "clients"
        indexes: ClassVar[list[IndexModel]] = []
