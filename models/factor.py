"""Second factors of people: what proves them besides a password, and the codes for when it is lost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from pymongo import ASCENDING, DESCENDING, IndexModel

from models.base import COMPARED, SORTED, PersonalDocument, now
from models.encrypted import Encrypted
from models.fields import labelled
from models.vocabulary import FactorKind, Label


class FactorDocument(PersonalDocument):
    """One factor. Only what its kind needs is stored.

    TOTP: `secret`, and the last time step that was used, so that no code counts twice. Passkey: the
    credential's id, public key (COSE) and signature counter. Recovery codes: one document with the hashes
    of those that are left. `confirmed` is false until the person has shown that the factor works.
    """

    SHOWN: ClassVar[Mapping[str, object]] = {"confirmed": True}

    person: str = labelled(Label.UNIQUE_ID)
    kind: FactorKind = labelled(Label.DEVICE, clear=COMPARED)
    name: Encrypted[str] | None = labelled(Label.DEVICE, default=None)
    confirmed: bool = labelled(Label.DEVICE, clear=COMPARED, default=False)
    secret: Encrypted[bytes] | None = labelled(Label.CREDENTIALS, default=None)
    last_step: int | None = labelled(Label.CREDENTIALS, default=None)
    credential_id: bytes | None = labelled(Label.CREDENTIALS, default=None)
    public_key: bytes | None = labelled(Label.CREDENTIALS, default=None)
    sign_count: int | None = labelled(Label.CREDENTIALS, default=None)
    transports: list[str] = labelled(Label.CREDENTIALS, default_factory=list)
    code_hashes: list[bytes] = labelled(Label.CREDENTIALS, default_factory=list)
    created_at: datetime = labelled(Label.DEVICE, clear=SORTED, default_factory=now)
    last_used_at: datetime | None = labelled(Label.DEVICE, clear=COMPARED, default=None)

    class Settings:
        name = "factors"
        keep_nulls = False
        indexes: ClassVar = [
            IndexModel([("person", ASCENDING), ("created_at", DESCENDING), ("_id", ASCENDING)], name="person"),
            IndexModel(
                [("credential_id", ASCENDING)],
                unique=True,
                name="credential",
                partialFilterExpression={"credential_id": {"$exists": True}},
            ),
        ]


class FactorRemovalDocument(PersonalDocument):
    """That an operator removed `factors` of `person`, of these `kinds`, and why; not what people remove themselves."""

    person: str = labelled(Label.UNIQUE_ID)
    factors: list[str] = labelled(Label.DEVICE, clear=COMPARED)
    kinds: list[FactorKind] = labelled(Label.DEVICE, clear=COMPARED)
    reason: Encrypted[str] = labelled(Label.DEVICE)
    at: datetime = labelled(Label.DEVICE, clear=SORTED, default_factory=now)

    class Settings:
        name = "factor_removals"
        keep_nulls = False
        indexes: ClassVar = [
            IndexModel([("person", ASCENDING), ("at", DESCENDING), ("_id", ASCENDING)], name="person"),
        ]
