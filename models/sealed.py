"""Values that are stored sealed: `Encrypted[T]` on a document.

A document holds ciphertext only. What opens it is the reader, under a grant; nothing here can.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType, UnionType
from typing import Any, ClassVar, Generic, NoReturn, TypeVar, Union, cast, get_args, get_origin

from bson import Binary
from pydantic import BaseModel, GetCoreSchemaHandler
from pydantic_core import core_schema

from models.codecs import Codec, codec_for
from models.crypto.envelope import SealBroken, key_version_of
from models.errors import ConfigurationError
from models.fields import label_of, value_type
from models.vocabulary import Label

T = TypeVar("T")


class Encrypted(Generic[T]):
    """One sealed value of type T, immutable. It shows its label and nothing else.

    On a document: `email: Encrypted[str] | None = labelled(Label.EMAIL, default=None)`, with
    `bson_encoders = {Encrypted: Encrypted.binary}` in its `Settings`. Only sealed bytes validate.
    """

    __slots__ = ("_label", "_sealed")
    _label: Label | None
    _sealed: bytes
    __hash__: ClassVar[None]  # type: ignore[assignment]  # no set or dictionary tells sealed values apart

    def __init__(self, sealed: bytes, label: Label | None = None) -> None:
        key_version_of(sealed)
        object.__setattr__(self, "_sealed", bytes(sealed))
        object.__setattr__(self, "_label", label)

    @property
    def sealed(self) -> bytes:
        """The sealed bytes (see `models.crypto.envelope`)."""
        return self._sealed

    def binary(self) -> Binary:
        """As BSON stores it. Subtype 0, which the driver hands back as plain bytes without a detour."""
        return Binary(self._sealed)

    def labelled(self, label: Label) -> Encrypted[T]:
        """The same sealed value, to show as one of this label."""
        return Encrypted(self._sealed, label)

    def __repr__(self) -> str:
        return f"<sealed {self._label.value}>" if self._label else "<sealed>"

    def __format__(self, _spec: str) -> str:
        return repr(self)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a sealed value does not change")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a sealed value does not change")

    def __copy__(self) -> Encrypted[T]:
        return self

    def __deepcopy__(self, _memo: object) -> Encrypted[T]:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a sealed value is not pickled")

    def _refuse(self, _other: object) -> NoReturn:
        # NOTE: two sealings of one value differ; an answer, even "no", would be taken for one about the value.
        raise TypeError("sealed values cannot be compared: look for them by their blind index")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _accepted,
            serialization=core_schema.plain_serializer_function_ser_schema(repr, when_used="json"),
        )


def _accepted(value: object) -> Encrypted[Any]:
    if isinstance(value, Encrypted):
        return value
    # NOTE: a ValueError, for pydantic; its own message would show the value.
    if isinstance(value, bytes):
        try:
            return Encrypted(value)
        except SealBroken:
            pass
    raise ValueError("is not sealed")


@dataclass(frozen=True, slots=True)
class SealedAs:
    """Metadata of a field: its sealed values show as ones of `label`. Other fields stay as they are."""

    label: Label

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        schema = handler(source)
        return (
            schema if sealed_type(source) is None else core_schema.no_info_after_validator_function(self._named, schema)
        )

    def _named(self, value: object) -> object:
        return value.labelled(self.label) if isinstance(value, Encrypted) else value


def sealed_type(annotation: object) -> object | None:
    """The T of an `Encrypted[T]` or `Encrypted[T] | None`, else None."""
    if get_origin(annotation) is Encrypted:
        return cast(object, get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return next((found for part in get_args(annotation) if (found := sealed_type(part)) is not None), None)
    return None


@dataclass(frozen=True, slots=True)
class SealedField:
    """One stored path that holds a sealed value."""

    label: Label
    codec: Codec[Any]


def sealed_fields(model: type[BaseModel]) -> Mapping[str, SealedField]:
    """The sealed fields of a document by their stored path, `labels_of` beside it.

    Raises `ConfigurationError` for a sealed value inside of a list or of a `Value`: those are sealed as a whole.
    """
    found: dict[str, SealedField] = {}
    for name, each in model.model_fields.items():
        label, kind = label_of(each), sealed_type(each.annotation)
        if label is not None and kind is not None:
            found[each.alias or name] = SealedField(label, codec_for(kind))
        elif _holds_sealed(each.annotation):
            raise ConfigurationError(
                f"{model.__name__}.{name} has no label, or is sealed in a part only. "
                "Seal it as a whole: Encrypted[list[str]]."
            )
    return MappingProxyType(found)


def _holds_sealed(annotation: object) -> bool:
    if annotation is Encrypted or get_origin(annotation) is Encrypted:
        return True
    nested = value_type(annotation)
    inner = [each.annotation for each in nested.model_fields.values()] if nested else []
    return any(map(_holds_sealed, [*get_args(annotation), *inner]))
