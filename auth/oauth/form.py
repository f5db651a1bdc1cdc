"""The form in the body of a request: bounded in size, parameters and time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from auth.oauth.answers import Refusal

MAX_BODY: Final = 16_384  # bytes; an assertion of an RSA key has about 1,000
MAX_PARAMETERS: Final = 20
BODY_SECONDS: Final = 5.0
_FORM: Final = "application/x-www-form-urlencoded"


async def read_form(request: Request) -> Mapping[str, str]:
    """Its parameters. Those without a value count as absent (RFC 6749, section 3.2)."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise Refusal("invalid_request", f"The body must be {_FORM}.")
    try:
        text = (await _body(request)).decode("ascii")
        pairs = parse_qsl(text, errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError:
        raise Refusal("invalid_request", "The body cannot be read as a form.") from None
    parameters = dict(pairs)
    if len(parameters) < len(pairs):
        raise Refusal("invalid_request", "A parameter is there more than once.")
    return parameters


async def _body(request: Request) -> bytes:
    body = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY:
                    raise Refusal("invalid_request", "The body is too large.", 413)
    except TimeoutError:
        raise Refusal("invalid_request", "The body did not arrive in time.", 408) from None
    return body
