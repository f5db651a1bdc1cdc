"""Logs carry names, counts and labels; never a value, whoever writes the line."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import structlog

from graph.logs import configure, field_labels
from models.errors import BadInput
from models.user import Address
from models.vocabulary import Label

SECRET = "planted"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What is logged, as text; logging is put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    written = io.StringIO()
    configure(development=False, stream=written)
    yield written
    structlog.reset_defaults()
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)


def line(stream: io.StringIO) -> dict[str, Any]:
    """The one line that was logged."""
    [text] = stream.getvalue().splitlines()
    parsed: dict[str, Any] = orjson.loads(text)
    return parsed


def test_allowed_keys_pass(stream: io.StringIO) -> None:
    """A line is JSON with the event, its time, level and logger."""
    structlog.get_logger("fieldward.test").info("seed_finished", count=3, seconds=0.5)
    logged = line(stream)
    assert (logged["event"], logged["count"], logged["seconds"]) == ("seed_finished", 3, 0.5)
    assert (logged["level"], logged["logger"]) == ("info", "fieldward.test")
    assert "timestamp" in logged


@pytest.mark.parametrize(
    "extra",
    [
        {"email": SECRET},
        {"anything": SECRET},
        {"user": {"email": SECRET, "full_name": SECRET}},
        {"count": {"email": SECRET}},
        {"count": [{"a": SECRET}]},
        {"reason": f"mail to {SECRET}@x.example"},
        {"reason": SECRET * 100},
        {"address": Address(city=SECRET)},
        {"count": Address(city=SECRET)},
        {"variables": [SECRET]},
        {"error": SECRET},
        {"count": SECRET.encode()},
    ],
)
def test_values_do_not_pass(stream: io.StringIO, extra: dict[str, Any]) -> None:
    """Unknown keys, and under known ones whatever is not plain, are replaced."""
    structlog.get_logger("fieldward.test").info("happened", **extra)
    assert SECRET not in stream.getvalue()


def test_a_personal_field_is_logged_as_its_label(stream: io.StringIO) -> None:
    """So that a reader sees what was there."""
    structlog.get_logger("fieldward.test").info("happened", email=SECRET)
    assert line(stream)["email"] == f"[{Label.EMAIL}]"


def test_a_document_is_logged_as_its_labels(stream: io.StringIO) -> None:
    """A dict of personal fields becomes the list of their labels."""
    structlog.get_logger("fieldward.test").info("happened", user={"email": SECRET, "phone": SECRET})
    assert line(stream)["redacted"] == f"[{Label.EMAIL}, {Label.PHONE}]"


def test_an_event_is_a_name(stream: io.StringIO) -> None:
    """Text with a value formatted into it is no name."""
    structlog.get_logger("fieldward.test").info(f"user {SECRET} did it")
    assert line(stream)["event"] == "unnamed_event"


def test_an_exception_is_its_type_and_frames(stream: io.StringIO) -> None:
    """Its message, its locals and its causes' messages stay behind."""
    planted = SECRET
    try:
        try:
            raise ValueError(planted)
        except ValueError as error:
            raise BadInput(planted) from error
    except BadInput:
        structlog.get_logger("fieldward.test").exception("failed")
    logged = line(stream)["error"]
    assert (logged["type"], logged["code"], logged["causes"]) == ("BadInput", "BAD_USER_INPUT", ["ValueError"])
    assert "test_logs.py" in logged["frames"][0]
    assert SECRET not in stream.getvalue()


@pytest.mark.parametrize("name", ["uvicorn.error", "asyncio", "pymongo.command", "some.package", "beanie"])
def test_libraries_lose_their_text(stream: io.StringIO, name: str) -> None:
    """Their messages, arguments and tracebacks may hold anything."""
    try:
        raise ValueError(SECRET)
    except ValueError:
        logging.getLogger(name).exception(f"failed with {SECRET} %s", SECRET, extra={"email": SECRET})  # noqa: G004 - the point of the test
    assert SECRET not in stream.getvalue()


def test_a_librarys_error_is_still_seen(stream: io.StringIO) -> None:
    """Origin, level and the exception's type remain."""
    try:
        raise KeyError(SECRET)
    except KeyError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    logged = line(stream)
    assert (logged["logger"], logged["level"], logged["error"]["type"]) == ("uvicorn.error", "error", "KeyError")
    assert logged["event"] == "library_message"


@pytest.mark.parametrize("name", ["strawberry.execution", "graphql", "uvicorn.access"])
def test_loggers_that_quote_requests_are_silent(stream: io.StringIO, name: str) -> None:
    """They write queries with their literals, or addresses with their parameters."""
    logging.getLogger(name).error(SECRET)
    assert stream.getvalue() == ""


def test_warnings_lose_their_text(stream: io.StringIO) -> None:
    """A serializer's warning quotes the value it stumbled over."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn(SECRET, stacklevel=1)
    assert SECRET not in stream.getvalue()


def test_the_console_redacts_as_well(stream: io.StringIO) -> None:
    """Development is no exception: people copy its output."""
    configure(development=True, stream=stream)
    structlog.get_logger("fieldward.test").info("happened", email=SECRET, user={"email": SECRET})
    assert "happened" in stream.getvalue()
    assert SECRET not in stream.getvalue()


def test_every_personal_field_has_a_label_to_show() -> None:
    """Nested ones too."""
    labels = field_labels()
    assert labels["city"] == Label.ADDRESS
    assert labels["password_hash"] == Label.PASSWORD
