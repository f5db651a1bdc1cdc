"""Reads a GraphQL over HTTP request: the body's bytes, then JSON or a query string, then its parts.

Whatever is malformed is refused with a status and a message that says what to mend, never with a
piece of what was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NoReturn
from urllib.parse import parse_qsl

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from graph.deadlines import Deadlines
from graph.errors import BAD_USER_INPUT, LIMIT_EXCEEDED, PERSISTED_QUERY_NOT_FOUND, ErrorMap, error_map
from graph.limits import Limits
from graph.messages import GraphQLRequest

_PARAMETERS: Final = ("query", "operationName", "variables", "extensions")
_MAX_PARAMETERS: Final = 20
_CLOSE: Final = ((b"connection", b"close"),)  # the rest of the body is not read


class RequestRefused(Exception):
    """A request that is answered with `status` and one error, before GraphQL begins.

    `well_formed` marks a proper GraphQL response, which is sent with 200 as `application/json`.
    """

    def __init__(
        self,
        status: int,
        message: str,
        code: str = BAD_USER_INPUT,
        *,
        headers: tuple[tuple[bytes, bytes], ...] = (),
        well_formed: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error: ErrorMap = error_map(message, code)
        self.headers = headers
        self.well_formed = well_formed


def _refuse(message: str) -> NoReturn:
    raise RequestRefused(400, message) from None


async def read_body(receive: Receive, declared: str | None, limits: Limits, deadlines: Deadlines) -> bytes:
    """The whole body; refused as soon as it is too large (413), or too slow for one of `deadlines` (408).

    `declared` is the `Content-Length` header. Raises `ClientDisconnect` when the client has gone.
    """
    if (
        declared is not None
        and declared.isascii()
        and declared.isdigit()
        and int(declared[:20]) > limits.max_body_bytes
    ):
        raise _too_large(limits)
    try:
        with deadlines.begin():
            return await _receive_all(receive, limits)
    except TimeoutError:
        raise RequestRefused(408, "The body did not arrive in time.", headers=_CLOSE) from None


async def _receive_all(receive: Receive, limits: Limits) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limits.max_body_bytes:
            raise _too_large(limits)
        if not message.get("more_body", False):
            return b"".join((*chunks, chunk)) if chunks else chunk
        if chunk:
            chunks.append(chunk)


def _too_large(limits: Limits) -> RequestRefused:
    message = f"The body is larger than {limits.max_body_bytes} bytes."
    return RequestRefused(413, message, LIMIT_EXCEEDED, headers=_CLOSE)


def check_content(content_type: str | None, content_encoding: str | None) -> None:
    """Refuse (415) a body that is not plain `application/json` in UTF-8."""
    if content_encoding is not None and content_encoding.lower() != "identity":
        raise RequestRefused(415, "The body must not be compressed.")
    if content_type == "application/json":
        return
    media_type, *parameters = (part.strip().lower() for part in (content_type or "").split(";"))
    if media_type != "application/json":
        raise RequestRefused(415, "Send the request with Content-Type: application/json.")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "charset" and value.strip('"') not in ("utf-8", "utf8"):
            raise RequestRefused(415, "The body must be in UTF-8.")


def parse_body(body: bytes) -> GraphQLRequest:
    """The request in a JSON body."""
    if not body:
        _refuse("The body is empty. Send a JSON object with a query.")
    content = parse_json(body, "The body")
    if isinstance(content, list):
        _refuse("Batches are not supported: send one operation per request.")
    if not isinstance(content, dict):
        _refuse("The body must be a JSON object with a query.")
    return build_request(content)


def parse_query_string(query_string: bytes) -> GraphQLRequest:
    """The request in the parameters of a GET."""
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MAX_PARAMETERS
        )
    except ValueError:  # bytes that are not UTF-8, or too many parameters
        _refuse("The parameters of the address are not valid UTF-8, or too many.")
    content: dict[str, Any] = {}
    for name, value in pairs:
        if name not in _PARAMETERS:
            continue
        if name in content:
            _refuse(f"The parameter {name} is given more than once.")
        content[name] = value
    for name in ("variables", "extensions"):
        if name in content:
            content[name] = parse_json(content[name].encode(), f"The parameter {name}") if content[name] else None
    return build_request(content)


def parse_json(text: bytes, what: str) -> object:
    """Parse JSON strictly (RFC 8259, UTF-8 only); no null characters in any string."""
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        _refuse(
            f"{what} is not valid JSON in UTF-8, or is nested too deeply (line {error.lineno}, column {error.colno})."
        )
    if b"\\u0000" in text and _has_null(content):
        _refuse(f"{what} holds a null character.")
    return content


def _has_null(content: object) -> bool:
    stack = [content]
    while stack:
        value = stack.pop()
        if isinstance(value, str):
            if "\0" in value:
                return True
        elif isinstance(value, dict):
            stack.extend(value)
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)
    return False


def build_request(content: Mapping[str, Any]) -> GraphQLRequest:
    """Check the type of each part; other keys are ignored, as the specification asks."""
    query, name = content.get("query"), content.get("operationName")
    variables, extensions = content.get("variables"), content.get("extensions")
    if extensions is not None and not isinstance(extensions, dict):
        _refuse("extensions must be an object.")
    if query is None:
        if extensions and "persistedQuery" in extensions:
            raise RequestRefused(
                400, "PersistedQueryNotFound: send the query itself.", PERSISTED_QUERY_NOT_FOUND, well_formed=True
            )
        _refuse("The query is missing.")
    if not isinstance(query, str):
        _refuse("query must be a string.")
    if name is not None and not isinstance(name, str):
        _refuse("operationName must be a string.")
    if variables is not None and not isinstance(variables, dict):
        _refuse("variables must be an object.")
    return GraphQLRequest(query, name, variables or {})
