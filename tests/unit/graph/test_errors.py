"""Errors become maps that hold no value, and what is unexpected shows nothing of itself."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLError, GraphQLScalarType, build_schema, graphql_sync
from structlog.testing import capture_logs

from graph.documents import Documents
from graph.errors import STATUS, fieldward_error, format_error, internal_error
from graph.limits import Limits
from graph.variables import VariablesError, coerce_variables
from models.errors import (
    BadInput,
    ConfigurationError,
    Conflict,
    DatabaseUnavailable,
    FieldwardError,
    LimitExceeded,
    RateLimited,
)
from tests.unit.graph.small_schema import small_schema

SECRET = "planted"


def refusals(text: str, variables: dict[str, Any]) -> list[dict[str, Any]]:
    """The error maps for variables that do not fit."""
    schema = small_schema()
    document = Documents(schema, Limits()).get(text)
    assert not document.errors
    with pytest.raises(VariablesError) as caught:
        coerce_variables(schema, next(iter(document.operations.values())), variables)
    return caught.value.errors


FILTER = "query($filter: Filter){users(filter: $filter){totalCount}}"
BY = "query($by: UserBy!){user(by: $by){id}}"


@pytest.mark.parametrize(
    ("text", "variables", "message"),
    [
        (FILTER, {"filter": {"country": 1}}, 'The variable "$filter" at "country" expects String.'),
        (FILTER, {"filter": {"any": [{}, {"since": "x"}]}}, 'The variable "$filter" at "any.1.since" expects Int.'),
        (FILTER, {"filter": "planted"}, 'The variable "$filter" expects an object of the type Filter.'),
        (
            FILTER,
            {"filter": {"style": "planted"}},
            'The variable "$filter" at "style" expects Style (one of LONG, SHORT).',
        ),
        (FILTER, {"filter": {"planted": 1}}, 'The variable "$filter" has a field that Filter does not have.'),
        (BY, {}, 'The variable "$by" expects UserBy!, and it was not given.'),
        (BY, {"by": None}, 'The variable "$by" expects UserBy!, and it cannot be null.'),
        (BY, {"by": {}}, 'The variable "$by" expects exactly one field of UserBy, and not null.'),
        (BY, {"by": {"id": {"$ne": "planted"}}}, 'The variable "$by" at "id" expects ID.'),
        (BY, {"by": {"username": {"$gt": ""}}}, 'The variable "$by" at "username" expects String.'),
        (
            "mutation($input: RenameInput!){rename(input: $input){id}}",
            {"input": {"name": "planted"}},
            'The variable "$input" needs the field "id" of RenameInput.',
        ),
    ],
)
def test_a_bad_variable_is_told_by_name_and_place(text: str, variables: dict[str, Any], message: str) -> None:
    """The variable, the path in it and the type expected, never the value."""
    errors = refusals(text, variables)
    assert message in [error["message"] for error in errors]
    assert {error["extensions"]["code"] for error in errors} == {"BAD_USER_INPUT"}
    assert SECRET not in str(errors)


def test_the_place_in_a_variable_is_a_path() -> None:
    """For programs: the path from the variable's name on."""
    [error] = refusals(FILTER, {"filter": {"any": [{"since": "x"}]}})
    assert error["extensions"]["inputPath"] == ["filter", "any", 0, "since"]


def test_errors_of_variables_are_bounded() -> None:
    """A long list of wrong items is told by the first ones."""
    assert len(refusals(FILTER, {"filter": {"any": [1] * 5_000}})) == 10


def test_variables_nested_too_deeply_are_refused() -> None:
    """Input types that hold themselves end somewhere."""
    value: dict[str, Any] = {}
    for _ in range(5_000):
        value = {"any": [value]}
    schema = small_schema()
    document = Documents(schema, Limits()).get(FILTER)
    with pytest.raises((VariablesError, LimitExceeded)):
        coerce_variables(schema, document.operations[None], {"filter": value})


