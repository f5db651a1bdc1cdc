"""Which fields of a document are sealed, what their bytes mean, and by which of them people are looked up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType, UnionType
from typing import Union, cast, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from models.codecs import Codec, codec_for
from models.encrypted import Encrypted
from models.errors import ConfigurationError
from models.fields import clear_reason, label_of, value_type
from models.labels import LABELS
from models.vocabulary import Label


@dataclass(frozen=True, slots=True)
class SealedField:
    """One stored path that holds a sealed value."""

    label: Label
    codec: Codec


def sealed_type(annotation: object) -> object | None:
    """The T of an `Encrypted[T]` or `Encrypted[T] | None`, else None."""
    if get_origin(annotation) is Encrypted:
        return cast(object, get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return next((found for part in get_args(annotation) if (found := sealed_type(part)) is not None), None)
    return None


def sealed_fields(model: type[BaseModel]) -> Mapping[str, SealedField]:
    """The sealed fields of a document by their stored path, `labels_of` beside it.

    Raises `ConfigurationError` for a sealed value inside of a list or of a `Value`: those are sealed as a whole.
    """
    # Remembered: a reading is prepared for each operation, and making a codec takes longer than all else of it.
    return _REMEMBERED(model)


def _found(model: type[BaseModel]) -> Mapping[str, SealedField]:
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


_REMEMBERED = cast("Callable[[type[BaseModel]], Mapping[str, SealedField]]", cache(_found))


def check_sealed(model: type[BaseModel]) -> None:
    """Hold requirement E1: raises `ConfigurationError` naming every field whose label is encrypted and that is not,
    without saying why (`labelled(..., clear="...")`), and every part of a sealed value with a label of its own."""
    open_fields = [name for name, each in model.model_fields.items() if _lies_open(each)]
    if open_fields:
        names = ", ".join(f"{model.__name__}.{name}" for name in open_fields)
        raise ConfigurationError(
            f"The labels of these stored fields ask for encryption: {names}. Declare each as Encrypted[...], or say "
            "with labelled(..., clear=...) why it is not, see README: how to add a field."
        )
    for name, each in model.model_fields.items():
        inner = value_type(sealed_type(each.annotation))
        if inner is not None and any(label_of(part) for part in inner.model_fields.values()):
            raise ConfigurationError(f"{model.__name__}.{name} is sealed as a whole: its parts have no other label.")


def _lies_open(field: FieldInfo) -> bool:
    label = label_of(field)
    if label is None or not LABELS[label].encrypted or field.exclude:
        return False
    return sealed_type(field.annotation) is None and clear_reason(field) is None


def _holds_sealed(annotation: object) -> bool:
    if annotation is Encrypted or get_origin(annotation) is Encrypted:
        return True
    nested = value_type(annotation)
    inner = [each.annotation for each in nested.model_fields.values()] if nested else []
    return any(map(_holds_sealed, [*get_args(annotation), *inner]))
