"""Tickets: secrets that are good for one use and a short while, such as a link in a mail or a step of a sign-in."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from pymongo import ASCENDING, IndexModel

from models.base import SORTED, PersonalDocument, now
from models.encrypted import Encrypted
from models.fields import labelled
from models.vocabulary import Label


class TicketKind(StrEnum):
    """What a ticket is good for; it opens nothing else."""

    SECOND_FACTOR = "SECOND_FACTOR"
    PASSKEY_SIGN_IN = "PASSKEY_SIGN_IN"
    PASSKEY_ENROLMENT = "PASSKEY_ENROLMENT"
    STEP_UP = "STEP_UP"
    EMAIL_VERIFICATION = "EMAIL_VERIFICATION"
    EMAIL_CHANGE = "EMAIL_CHANGE"
    PASSWORD_RESET = "PASSWORD_RESET"  # noqa: S105 - a kind, not a secret


class TicketDocument(PersonalDocument):
    """One ticket. `id` is the SHA-256 of its secret in hex; `person` is absent where nobody is known yet.

    `email` is the address that a link proves, `methods` how the person has proven themself so far (RFC 8176),
    `tries` how often something was tried with it, `session` the session it belongs to, `by_another` whether
    somebody else than the person proposed the address.
    """

    kind: TicketKind = labelled(Label.CREDENTIALS)
    person: str | None = labelled(Label.UNIQUE_ID, default=None)
    email: Encrypted[str] | None = labelled(Label.EMAIL, default=None)
    methods: list[str] = labelled(Label.CREDENTIALS, default_factory=list)
    tries: int = labelled(Label.CREDENTIALS, default=0)
    session: str | None = labelled(Label.UNIQUE_ID, default=None)
    by_another: bool = labelled(Label.CREDENTIALS, default=False)
    created_at: datetime = labelled(Label.DEVICE, clear=SORTED, default_factory=now)
    expires_at: datetime = labelled(Label.DEVICE, clear=SORTED)

    class Settings:
        name = "tickets"
        keep_nulls = False
        indexes: ClassVar = [
            IndexModel([("person", ASCENDING), ("kind", ASCENDING)], name="person"),
            IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0, name="expiry"),
        ]
