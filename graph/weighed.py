"""Bounded stores, limited by the number of their values and by what these weigh together.

Counting alone bounds nothing where a client decides how large one value is.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from random import randrange
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Weighed(Generic[K, V]):
    """At most `size` values of `weight` together; those used longest ago go first."""

    def __init__(self, size: int, weight: int) -> None:
        self._size, self._weight, self._held = size, weight, 0
        self._values: OrderedDict[K, tuple[V, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: K) -> V | None:
        """The value of `key`, now the one used last, or None."""
        found = self._values.get(key)
        if found is None:
            return None
        self._values.move_to_end(key)
        return found[0]

    def has_room(self, weight: int) -> bool:
        """Whether a value of this weight would drive out no other."""
        return len(self._values) < self._size and self._held + weight <= self._weight

    def take(self, key: K) -> V | None:
        """Remove the value of `key` and return it, or None."""
        found = self._values.pop(key, None)
        if found is None:
            return None
        self._held -= found[1]
        return found[0]

    def put(self, key: K, value: V, weight: int) -> V:
        """Store a value and return it; one that weighs more than the limit is not kept."""
        self.take(key)
        self._values[key] = value, weight
        self._held += weight
        while len(self._values) > self._size or self._held > self._weight:
            self._drop_one()
        return value

    def _drop_one(self) -> None:
        _, (_, dropped) = self._values.popitem(last=False)
        self._held -= dropped


class RandomlyWeighed(Weighed[K, V]):
    """The same, but any value may go, not the one used longest ago.

    Where more values are asked for in turn than the store holds, the oldest is always the one that is
    asked for next; at random, some stay until then.
    """

    def __init__(self, size: int, weight: int) -> None:
        super().__init__(size, weight)
        self._keys: list[K] = []  # of what was stored, in any order; what was taken is still in it

    def put(self, key: K, value: V, weight: int) -> V:
        """As of the other store."""
        self._keys.append(key)
        super().put(key, value, weight)
        if len(self._keys) > 2 * len(self._values) + 100:
            self._keys = list(self._values)
        return value

    def _drop_one(self) -> None:
        while True:
            place = randrange(len(self._keys))  # noqa: S311 - which one goes is no secret
            key, self._keys[place] = self._keys[place], self._keys[-1]
            del self._keys[-1]
            if key in self._values:
                self.take(key)
                return
