"""How a GraphQL type says what it holds: one line per field.

    @guarded(UserDocument)
    class User(Node):
        email: str | None = personal("The address we write to.")

`personal` takes the label from the document's field of the same name (or `path`); from it follow
the directives, the description and the checks. `public` says why a field needs no permission. A
field of a guarded type that is neither stops the start (`graph.catalogue`).
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from enum import StrEnum
from inspect import get_annotations
from typing import Any, Final, ParamSpec, TypeVar

import strawberry
from pydantic import BaseModel
from strawberry import UNSET, Info

from graph.directives import ReadsDirective, describe_access, label_directives
from models.base import PersonalDocument
from models.errors import ConfigurationError
from models.fields import labels_of
from models.labels import LABELS
from models.sealed import sealed_fields
from models.vocabulary import Access, Label

GUARD: Final = "guard"
PUBLIC: Final = "public"
_ASKS_FOR_STEP_UP: Final = "Asks for a fresh proof of who you are (`stepUp`)."

T = TypeVar("T")
P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Stored:
    """An output field: its label, and its path in the document and in the value that holds it.

    With `collection`, the field is the list of that collection's documents of the person, newest
    first by the stored path `newest_by`.
    """

    label: Label
    path: str
    relative: str
    collection: type[PersonalDocument] | None = None
    newest_by: str = ""


@dataclass(frozen=True, slots=True)
class Writes:
    """An input field that changes a stored field of `label`."""

    label: Label


@dataclass(frozen=True, slots=True)
class Reads:
    """An input field or enum value that needs the right to read an output coordinate.

    An exact look-up tells the caller nothing but what they already know, so a masked right will
    do; a filter or an order would tell more, and needs the clear value.
    """

    coordinate: str
    exact: bool = False


class Rows(StrEnum):
    """Whose rows a root field opens."""

    OWN = "OWN"  # the signed-in person's
    CHOSEN = "CHOSEN"  # one person's, named by the arguments
    MANY = "MANY"  # anybody's
    SUBJECT = "SUBJECT"  # the person who is identified by the operation itself (signIn, register)
    NONE = "NONE"  # nobody's, but somebody must be signed in
    PUBLIC = "PUBLIC"


@dataclass(frozen=True, slots=True)
class Opens:
    """A root field's metadata: whose rows, and the labels that calling it changes or reads, whatever it is given.

    `step_up`: a dangerous act, for which the caller must have proven themself lately, and staff by a second
    factor; `enrolling`: one by which staff get their first.
    """

    rows: Rows
    changes: tuple[Label, ...] = ()
    reads: tuple[Label, ...] = ()
    step_up: bool = False
    enrolling: bool = False

    def __post_init__(self) -> None:
        if self.changes and self.rows not in (Rows.OWN, Rows.CHOSEN):
            raise ConfigurationError("Only a root field that opens one person's row changes labels whatever its input.")


@dataclass(frozen=True, slots=True)
class _Personal:
    """A declaration waiting for its type's document."""

    description: str
    path: str | None = None
    collection: type[PersonalDocument] | None = None
    label: Label | None = None
    newest_by: str = ""


