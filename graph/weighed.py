"""A bounded store: the values used last, limited by their number and by what they weigh together.

Counting alone bounds nothing where a client decides how large one value is.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
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
            _, (_, dropped) = self._values.popitem(last=False)
            self._held -= dropped
        return value
