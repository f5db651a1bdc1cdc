"""The one place where exceptions become the error maps of a GraphQL response.

No map made here carries a literal, a variable's value, a suggestion or the text of an exception
that is not a `FieldwardError`. An unexpected exception gets an opaque id, which is logged with the
exception's type and frames (and what it says, where it is one of our own), and nothing else of it shows.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog
from graphql import GraphQLError, GraphQLInputType, Node, get_named_type
from graphql.type import GraphQLEnumType, GraphQLInputObjectType, GraphQLList, GraphQLNonNull

from graph.directives import guards_values
from graph.wording import syntax_message, validation_message, value_message
from models.crypto.envelope import SealBroken
from models.errors import BadInput, ConfigurationError, FieldwardError, RateLimited

ErrorMap = dict[str, Any]

PARSE_FAILED: Final = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED: Final = "GRAPHQL_VALIDATION_FAILED"
BAD_USER_INPUT: Final = "BAD_USER_INPUT"
LIMIT_EXCEEDED: Final = "LIMIT_EXCEEDED"
PERSISTED_QUERY_NOT_FOUND: Final = "PERSISTED_QUERY_NOT_FOUND"
UNAVAILABLE: Final = "UNAVAILABLE"
INTERNAL: Final = "INTERNAL_SERVER_ERROR"

STATUS: Final[Mapping[str, int]] = {
    PARSE_FAILED: 400,
    VALIDATION_FAILED: 400,
    BAD_USER_INPUT: 400,
    LIMIT_EXCEEDED: 400,
    PERSISTED_QUERY_NOT_FOUND: 400,
    "WRONG_REGION": 421,
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "TAKEN": 409,
    "RATE_LIMITED": 429,
    INTERNAL: 500,
    SealBroken.code: 500,
    UNAVAILABLE: 503,
}
"""The HTTP status of a request refused with this code, under `application/graphql-response+json`."""

_ENUM_LIMIT: Final = 12


class RefusedError(FieldwardError):
    """A request that is refused with error maps already made; `code` is that of the first."""

    def __init__(self, errors: Sequence[ErrorMap]) -> None:
        super().__init__("The request is refused.", code=errors[0]["extensions"]["code"])
        self.errors = list(errors)


def error_map(
    message: str,
    code: str,
    *,
    locations: Sequence[Mapping[str, int]] | None = None,
    path: Sequence[str | int] | None = None,
    **extensions: object,
) -> ErrorMap:
    """One entry of a response's `errors` (GraphQL specification, section 7.1.2)."""
    made: ErrorMap = {"message": message}
    if locations:
        made["locations"] = list(locations)
    if path:
        made["path"] = list(path)
    made["extensions"] = {"code": code, **extensions}
    return made


def locations_of(error: GraphQLError) -> list[dict[str, int]]:
    """Where in the document an error is: lines and columns, from 1."""
    return [{"line": place.line, "column": place.column} for place in error.locations or ()]


def node_location(node: Node | None) -> list[dict[str, int]]:
    """Where in the document a node begins."""
    if node is None or node.loc is None:
        return []
    return [{"line": node.loc.start_token.line, "column": node.loc.start_token.column}]


def syntax_error(error: GraphQLError) -> ErrorMap:
    """The map for a document that does not parse."""
    if error.message.endswith("Parsing aborted."):
        return error_map("The document is too large.", LIMIT_EXCEEDED, locations=locations_of(error))
    return error_map(syntax_message(error.message), PARSE_FAILED, locations=locations_of(error))


def validation_error(error: GraphQLError) -> ErrorMap:
    """The map for one error of validation by the library's rules."""
    return error_map(validation_message(error.message), VALIDATION_FAILED, locations=locations_of(error))


def value_problem(error: GraphQLError, path: Sequence[str | int], root: GraphQLInputType) -> str:
    """What is wrong with an input value at `path` below a place of the type `root`.

    Ends a sentence: `"country" expects String`. A message of a `FieldwardError` that a scalar
    raised is shown, as it never holds the value.
    """
    where = f'at "{".".join(map(str, path))}" ' if path else ""
    if (known := value_message(error.message)) is not None:
        return where + known
    reason = error.original_error
    because = f" ({reason.message.rstrip('.')})" if isinstance(reason, FieldwardError) else ""
    return f"{where}expects {_expected(root, path)}{because}"


def _expected(root: GraphQLInputType, path: Sequence[str | int]) -> str:
    current: Any = root
    for step in path:
        while isinstance(current, GraphQLNonNull):
            current = current.of_type
        if isinstance(step, int) and isinstance(current, GraphQLList):
            current = current.of_type
        else:
            inner = get_named_type(current)
            known = inner.fields.get(str(step)) if isinstance(inner, GraphQLInputObjectType) else None
            if known is None:
                return str(inner)
            current = known.type
    inner = get_named_type(current)
    if isinstance(inner, GraphQLEnumType) and len(inner.values) <= _ENUM_LIMIT and not guards_values(inner):
        return f"{current} (one of {', '.join(inner.values)})"
    return str(current)


def fieldward_error(error: FieldwardError) -> ErrorMap:
    """The map for an error that is meant to be seen. A configuration error is not, at run time, nor is one that says no
    more than that something failed: both are for the operator, who finds them by the id."""
    if isinstance(error, ConfigurationError) or error.code == INTERNAL:
        return internal_error(error)
    made = error_map(error.message, error.code)
    if isinstance(error, RateLimited):
        made["extensions"]["retryAfter"] = error.retry_after
    if isinstance(error, BadInput) and error.path:
        made["extensions"]["inputPath"] = list(error.path)
    return made


def internal_error(error: BaseException) -> ErrorMap:
    """The map for anything unexpected; logs it under the id that the map shows."""
    identifier = f"err_{secrets.token_hex(8)}"
    reason = {"reason": error.message} if isinstance(error, FieldwardError) else {}
    structlog.get_logger("fieldward.errors").error("internal_error", error_id=identifier, **reason, exc_info=error)
    return error_map(
        f"Something went wrong on the server. It is recorded as {identifier}.", INTERNAL, errorId=identifier
    )


def format_error(error: GraphQLError) -> ErrorMap:
    """The map for an error of execution, with its path and locations."""
    original = error.original_error
    while isinstance(original, GraphQLError):
        original = original.original_error
    if isinstance(original, FieldwardError):
        made = fieldward_error(original)
    elif original is None and (problem := _argument_problem(error)):
        made = error_map(problem, BAD_USER_INPUT)
    else:
        made = internal_error(original or error)
    if locations := locations_of(error):
        made["locations"] = locations
    if error.path:
        made["path"] = list(error.path)
    return made


def _argument_problem(error: GraphQLError) -> str | None:
    """An argument that turned out wrong only with its variables filled in."""
    if error.message.startswith("Argument '"):
        name = error.message.removeprefix("Argument '").partition("'")[0]
        if name.isidentifier() and len(name) <= 64:
            return f'The argument "{name}" has a value that cannot be used.'
    return None
