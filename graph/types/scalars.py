"""Scalars that leave as they are: the response writer knows dates and moments natively."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Final

import strawberry
from strawberry.types.scalar import ScalarDefinition

from models.errors import BadInput

_DATE_LENGTH: Final = 10


def _identity(value: Any) -> Any:  # noqa: ANN401 - whatever the row holds
    return value


def parse_datetime(value: object) -> datetime:
    """An ISO 8601 moment with an offset; without one it is taken as UTC. Raises `BadInput`."""
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise BadInput("a moment is written as ISO 8601, for example 2026-01-31T12:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def parse_date(value: object) -> date:
    """An ISO 8601 calendar date. Raises `BadInput`."""
    try:
        return date.fromisoformat(value if isinstance(value, str) and len(value) == _DATE_LENGTH else "")
    except ValueError:
        raise BadInput("a date is written as YYYY-MM-DD") from None


SCALARS: Final[dict[object, ScalarDefinition]] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="A moment as ISO 8601 in UTC.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time",
        serialize=_identity,
        parse_value=parse_datetime,
    ),
    date: strawberry.scalar(
        name="Date",
        description="A calendar date as ISO 8601, YYYY-MM-DD.",
        specified_by_url="https://scalars.graphql.org/andimarek/local-date",
        serialize=_identity,
        parse_value=parse_date,
    ),
}
