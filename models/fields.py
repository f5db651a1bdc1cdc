"""Labelled fields: one label per stored field, read back as a flat map of stored paths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

from models.encrypted import Encrypted, SealedAs
from models.errors import ConfigurationError
from models.vocabulary import Label

_LABEL_KEY = "label"
_CLEAR_KEY = "clear"


def labelled(label: Label, *, clear: str | None = None, **options: Any) -> Any:  # noqa: ANN401 - like pydantic.Field
    """Declare a stored field and its one label; `options` are those of `pydantic.Field`.

    `clear` says why a field whose label asks for encryption is stored as it is.
    """
    extra = {_LABEL_KEY: label.value} if clear is None else {_LABEL_KEY: label.value, _CLEAR_KEY: clear}
    declared = Field(json_schema_extra={**extra}, **options)
    if isinstance(declared, FieldInfo):
        declared.metadata = [*declared.metadata, SealedAs(label)]
    return declared


class Value(BaseModel):
    """A nested value object. Its fields carry the label of the field that holds it, or their own."""

    model_config = ConfigDict(hide_input_in_errors=True)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """It is a part of somebody's data: nothing of it shows in a repr."""
        return ()


def label_of(field: FieldInfo) -> Label | None:
    """The label declared on a field, or None."""
    extra = field.json_schema_extra
    if isinstance(extra, dict) and (key := extra.get(_LABEL_KEY)) is not None:
        return Label(str(key))
    return None


def clear_reason(field: FieldInfo) -> str | None:
    """Why a field of an encrypted label is stored in the clear, if it is."""
    extra = field.json_schema_extra
    return str(extra[_CLEAR_KEY]) if isinstance(extra, dict) and _CLEAR_KEY in extra else None


def labels_of(model: type[BaseModel]) -> dict[str, Label]:
    """Map each stored path of `model` (`address.city`) to its label.

    Raises `ConfigurationError` naming every field that has none.
    """
    missing: list[str] = []
    found = dict(_walk(model, "", None, missing))
    if missing:
        names = ", ".join(f"{model.__name__}.{path}" for path in missing)
        raise ConfigurationError(
            f"These stored fields carry no label: {names}. "
            "Declare each with labelled(Label...), see README: how to add a field."
        )
    return found


def _walk(
    model: type[BaseModel], prefix: str, inherited: Label | None, missing: list[str]
) -> Iterator[tuple[str, Label]]:
    for name, field in model.model_fields.items():
        if field.exclude:
            continue  # never stored, for instance Beanie's revision_id
        path = prefix + (field.alias or name)
        label = label_of(field) or inherited
        if label is None:
            missing.append(path)
            continue
        yield path, label
        nested = value_type(_within(field.annotation))
        if nested is not None:
            yield from _walk(nested, f"{path}.", label, missing)


def _within(annotation: object) -> object:
    """What is sealed, for an `Encrypted[T]`; else the annotation itself."""
    if get_origin(annotation) in (Union, UnionType):
        return next((part for part in map(_within, get_args(annotation)) if part is not type(None)), annotation)
    return get_args(annotation)[0] if get_origin(annotation) is Encrypted else annotation


def value_type(annotation: object) -> type[Value] | None:
    """The `Value` class inside `annotation` (`Address | None`, `list[Consent]`), or None."""
    if isinstance(annotation, type) and issubclass(annotation, Value):
        return annotation
    if get_origin(annotation) in (Union, UnionType, list):
        for argument in get_args(annotation):
            if (found := value_type(argument)) is not None:
                return found
    return None
