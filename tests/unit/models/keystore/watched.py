"""A key store that tells what it was asked, and can be away; root keys that can be away; clocks that stand still."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from beanie import Document

from models.crypto.roots import RootKeysUnavailable, RootVersions, Wrapped
from models.crypto.wrapping import KeyName
from models.database import Database
from models.errors import DatabaseUnavailable
from tests.stores import HeldRoots


@dataclass
class Clock:
    """A worker's own seconds, and the moment it believes it is; both move by hand."""

    seconds: float = 1000.0
    at: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def pass_by(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds
        self.at += timedelta(seconds=seconds)


@dataclass
class Watched:
    """A key store before the real one. `asked` are the finds by document class; `held` makes those wait."""

    real: Database
    away: bool = False
    asked: list[tuple[type[Document], Mapping[str, Any]]] = field(default_factory=list)
    held: dict[type[Document], asyncio.Event] = field(default_factory=dict)
    reached: dict[type[Document], asyncio.Event] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the real one has
        if self.away:
            raise DatabaseUnavailable
        return getattr(self.real, name)

    async def find(self, document: type[Document], filter: Mapping[str, Any], **options: Any) -> Any:  # noqa: A002, ANN401 - as the real one
        """Ask the real one, and keep the answer back as long as it is held."""
        if self.away:
            raise DatabaseUnavailable
        self.asked.append((document, filter))
        if document in self.reached:
            self.reached[document].set()
        found = await self.real.find(document, filter, **options)
        if document in self.held:
            await self.held[document].wait()
        return found

    def hold(self, document: type[Document]) -> asyncio.Event:
        """Keep answers of a class back until `release`; set as soon as somebody asks."""
        self.held[document], self.reached[document] = asyncio.Event(), asyncio.Event()
        return self.reached[document]

    def release(self, document: type[Document]) -> None:
        """Let them go."""
        self.reached.pop(document)
        self.held.pop(document).set()

    def count_of(self, document: type[Document]) -> int:
        """How many finds of a class there were."""
        return sum(1 for each, _ in self.asked if each is document)

    def as_database(self) -> Database:
        """For whoever takes one."""
        return cast(Database, self)


class Provider(HeldRoots):
    """Root keys in memory that can be away."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.calls: list[str] = []
        self.called = asyncio.Event()

    def _reach(self, call: str) -> None:
        self.calls.append(call)
        self.called.set()
        if self.away:
            raise RootKeysUnavailable("The provider of root keys does not answer.")

    async def wrap(self, name: KeyName, secret: bytes) -> Wrapped:
        """See `RootKeys`."""
        self._reach("wrap")
        return await super().wrap(name, secret)

    async def unwrap(self, name: KeyName, wrapped: Wrapped) -> bytes:
        """See `RootKeys`."""
        self._reach("unwrap")
        return await super().unwrap(name, wrapped)

    async def versions(self) -> RootVersions:
        """See `RootKeys`."""
        self._reach("versions")
        return await super().versions()
