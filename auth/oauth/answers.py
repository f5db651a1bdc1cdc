"""How the endpoints answer: never cached where a credential is in it, errors in the words of RFC 6749."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from models.errors import DatabaseUnavailable, RateLimited

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]

NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
PUBLIC: Final = {"Cache-Control": "public, max-age=300"}
_CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="fieldward", charset="UTF-8"'}
_RETRY_SECONDS: Final = 2


class Refusal(Exception):
    """An error response of RFC 6749, section 5.2. The description never repeats what was sent."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error, self.description, self.status = error, description, status


def answering(handler: Handler) -> Handler:
    """`handler`, with what it refuses as an error response."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except Refusal as refusal:
            headers = _CHALLENGE if refusal.status == 401 else {}
            return _error(refusal.error, refusal.description, refusal.status, headers)
        except RateLimited as error:
            return _error("temporarily_unavailable", error.message, 429, {"Retry-After": str(error.retry_after)})
        except DatabaseUnavailable as error:
            return _error("temporarily_unavailable", error.message, 503, {"Retry-After": str(_RETRY_SECONDS)})

    return answer


def _error(error: str, description: str, status: int, headers: dict[str, str]) -> Response:
    return JSONResponse({"error": error, "error_description": description}, status, {**NO_STORE, **headers})
