"""What is recorded while a person uses the product: devices, addresses, behaviour."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from pymongo import ASCENDING, DESCENDING, IndexModel

from models.base import SORTED, PersonalDocument, now
from models.encrypted import Encrypted
from models.fields import labelled
from models.vocabulary import Label


class DeviceDocument(PersonalDocument):
    """A device a person has used."""

    person: str = labelled(Label.UNIQUE_ID)
    device_id: Encrypted[str] = labelled(Label.DEVICE_ID)
    name: Encrypted[str] | None = labelled(Label.DEVICE, default=None)
    platform: Encrypted[str] | None = labelled(Label.DEVICE, default=None)
    first_seen_at: datetime = labelled(Label.DEVICE, clear=SORTED, default_factory=now)
    last_seen_at: datetime = labelled(Label.DEVICE, clear=SORTED, default_factory=now)

    class Settings:
        name = "devices"
        keep_nulls = False
        indexes: ClassVar = [
            IndexModel([("person", ASCENDING), ("last_seen_at", DESCENDING), ("_id", ASCENDING)], name="person"),
        ]


class IpLogDocument(PersonalDocument):
    """An address a person came from."""

    person: str = labelled(Label.UNIQUE_ID)
    ip: Encrypted[str] = labelled(Label.IP_ADDRESS)
    at: datetime = labelled(Label.DEVICE, clear=SORTED, default_factory=now)

    class Settings:
        name = "ip_log"
        keep_nulls = False
        indexes: ClassVar = [
            IndexModel([("person", ASCENDING), ("at", DESCENDING), ("_id", ASCENDING)], name="person"),
        ]


class EventDocument(PersonalDocument):
    """A behavioural event: what was done with the product, and when."""

    person: str = labelled(Label.UNIQUE_ID)
    kind: str = labelled(Label.BEHAVIOR)
    subject: str | None = labelled(Label.BEHAVIOR, default=None)
    at: datetime = labelled(Label.BEHAVIOR, default_factory=now)

    class Settings:
        name = "events"
        keep_nulls = False
        indexes: ClassVar = [
            IndexModel([("person", ASCENDING), ("at", DESCENDING), ("_id", ASCENDING)], name="person"),
        ]
