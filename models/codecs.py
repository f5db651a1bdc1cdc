"""How stored values become the bytes that are sealed, and back.

What is sealed is the value as it would be stored in the clear (`models.database.encoding.plain`): text, dates as
ISO strings, lists, maps. So whoever reads rows need not know which of their fields were sealed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from types import UnionType
from typing import Any, Final, TypeVar, Union, get_args, get_origin

import orjson
from pydantic import TypeAdapter, ValidationError

from models.crypto.envelope import SealBroken
from models.errors import BadInput
from models.fields import Value

T = TypeVar("T")
DecodeAll = Callable[[list[bytes]], list[Any]]
Check = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Codec:
    """How stored values of one type become bytes, and many of them values again.

    `encode` raises `BadInput`, `decode_all` raises `SealBroken`. `holds` is the type that a stored value has.
    """

    encode: Callable[[Any], bytes] = field(repr=False)
    decode_all: DecodeAll = field(repr=False)
    holds: type


def codec_for(annotation: Any) -> Codec:  # noqa: ANN401 - stands for any type, as TypeAdapter's does
    """The codec of a T: JSON, but for bytes, which stay as they are.

    T is `str`, an enum of text, `bytes`, `date`, a list of these, or a `Value` of them and of moments. Moments come
    back in UTC without a zone, as rows are read. Raises `TypeError` for any other.
    """
    if annotation is bytes:
        return Codec(_encoder(bytes, _anything, _same), _same, bytes)
    if annotation is str:
        return Codec(_encoder(str, _anything, _dumped), _decoder(str), str)
    if get_origin(annotation) is list:
        return Codec(_encoder(list, _fits(annotation), _dumped), _decoder(list), list)
    if not isinstance(annotation, type) or not issubclass(annotation, str | date | Value) or annotation is datetime:
        raise TypeError(f"values of {annotation!r} are not sealed")
    if issubclass(annotation, Value):
        moments = [name for name, each in annotation.model_fields.items() if _is_moment(each.annotation)]
        return Codec(_encoder(dict, _fits(annotation), _dumped), _decoder(dict, moments), dict)
    return Codec(_encoder(str, _fits(annotation), _dumped), _decoder(str), str)


def _is_moment(annotation: object) -> bool:
    if get_origin(annotation) in (Union, UnionType):
        return any(map(_is_moment, get_args(annotation)))
    return annotation is datetime


# NOTE: below, an error of a parser carries the value along, and so does a frame of a traceback. Hence errors are
# raised outside of `except`, and a frame lets go of the value before it raises.
_NONE: Final = object()


def _decoder(kind: type, moments: Iterable[str] = ()) -> DecodeAll:
    names, kinds = tuple(moments), {kind}

    def decode_all(data: list[bytes]) -> list[Any]:
        # NOTE: each of them was encoded here, as the seal tells, so they are one list of as many values together.
        values = _loaded(b"[" + b",".join(data) + b"]")
        if type(values) is list and len(values) == len(data) and kinds.issuperset(map(type, values)):
            for name in names:
                _read_moments(name, values)
            return values
        del data, values
        raise SealBroken

    return decode_all


def _read_moments(name: str, values: Iterable[dict[str, Any]]) -> None:
    for value in values:
        if name in value:
            value[name] = datetime.fromisoformat(value[name]).astimezone(UTC).replace(tzinfo=None)


def _loaded(data: bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return _NONE


def _same(data: T) -> T:
    return data


def _dumped(value: object) -> bytes | None:
    try:
        data = orjson.dumps(value, option=orjson.OPT_NAIVE_UTC)
    except orjson.JSONEncodeError:  # a lone surrogate
        return None
    # What would not come back as it was is refused now: JSON has no NaN, and absent values are not stored.
    return None if b"null" in data and _holds_null(orjson.loads(data)) else data


def _holds_null(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_null, value.values()))
    return any(map(_holds_null, value)) if isinstance(value, list) else value is None


def _anything(_value: object) -> bool:
    return True


def _fits(annotation: Any) -> Check:  # noqa: ANN401 - stands for any type, as TypeAdapter's does
    adapter: TypeAdapter[Any] = TypeAdapter(annotation)

    def fits(value: object) -> bool:
        try:
            adapter.validate_python(value)
        except ValidationError:
            return False
        return True

    return fits


def _encoder(kind: type, fits: Check, dumped: Callable[[Any], bytes | None]) -> Callable[[Any], bytes]:
    def encode(value: object) -> bytes:
        # NOTE: the type itself and none below it.
        data = dumped(value) if type(value) is kind and fits(value) else None
        if data is None:
            del value
            raise BadInput("This is not a value that the field can hold.")
        return data

    return encode