def test_good_variables_are_coerced_and_others_left_out() -> None:
    """Unknown variables are ignored, as the specification asks."""
    schema = small_schema()
    document = Documents(schema, Limits()).get(FILTER)
    values = coerce_variables(schema, document.operations[None], {"filter": {"since": 3}, "other": SECRET})
    assert values.coerced == {"filter": {"since": 3}}


def test_a_scalar_may_say_why() -> None:
    """The message of an error of our own is kept: it never holds the value."""

    def refuse(_value: object) -> object:
        raise BadInput("A date is written 2001-12-31.")

    schema = build_schema("scalar Date type Query {a(on: Date): Int}")
    scalar = schema.type_map["Date"]
    assert isinstance(scalar, GraphQLScalarType)
    scalar.coerce_input_value = refuse
    document = Documents(schema, Limits()).get("query($on: Date){a(on: $on)}")
    with pytest.raises(VariablesError) as caught:
        coerce_variables(schema, document.operations[None], {"on": SECRET})
    [error] = caught.value.errors
    assert error["message"] == 'The variable "$on" expects Date (A date is written 2001-12-31).'


def executed(resolve: Any) -> dict[str, Any]:  # noqa: ANN401 - a resolver of any kind
    """The map for the error that a resolver raised."""
    schema = build_schema("type Query {a(x: Int): Int}")
    assert schema.query_type is not None
    schema.query_type.fields["a"].resolve = resolve
    result = graphql_sync(schema, "{ b: a }")
    assert result.errors
    return format_error(result.errors[0])


def test_an_error_of_our_own_keeps_code_message_and_path() -> None:
    """Such errors are made to be seen."""

    def refuse(*_: object) -> int:
        raise LimitExceeded("Too many.")

    error = executed(refuse)
    assert (error["message"], error["path"], error["extensions"]) == ("Too many.", ["b"], {"code": "LIMIT_EXCEEDED"})


def test_an_unexpected_error_shows_nothing() -> None:
    """Neither message nor type: an id, under which the log has the type and frames."""

    def fail(*_: object) -> int:
        raise ValueError(SECRET)

    with capture_logs() as lines:
        error = executed(fail)
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert SECRET not in str(error)
    assert "ValueError" not in str(error)
    assert lines[0]["error_id"] == error["extensions"]["errorId"]


def test_a_value_that_cannot_be_serialised_does_not_show() -> None:
    """The library would quote it."""
    error = executed(lambda *_: SECRET)
    assert SECRET not in str(error)


def test_a_configuration_error_is_internal_at_run_time() -> None:
    """It names settings, which are not the client's."""
    assert "setting" not in str(fieldward_error(ConfigurationError("The setting X is wrong.")))


def test_a_failure_without_a_code_of_its_own_is_found_in_the_log() -> None:
    """By its id, with what it says; whoever asked sees the id alone."""
    with capture_logs() as lines:
        error = fieldward_error(FieldwardError("A row is not what the validator of users lets in."))
    assert "validator" not in str(error)
    assert [(line["error_id"], line["reason"]) for line in lines] == [
        (error["extensions"]["errorId"], "A row is not what the validator of users lets in.")
    ]


def test_rate_limits_say_when_to_come_back() -> None:
    """In seconds."""
    assert fieldward_error(RateLimited("Slow down.", retry_after=7))["extensions"]["retryAfter"] == 7


@pytest.mark.parametrize(
    "error",
    [BadInput("x"), LimitExceeded("x"), RateLimited("x", retry_after=1), DatabaseUnavailable(), Conflict("email")],
)
def test_every_code_has_a_status(error: Any) -> None:  # noqa: ANN401 - any error of our own
    """A code without one would be a 500."""
    assert fieldward_error(error)["extensions"]["code"] in STATUS


def test_two_internal_errors_have_two_ids() -> None:
    """An id finds one line in the log."""
    ids = {internal_error(ValueError())["extensions"]["errorId"] for _ in range(10)}
    assert len(ids) == 10


def test_a_plain_graphql_error_is_internal() -> None:
    """A message that nobody vouches for is not passed on."""
    assert SECRET not in str(format_error(GraphQLError(SECRET)))
