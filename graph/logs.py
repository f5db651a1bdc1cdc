"""Structured logs that carry no personal value.

A line is an event's fixed name and keys from an allow-list. What else anyone adds is replaced by
its label (`[user.contact.email]`) or by `[redacted]`; an exception becomes its type and frames, as
its message and its locals may hold anything. Lines of libraries keep their origin and level, and
nothing of their text.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Any, Final, TextIO

import orjson
import structlog
from pydantic import BaseModel
from structlog.typing import Processor

from models.base import PersonalDocument
from models.errors import FieldwardError
from models.fields import labels_of
from models.registry import DOCUMENTS

REDACTED: Final = "[redacted]"
_MAX_FRAMES: Final = 20
_MAX_TEXT: Final = 200
_EVENT: Final = re.compile(r"[a-z][a-z0-9_.]{0,63}", re.ASCII)
_PLAIN: Final = re.compile(r"[\w .,:;/+=()\[\]-]*", re.ASCII)
_SILENCED: Final = (
    *("uvicorn.access", "strawberry.execution", "strawberry", "graphql", "faker", "pymongo"),
    *("boto3", "botocore", "httpcore", "httpx"),  # a line for each call, and on DEBUG what was sent
)

ALLOWED: Final = frozenset(
    {
        *("event", "level", "timestamp", "logger", "error_id", "code", "codes", "reason", "setting"),
        *("method", "route", "status", "duration_ms", "principal_kind", "principal", "document", "purpose"),
        *("count", "seconds", "port", "workers", "version", "database", "region", "collection", "field"),
        *("worker", "grant"),
    }
)
"""The keys a log line may carry, each with a number, a short plain text or a list of those."""


def configure(*, development: bool, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Set up structlog and the standard library's logging for this process; call once, at start."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        Redact(field_labels()),
    ]
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=False)
        if development
        else structlog.processors.JSONRenderer(serializer=_to_json)
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[_foreign, *shared],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        keep_exc_info=False,
    )
    _take_over_standard_logging(formatter, level, stream or sys.stdout)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_logger_name,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _take_over_standard_logging(formatter: logging.Formatter, level: str, stream: TextIO) -> None:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)
    for name in _SILENCED:
        logging.getLogger(name).handlers[:] = [logging.NullHandler()]
        logging.getLogger(name).propagate = False
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers[:] = []
        logging.getLogger(name).propagate = True


def _to_json(event: Mapping[str, object], **_options: object) -> str:
    return orjson.dumps(event).decode()


def field_labels() -> dict[str, str]:
    """The label of every stored field by its name, over all documents."""
    found: dict[str, str] = {}
    for document in DOCUMENTS:
        if not issubclass(document, PersonalDocument):
            continue
        for path, label in labels_of(document).items():
            found.setdefault(path.rpartition(".")[2], str(label))
    return found


class Redact:
    """The processor that lets through allowed keys with plain values, and labels in place of data."""

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._labels = labels

    def __call__(self, _logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Redact one line; keeps only what `ProcessorFormatter` itself needs besides."""
        error = _error_of(event.pop("exc_info", None))
        kept: dict[str, Any] = {}
        for key, value in event.items():
            if key in ("_record", "_from_structlog"):
                kept[key] = value
            elif key == "event":
                kept[key] = value if isinstance(value, str) and _EVENT.fullmatch(value) else "unnamed_event"
            elif key in ALLOWED:
                kept[key] = self._value(value)
            else:
                kept[key if key in self._labels else "redacted"] = self._label(key, value)
        if error is not None:
            kept["error"] = describe_error(error)
        return kept

    def _value(self, value: object) -> object:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, str):
            return str(value) if len(value) <= _MAX_TEXT and _PLAIN.fullmatch(value) else REDACTED
        if isinstance(value, list | tuple | set | frozenset):
            return [self._value(item) for item in list(value)[:_MAX_FRAMES]]
        return self._label("", value)

    def _label(self, key: str, value: object) -> str:
        """The label of a value that may not be shown: by its key, its class or its own keys."""
        if key in self._labels:
            return f"[{self._labels[key]}]"
        if isinstance(value, BaseModel):
            return f"[{type(value).__name__}]"
        if isinstance(value, Mapping):
            found = sorted({self._labels[name] for name in value if name in self._labels})
            return f"[{', '.join(found)}]" if found else REDACTED
        return REDACTED


def describe_error(error: BaseException) -> dict[str, object]:
    """An exception's type, code, frames and causes' types, with neither message nor locals."""
    described: dict[str, object] = {"type": type(error).__name__, "frames": _frames(error.__traceback__)}
    if isinstance(error, FieldwardError):
        described["code"] = error.code
    causes: list[str] = []
    cause = error.__cause__ or error.__context__
    while cause is not None and len(causes) < _MAX_FRAMES:
        causes.append(type(cause).__name__)
        cause = cause.__cause__ or cause.__context__
    if causes:
        described["causes"] = causes
    return described


def _frames(traceback: TracebackType | None) -> list[str]:
    frames: list[str] = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        place = "/".join(code.co_filename.replace("\\", "/").split("/")[-2:])
        frames.append(f"{place}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return frames[-_MAX_FRAMES:]


def _error_of(info: object) -> BaseException | None:
    if isinstance(info, BaseException):
        return info
    if isinstance(info, tuple) and len(info) == 3 and isinstance(info[1], BaseException):
        return info[1]
    return sys.exc_info()[1] if info is True else None


def _foreign(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A library's line: its text is dropped, as it may hold anything; its origin stays."""
    record: logging.LogRecord = event["_record"]
    event["event"], event["logger"] = "library_message", record.name
    if record.exc_info:
        event["exc_info"] = record.exc_info
    return event
