"""Values that are stored sealed: `Encrypted[T]` on a document.

A document that was read holds ciphertext only. What opens it is the reader, under a grant, and the service's own
few uses (`models.uses`); nothing here can.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Generic, NoReturn, TypeVar, get_origin

from bson import Binary
from pydantic import GetCoreSchemaHandler
from pydantic_core import core_schema

from models.crypto.envelope import SealBroken, key_version_of
from models.vocabulary import Label

T = TypeVar("T")


class _Closed:
    """Shows a label and nothing else; immutable, never compared, never pickled."""

    __slots__ = ("_held", "_label")
    _held: object
    _label: Label | None
    _WORD: ClassVar[str]
    __hash__: ClassVar[None]  # type: ignore[assignment]  # no set or dictionary tells such values apart

    def __init__(self, held: object, label: Label | None) -> None:
        object.__setattr__(self, "_held", held)
        object.__setattr__(self, "_label", label)

    def __repr__(self) -> str:
        return f"<{self._WORD} {self._label.value}>" if self._label else f"<{self._WORD}>"

    def __format__(self, _spec: str) -> str:
        return repr(self)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a sealed value does not change")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a sealed value does not change")

    def __copy__(self) -> _Closed:
        return self

    def __deepcopy__(self, _memo: object) -> _Closed:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a sealed value is not pickled")

    def _refuse(self, _other: object) -> NoReturn:
        # NOTE: two sealings of one value differ; an answer, even "no", would be taken for one about the value.
        raise TypeError("sealed values cannot be compared: look for them by their blind index")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse


class Encrypted(_Closed, Generic[T]):
    """One sealed value of type T, immutable. It shows its label and nothing else.

    On a document: `email: Encrypted[str] | None = labelled(Label.EMAIL, default=None)`. Sealed bytes validate as
    themselves, anything else as a value that is yet to be sealed (`Unsealed`): the database does that when the
    document is stored.
    """

    __slots__ = ()
    _WORD = "sealed"

    def __init__(self, sealed: bytes, label: Label | None = None) -> None:
        key_version_of(sealed)
        super().__init__(bytes(sealed), label)

    @property
    def sealed(self) -> bytes:
        """The sealed bytes (see `models.crypto.envelope`)."""
        held = self._held
        return held if isinstance(held, bytes) else b""

    def binary(self) -> Binary:
        """As BSON stores it. Subtype 0, which the driver hands back as plain bytes without a detour."""
        return Binary(self.sealed)

    def labelled(self, label: Label) -> Encrypted[T]:
        """The same sealed value, to show as one of this label."""
        return Encrypted(self.sealed, label)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _accepted,
            serialization=core_schema.plain_serializer_function_ser_schema(repr, when_used="json"),
        )


class Unsealed(_Closed):
    """A value in the clear, on its way into the database. Bytes have to be wrapped in it by hand."""

    __slots__ = ()
    _WORD = "unsealed"

    def __init__(self, value: object, label: Label | None = None) -> None:
        super().__init__(value, label)

    def labelled(self, label: Label) -> Unsealed:
        """The same value, to show as one of this label."""
        return Unsealed(self._held, label)


def value_to_seal(unsealed: Unsealed) -> object:
    """The value in the clear. For what seals it, and nothing else."""
    return unsealed._held


def _accepted(value: object) -> Encrypted[object] | Unsealed:
    if isinstance(value, Encrypted | Unsealed):
        return value
    if not isinstance(value, bytes):
        return Unsealed(value)
    # NOTE: a ValueError, for pydantic; its own message would show the value.
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
        return core_schema.no_info_after_validator_function(self._named, schema) if holds_sealed(source) else schema

    def _named(self, value: object) -> object:
        return value.labelled(self.label) if isinstance(value, Encrypted | Unsealed) else value


def holds_sealed(annotation: object) -> bool:
    """Whether `annotation` is an `Encrypted[T]`, or an `Encrypted[T] | None`."""
    if annotation is Encrypted or get_origin(annotation) is Encrypted:
        return True
    return any(get_origin(part) is Encrypted for part in getattr(annotation, "__args__", ()))