def root(opens: Opens, description: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Declare a root field: whose rows it opens, and what it is for."""
    said = f"{description} {_ASKS_FOR_STEP_UP}" if opens.step_up else description
    field: Callable[[Callable[P, T]], Callable[P, T]] = strawberry.field(description=said, metadata={GUARD: opens})
    return field


def structural(description: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Declare a resolver of a type that only arranges what is guarded elsewhere."""
    field: Callable[[Callable[P, T]], Callable[P, T]] = strawberry.field(description=description)
    return field


def personal(description: str, *, path: str | None = None) -> Any:  # noqa: ANN401 - stands for a field of any type
    """A field stored in the type's document under `path` (its own name unless told)."""
    return _Personal(description, path)


def personal_list(description: str, document: type[PersonalDocument], label: Label, *, newest_by: str) -> Any:  # noqa: ANN401 - see `personal`
    """A list of documents of their own collection, newest first by the stored path `newest_by`."""
    return _Personal(description, None, document, label, newest_by)


def public(why: str, description: str) -> Any:  # noqa: ANN401 - see `personal`
    """A field of a guarded type that needs no permission of its own; `why` is for reviewers."""
    return strawberry.field(description=description, metadata={PUBLIC: why})


def guarded(document: type[BaseModel], *, at: str = "") -> Callable[[type[T]], type[T]]:
    """Make a Strawberry type whose personal fields live in `document`, below the path `at`."""
    labels, sealed = labels_of(document), sealed_fields(document)
    prefix = f"{at}." if at else ""

    def decorate(cls: type[T]) -> type[T]:
        for name in get_annotations(cls):
            declared = getattr(cls, name, None)
            if isinstance(declared, _Personal):
                setattr(cls, name, _field(cls, name, declared, labels, prefix, sealed))
        cls.is_type_of = classmethod(_is_row_of)  # type: ignore[attr-defined]  # the library's own, which its types leave out
        return strawberry.type(cls, description=(cls.__doc__ or "").strip())

    return decorate


def _is_row_of(cls: type, value: object, _info: object) -> bool:
    return getattr(value, "type_name", None) == cls.__name__


def _field(
    cls: type, name: str, declared: _Personal, labels: Mapping[str, Label], prefix: str, sealed: Container[str]
) -> Any:  # noqa: ANN401 - see `personal`
    relative = declared.path or name
    label = declared.label or labels.get(prefix + relative)
    if label is None:
        raise ConfigurationError(f"{cls.__name__}.{name}: no stored field {prefix + relative!r} to take a label from.")
    resolver: Any = _list_resolver(name) if declared.collection else None
    return strawberry.field(
        resolver=resolver,
        description=_described(declared.description, label, Access.READ),
        directives=label_directives(label, Access.READ, encrypted=(prefix + relative).partition(".")[0] in sealed),
        metadata={GUARD: Stored(label, prefix + relative, relative, declared.collection, declared.newest_by)},
    )


def _list_resolver(name: str) -> Callable[..., Any]:
    """Give the rows that the reader has fetched along with their parent; never I/O of its own."""

    def resolve(root: strawberry.Parent[Any], info: Info, first: int = 20) -> Any:  # noqa: ANN401, ARG001 - rows of any kind; the reader has applied `first`
        # `first` was applied by the reader, which knows the whole operation.
        return root.rows(name, info.path.as_list())

    return resolve


def _described(own: str, label: Label, access: Access) -> str:
    """A field's own words and who may; its own words alone when they are the label's title."""
    who = describe_access(label, access)
    return who if who.startswith(own.removesuffix(".")) else f"{own} {who}"


def written(label: Label, description: str, *, required: bool = False) -> Any:  # noqa: ANN401 - see `personal`
    """An input field that changes a stored field of `label`."""
    options: dict[str, Any] = {} if required else {"default": UNSET}
    return strawberry.field(
        description=_described(description, label, Access.WRITE),
        directives=label_directives(label, Access.WRITE, encrypted=LABELS[label].encrypted),
        metadata={GUARD: Writes(label)},
        **options,
    )


def reading(coordinate: str, description: str, *, exact: bool = False) -> Any:  # noqa: ANN401 - see `personal`
    """An input field that looks up (`exact`) or filters by the output field `coordinate`."""
    return strawberry.field(
        description=f"{description} Needs the right to read `{coordinate}`.",
        directives=[ReadsDirective(field=coordinate)],
        metadata={GUARD: Reads(coordinate, exact)},
        default=UNSET,
    )


def free(description: str, *, default: object = UNSET) -> Any:  # noqa: ANN401 - see `personal`
    """An input field that neither reads nor changes personal data by itself."""
    return strawberry.field(description=description, metadata={PUBLIC: "no personal data"}, default=default)


def ordering(path: str, coordinate: str) -> Any:  # noqa: ANN401 - stands for an enum value
    """An enum value that orders by the output field `coordinate`, stored under `path`."""
    return strawberry.enum_value(
        path,
        directives=[ReadsDirective(field=coordinate)],
        description=f"Needs the right to read `{coordinate}`.",
    )
