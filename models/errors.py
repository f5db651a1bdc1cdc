"""One root for every error that is meant to be seen, each with a stable code.

A message here never carries a personal value, a token or a key: it is shown and logged as it is.
"""

from __future__ import annotations


class FieldwardError(Exception):
    """Root of all errors that may be shown; `code` is stable, `message` is for people."""

    code = "INTERNAL_SERVER_ERROR"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class ConfigurationError(FieldwardError):
    """The service must not start like this. Names what is wrong and how to mend it."""

    code = "CONFIGURATION"


class BadInput(FieldwardError):
    """The caller sent something that cannot be used; `path` says where in the input."""

    code = "BAD_USER_INPUT"

    def __init__(self, message: str, *, path: tuple[str, ...] = (), code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.path = path


class LimitExceeded(FieldwardError):
    """A document, body or answer is larger than the server accepts."""

    code = "LIMIT_EXCEEDED"


class RateLimited(FieldwardError):
    """Too many attempts; `retry_after` is in seconds."""

    code = "RATE_LIMITED"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unauthenticated(FieldwardError):
    """A credential was presented that does not hold, or none where one is needed."""

    code = "UNAUTHENTICATED"


class DatabaseUnavailable(FieldwardError):
    """The database did not answer in time."""

    code = "UNAVAILABLE"

    def __init__(self, message: str = "The database did not answer in time. Try again shortly.") -> None:
        super().__init__(message)


class Conflict(FieldwardError):
    """A unique value is taken; `field` names the stored field, never the value."""

    code = "TAKEN"

    def __init__(self, field: str) -> None:
        super().__init__(f"This {field} is already in use.")
        self.field = field
