"""What may be known of a request outside of it: for the log line and the metrics, never its data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from starlette.types import Scope

_KEY: Final = "fieldward.observation"


@dataclass(slots=True)
class Observation:
    """Filled in while a request is answered.

    `document` is the beginning of the SHA-256 of the query's text, `codes` those of the errors.
    """

    principal_kind: str | None = None
    principal_id: str | None = None
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
