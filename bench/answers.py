"""Whether servers say the same: answers are compared before anything is timed, and samples while it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import orjson

_MOMENTS: Final = frozenset({"createdAt", "lastSeenAt"})


class Different(Exception):
    """Two servers answered differently. Says where, with invented people's values."""


def normalised(data: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    """`data` with moments in one form; the order of keys does not count in Python anyway."""
    if isinstance(data, list):
        return [normalised(item) for item in data]
    if isinstance(data, dict):
        return {
            key: _moment(value) if key in _MOMENTS and isinstance(value, str) else normalised(value)
            for key, value in data.items()
        }
    return data


def _moment(text: str) -> str:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat(timespec="milliseconds")


def data_of(body: bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
    """The normalised `data` of an answer. Raises `Different` when there is none."""
    answer = orjson.loads(body)
    if not isinstance(answer, dict) or not answer.get("data"):
        raise Different(f"an answer without data: {body[:300]!r}")
    return normalised(answer["data"])


def compare(name: str, bodies: Sequence[bytes], expected: Sequence[Any]) -> None:
    """Check the answers of one server against those of the first. Raises `Different` naming the place."""
    for number, (body, wanted) in enumerate(zip(bodies, expected, strict=True)):
        found = data_of(body)
        if found != wanted:
            raise Different(f"{name}, answer {number}: {_first_difference(found, wanted, 'data')}")


def _first_difference(found: Any, wanted: Any, path: str) -> str:  # noqa: ANN401 - whatever JSON holds
    if isinstance(found, dict) and isinstance(wanted, dict) and found.keys() == wanted.keys():
        return next(
            _first_difference(found[key], wanted[key], f"{path}.{key}") for key in wanted if found[key] != wanted[key]
        )
    if isinstance(found, list) and isinstance(wanted, list) and len(found) == len(wanted):
        position = next(i for i, value in enumerate(found) if value != wanted[i])
        return _first_difference(found[position], wanted[position], f"{path}[{position}]")
    return f"at {path}: {found!r} instead of {wanted!r}"
