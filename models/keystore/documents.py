"""What the key store holds. Every key in it is wrapped; nothing here is personal data but people's identifiers."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Final

from beanie import Document
from pydantic import BaseModel, Field
from pymongo import ASCENDING, IndexModel

from models.base import now
from models.crypto.wrapping import KeyKind


class KeyDocument(Document):
    """A key of a region: a key-encryption key, wrapped by the root key `root`, or a pepper, wrapped by one of those.

    `id` is `<kind>:<region>:<version>`. A `retiring` one still opens, and nothing new is made with it.
    """

    id: str  # type: ignore[assignment]  # Beanie's own default is an ObjectId
    kind: KeyKind
    region: str
    version: int
    wrapped: bytes
    root: str | None = None
    retiring: bool = False
    created_at: datetime = Field(default_factory=now)

    class Settings:
        name = "keys"
        indexes: ClassVar[list[IndexModel]] = []


class WrappedVersion(BaseModel):
    """One version of a person's data key."""

    v: int
    wrapped: bytes


class DataKeyDocument(Document):
    """The data key of one person, whose identifier is `id`: all versions that are alive, oldest first.

    The last version seals; it was made at `newest_at`. `kek` is the oldest key-encryption key that wraps one of them.
    """

    id: str  # type: ignore[assignment]  # Beanie's own default is an ObjectId
    keys: list[WrappedVersion]
    newest_at: datetime = Field(default_factory=now)
    kek: int

    class Settings:
        name = "data_keys"
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("kek", ASCENDING), ("_id", ASCENDING)], name="kek"),
            IndexModel([("newest_at", ASCENDING), ("_id", ASCENDING)], name="newest"),
        ]


class TombstoneDocument(Document):
    """That the key of the person `id` was destroyed. Never removed: it outlives every backup."""

    id: str  # type: ignore[assignment]  # Beanie's own default is an ObjectId
    at: datetime = Field(default_factory=now)

    class Settings:
        name = "tombstones"
        indexes: ClassVar[list[IndexModel]] = [IndexModel([("at", ASCENDING)], name="at")]


class StateDocument(Document):
    """The state of a region, whose name is `id`. `epoch` counts the changes of its keys: workers load them anew.

    `sealed`: no value is left in the clear, so that none is accepted in the place of a sealed one any more.
    `earlier_roots`: the root keys that wrapped keys of the region before, and were not given up.
    """

    id: str  # type: ignore[assignment]  # Beanie's own default is an ObjectId
    epoch: int = 1
    sealed: bool = False
    earlier_roots: list[str] = Field(default_factory=list)

    class Settings:
        name = "state"
        indexes: ClassVar[list[IndexModel]] = []


class RotationDocument(Document):
    """How far a rotation has come, so that one that was interrupted goes on: `id` is what is rotated in which region.

    `step` is the step it is in, `done` how many documents it has dealt with there. Two of the same `id` are told
    apart by `started_at`.
    """

    id: str  # type: ignore[assignment]  # Beanie's own default is an ObjectId
    step: str
    version: int
    done: int = 0
    started_at: datetime = Field(default_factory=now)
    stepped_at: datetime = Field(default_factory=now)

    class Settings:
        name = "rotations"
        indexes: ClassVar[list[IndexModel]] = []


KEY_DOCUMENTS: Final[tuple[type[Document], ...]] = (
    KeyDocument,
    DataKeyDocument,
    TombstoneDocument,
    StateDocument,
    RotationDocument,
)
