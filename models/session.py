"""Sign-in sessions of people, and what has been revoked before its time."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from beanie import Document
from pymongo import ASCENDING, DESCENDING, IndexModel

from models.base import SORTED, PersonalDocument, now
from models.encrypted import Encrypted
from models.fields import Value, labelled
from models.vocabulary import Label, Purpose


class ExtraPurpose(Value):
    """A purpose beyond those of the person's roles, and until when it holds."""

    purpose: Purpose
    expires_at: datetime


class SessionDocument(PersonalDocument):
    """One sign-in on one device.

    Of the refresh token only the SHA-256 of its secret is stored; `refresh_seed` derives the secret of the
    next `generation` from it. `place` is coarse: the network that `ip` belongs to.
    """

    person: str = labelled(Label.UNIQUE_ID)
    refresh_hash: bytes = labelled(Label.CREDENTIALS)
    refresh_seed: bytes = labelled(Label.CREDENTIALS)
    generation: int = labelled(Label.CREDENTIALS, default=0)
    rotated_at: datetime | None = labelled(Label.CREDENTIALS, default=None)
    # How the person proved themself (RFC 8176), and when they last did.
    methods: list[str] = labelled(Label.CREDENTIALS, default_factory=list)
    authenticated_at: datetime | None = labelled(Label.CREDENTIALS, default=None)
    extra_purposes: list[ExtraPurpose] = labelled(Label.CREDENTIALS, default_factory=list)
    device: Encrypted[str] | None = labelled(Label.DEVICE, default=None)
    ip: Encrypted[str] | None = labelled(Label.IP_ADDRESS, default=None)
    place: Encrypted[str] | None = labelled(Label.IP_ADDRESS, default=None)
    created_at: datetime = labelled(Label.DEVICE, clear=SORTED, default_factory=now)
    last_used_at: datetime = labelled(Label.DEVICE, clear=SORTED, default_factory=now)
    expires_at: datetime = labelled(Label.DEVICE, clear=SORTED)

    class Settings:
        name = "sessions"
        keep_nulls = False
        indexes: ClassVar = [
            IndexModel([("person", ASCENDING), ("last_used_at", DESCENDING), ("_id", ASCENDING)], name="person"),
            IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0, name="expiry"),
        ]


class RevocationDocument(Document):
    """A session, person or client whose access tokens issued up to `at` no longer hold.

    `id` is the session's, person's or client's identifier. Kept until the last token it speaks of
    has expired.
    """

    id: str  # type: ignore[assignment]  # Beanie's own default is an ObjectId
    at: datetime
    expires_at: datetime

    class Settings:
        name = "revocations"
        indexes: ClassVar = [
            IndexModel([("at", ASCENDING)], name="at"),
            IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0, name="expiry"),
        ]
