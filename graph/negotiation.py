"""Which of the two media types a client gets (GraphQL over HTTP, section 6; RFC 9110, section 12.5.1)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

GRAPHQL: Final = "application/graphql-response+json"
JSON: Final = "application/json"
HTML: Final = "text/html"
_LONGEST_HEADER: Final = 1_000


def choose_media_type(accept: str | None) -> str | None:
    """The media type to answer with, or None when the client accepts neither.

    Without the header, and for `*/*`, clients get `application/json`; of two that a client likes
    alike, `application/graphql-response+json`.
    """
    if accept is None or accept == "*/*":
        return JSON
    if accept in (JSON, GRAPHQL):
        return accept
    return _choose(accept) if len(accept) <= _LONGEST_HEADER else JSON


@lru_cache(maxsize=256)
def _choose(accept: str) -> str | None:
    graphql, json = quality(accept, GRAPHQL, exact=True), quality(accept, JSON)
    if graphql <= 0 and json <= 0:
        return None
    return GRAPHQL if graphql >= json else JSON


def prefers_html(accept: str | None) -> bool:
    """Whether the client is a browser that wants to show something."""
    if accept is None or HTML not in accept or len(accept) > _LONGEST_HEADER:
        return False
    html = quality(accept, HTML, exact=True)
    return html > 0 and html >= max(quality(accept, GRAPHQL, exact=True), quality(accept, JSON, exact=True))


def quality(accept: str, media_type: str, *, exact: bool = False) -> float:
    """How much a client likes `media_type`, 0 to 1: the most specific range that covers it says.

    `exact` leaves out the ranges `*/*` and `application/*`.
    """
    group = media_type.partition("/")[0]
    ranges = (media_type,) if exact else (media_type, f"{group}/*", "*/*")
    found: dict[str, float] = {}
    for part in accept.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key == "q":
                weight = _weight(value)
            elif key == "charset" and value.strip('"') not in ("utf-8", "utf8"):
                weight = 0.0
        found[name] = max(found.get(name, 0.0), weight)
    return next((found[name] for name in ranges if name in found), 0.0)


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0.0 <= weight <= 1.0 else 0.0  # also for NaN
