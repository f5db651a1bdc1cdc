"""People's data keys at hand: for a minute at most, and not of everybody."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice, takewhile
from typing import Final

from models.crypto.envelope import DataKeys
from models.crypto.secrecy import KeyHolder

PROMPT: Final = 5.0  # seconds; answers that took longer are not kept. Half of the `OVERLAP` of `models.keystore.region`
RENEWED: Final = 25.0  # seconds after which a key that was used meanwhile is due to be fetched anew
AT_ONCE: Final = 200  # people whose keys are due together: some milliseconds of unwrapping
KEPT: Final = 55.0  # seconds that a person's key is kept; with the delay of its answer, a minute at most
MOST: Final = 20_000  # people whose keys are kept; about 2.8 kB each


class KeyCache(KeyHolder):
    """Holds up to `MOST` people's keys, each for `KEPT` seconds from when it was asked for; the oldest go first.

    Those that were used from here since they came are `due` before that: people who are asked for again and again
    are so at hand without a query, by keys that are never older than a minute.
    """

    __slots__ = ("_asked", "_keys", "_seconds")

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._keys: dict[str, DataKeys] = {}
        self._asked: dict[str, float] = {}  # when, in the order of the answers

    def __len__(self) -> int:
        return len(self._keys)

    def all_of(self, people: Sequence[str]) -> list[DataKeys] | None:
        """The keys of `people`, in their order, if all are at hand."""
        self._drop_old()
        try:
            found = list(map(self._keys.__getitem__, people))
        except KeyError:
            return None
        for keys in found:
            keys.used = True
        return found

    def some_of(self, people: Sequence[str]) -> dict[str, DataKeys]:
        """The keys of those of `people` that are at hand."""
        self._drop_old()
        return {person: self._keys[person] for person in people if person in self._keys}

    def due(self) -> list[str]:
        """Some people whose keys are to be fetched anew."""
        before = self._seconds() - RENEWED
        old = (person for person, _ in takewhile(lambda entry: entry[1] < before, self._asked.items()))
        return list(islice((person for person in old if self._keys[person].used), AT_ONCE))

    def keep(self, person: str, keys: DataKeys, asked_at: float) -> None:
        """Keep what was asked for at `asked_at`."""
        self.drop(person)
        self._keys[person], self._asked[person] = keys, asked_at
        while len(self._keys) > MOST:
            self.drop(next(iter(self._keys)))

    def drop(self, person: str) -> None:
        """Forget one."""
        self._keys.pop(person, None)
        self._asked.pop(person, None)

    def clear(self) -> None:
        """Forget all."""
        self._keys.clear()
        self._asked.clear()

    def _drop_old(self) -> None:
        # NOTE: in the order in which they came. An answer that others have overtaken stays a little longer.
        oldest = self._seconds() - KEPT
        while self._asked:
            person, asked_at = next(iter(self._asked.items()))
            if asked_at >= oldest:
                return
            self.drop(person)
