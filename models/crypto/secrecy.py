"""What everything that holds a key has in common: it prints nothing of it, and stays where it is."""

from __future__ import annotations

from typing import NoReturn


class KeyHolder:
    """Prints its class only; is neither copied nor pickled, so no cache, queue or log takes the key along."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not copied or pickled")
