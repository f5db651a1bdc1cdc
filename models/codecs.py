"""How values become the bytes that are sealed, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from models.crypto.envelope import SealBroken
from models.errors import BadInput

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Codec(Generic[T]):
    """How values of one type become bytes and back. `encode` raises `BadInput`, `decode` raises `SealBroken`."""

    encode: Callable[[T], bytes] = field(repr=False)
    decode: Callable[[bytes], T] = field(repr=False)


def codec_for(annotation: Any) -> Codec[Any]:  # noqa: ANN401 - stands for any type, as TypeAdapter's does
    """The codec of a T: JSON, but for bytes, which stay as they are.

    T is `str`, `bytes`, `date`, or what pydantic can build from JSON: a list, a `Value`.
    """
    return _SIMPLE.get(annotation) or _built(annotation)


# NOTE: below, an error of a parser carries the value along, and so does a frame of a traceback. Hence parsers
# answer _NONE, errors are raised outside of `except`, and a frame lets go of the value before it raises.
_NONE: Final = object()


def _loaded(data: bytes) -> object:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return _NONE


def _decode_str(data: bytes) -> str:
    value = _loaded(data)
    if isinstance(value, str):
        return value
    del data, value
    raise SealBroken


def _decode_date(data: bytes) -> date:
    value = _dated(_loaded(data))
    if isinstance(value, date):
        return value
    del data
    raise SealBroken


def _dated(value: object) -> object:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else _NONE
    except ValueError:
        return _NONE


def _same(data: bytes) -> bytes:
    return data


def _dumped(value: object) -> bytes | None:
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:  # a lone surrogate
        return None


def _encoder(kind: type[T], dumped: Callable[[T], bytes | None]) -> Callable[[T], bytes]:
    def encode(value: T) -> bytes:
        # NOTE: the type itself and none below it: a moment is a date to Python.
        data = dumped(value) if type(value) is kind else None
        if data is None:
            del value
            raise BadInput("This is not a value that the field can hold.")
        return data

    return encode


_SIMPLE: Final[Mapping[object, Codec[Any]]] = MappingProxyType(
    {
        str: Codec(_encoder(str, _dumped), _decode_str),
        date: Codec(_encoder(date, _dumped), _decode_date),
        bytes: Codec(_encoder(bytes, _same), _same),
    }
)


def _built(annotation: Any) -> Codec[Any]:  # noqa: ANN401 - the same
    adapter: TypeAdapter[Any] = TypeAdapter(annotation)

    def checked(value: object) -> object:
        try:
            return adapter.validate_python(value)
        except ValidationError:
            return _NONE

    def encode(value: object) -> bytes:
        value = checked(value)
        data = None if value is _NONE else _dumped(adapter.dump_python(value, mode="json", exclude_none=True))
        # What would not come back as it was is refused now: JSON has no NaN.
        if data is None or checked(_loaded(data)) != value:
            del value
            raise BadInput("This is not a value that the field can hold.")
        return data

    def decode(data: bytes) -> object:
        value = checked(_loaded(data))
        if value is not _NONE:
            return value
        del data
        raise SealBroken

    return Codec(encode, decode)
