"""People's data keys at hand: for a minute at most, and not of everybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from models.crypto.envelope import DataKeys
from models.crypto.secrecy import KeyHolder

KEPT: Final = 60.0  # seconds that a person's key is kept
MOST: Final = 20_000  # people whose keys are kept; about 1.2 kB each


class KeyCache(KeyHolder):
    """Holds up to `MOST` people's keys, each for `KEPT` seconds from when it was asked for; the oldest go first."""

    __slots__ = ("_kept", "_seconds")

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._kept: dict[str, tuple[float, DataKeys]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def all_of(self, people: Sequence[str]) -> Mapping[str, DataKeys] | None:
        """The keys of `people` if all are at hand."""
        now, found = self._seconds(), {}
        for person in people:
            kept = self._kept.get(person)
            if kept is None or kept[0] < now:
                return None
            found[person] = kept[1]
        return found

    def some_of(self, people: Sequence[str]) -> dict[str, DataKeys]:
        """The keys of those of `people` that are at hand."""
        now = self._seconds()
        kept = ((person, self._kept.get(person)) for person in people)
        return {person: each[1] for person, each in kept if each is not None and each[0] >= now}

    def keep(self, person: str, keys: DataKeys, asked_at: float) -> None:
        """Keep what was asked for at `asked_at`."""
        self._kept.pop(person, None)
        self._kept[person] = asked_at + KEPT, keys
        while len(self._kept) > MOST:
            del self._kept[next(iter(self._kept))]

    def drop(self, person: str) -> None:
        """Forget one."""
        self._kept.pop(person, None)

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()
