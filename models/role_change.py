"""The history of staff roles: each grant and revocation, with its reason."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from pymongo import ASCENDING, DESCENDING, IndexModel

from models.base import PersonalDocument, now
from models.fields import labelled
from models.vocabulary import Label, Role, RoleChange


class RoleChangeDocument(PersonalDocument):
    """What became of one role of `person`. `by` is who did it; absent: an operator, by command."""

    person: str = labelled(Label.UNIQUE_ID)
    role: Role = labelled(Label.ROLES)
    change: RoleChange = labelled(Label.ROLES)
    reason: str = labelled(Label.ROLES)
    by: str | None = labelled(Label.ROLES, default=None)
    at: datetime = labelled(Label.ROLES, default_factory=now)
    expires_at: datetime | None = labelled(Label.ROLES, default=None)

    class Settings:
        name = "role_changes"
        keep_nulls = False
        indexes: ClassVar = [
            IndexModel([("person", ASCENDING), ("at", DESCENDING), ("_id", ASCENDING)], name="person"),
        ]
