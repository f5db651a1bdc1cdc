"""What may be known of a request outside of it: for the log line and the metrics, never its data."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2s
from secrets import token_bytes
from typing import Final

from starlette.types import Scope

_KEY: Final = "fieldward.observation"
_SHORT: Final = 1_000  # characters; what is longer is not remembered: clients decide how long it is
_REMEMBERED: Final = 2_000


class Pseudonyms:
    """Names that tell things apart in the log lines of one process, and tell nothing else of them.

    The key is forgotten with the process: nobody can find out later, by trying, who or what it was.
    Who read what is the business of the record of access, not of the log.
    """

    def __init__(self) -> None:
        self._key = token_bytes(32)
        self._short = lru_cache(_REMEMBERED)(self._made)

    def name(self, text: str) -> str:
        """Sixteen hex digits, always the same for the same text."""
        return self._short(text) if len(text) <= _SHORT else self._made(text)

    def _made(self, text: str) -> str:
        return blake2s(text.encode("utf-8", "surrogatepass"), key=self._key, digest_size=8).hexdigest()


@dataclass(slots=True)
class Observation:
    """Filled in while a request is answered.

    `principal` tells callers apart and `document` documents, by `Pseudonyms`; `codes` are those of
    the errors.
    """

    principal_kind: str | None = None
    principal: str | None = None
    document: str | None = None
    codes: list[str] = field(default_factory=list)


def begin_observation(scope: Scope) -> Observation:
    """Attach a new observation to a request."""
    observation = scope[_KEY] = Observation()
    return observation


def observation_of(scope: Scope) -> Observation | None:
    """The observation of a request, when anyone observes it."""
    found: Observation | None = scope.get(_KEY)
    return found
