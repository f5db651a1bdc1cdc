"""People's data keys at hand: for a minute at most, and not of everybody."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import Final

from models.crypto.envelope import DataKeys
from models.crypto.secrecy import KeyHolder

KEPT: Final = 60.0  # seconds that a person's key is kept
MOST: Final = 20_000  # people whose keys are kept; about 1.2 kB each


class KeyCache(KeyHolder):
    """Holds up to `MOST` people's keys, each for `KEPT` seconds from when it was asked for; the oldest go first."""

    __slots__ = ("_keys", "_seconds", "_until")

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._keys: dict[str, DataKeys] = {}  # the oldest first
        self._until: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def all_of(self, people: Sequence[str]) -> list[DataKeys] | None:
        """The keys of `people`, in their order, if all are at hand."""
        try:
            if people and min(map(self._until.__getitem__, people)) < self._seconds():
                return None
            return list(map(self._keys.__getitem__, people))
        except KeyError:
            return None

    def some_of(self, people: Sequence[str]) -> dict[str, DataKeys]:
        """The keys of those of `people` that are at hand."""
        now = self._seconds()
        return {person: self._keys[person] for person in people if self._until.get(person, -inf) >= now}

    def keep(self, person: str, keys: DataKeys, asked_at: float) -> None:
        """Keep what was asked for at `asked_at`."""
        self.drop(person)
        self._keys[person], self._until[person] = keys, asked_at + KEPT
        while len(self._keys) > MOST:
            self.drop(next(iter(self._keys)))

    def drop(self, person: str) -> None:
        """Forget one."""
        self._keys.pop(person, None)
        self._until.pop(person, None)

    def clear(self) -> None:
        """Forget all."""
        self._keys.clear()
        self._until.clear()
