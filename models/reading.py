"""What is read of people: selections, what a grant leaves of them, and what came back. No I/O."""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from models.base import PersonalDocument
from models.conditions import Verdict, condition_paths, verdict_of, withheld_rows
from models.database import Raw
from models.grant import Grant
from models.sealed import sealed_fields
from models.user import UserDocument
from models.vocabulary import Reason, Relation

Variant = tuple[Relation, Reason | None]


@dataclass(frozen=True, slots=True)
class FieldRead:
    """One stored path, wanted for one coordinate."""

    coordinate: str
    path: str


@dataclass(frozen=True, slots=True)
class NestedRead:
    """Documents of another collection, fetched along with each person, newest first.

    They are put into the person's row under `key`.
    """

    key: Hashable
    coordinate: str
    document: type[PersonalDocument]
    newest_by: str
    fields: tuple[FieldRead, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """What an operation wants of a person, before the grant is applied."""

    fields: tuple[FieldRead, ...]
    nested: tuple[NestedRead, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A selection under a grant, ready to be used again: per relation, what is really fetched."""

    projection: Mapping[Relation, Mapping[str, int]]
    sealed: Mapping[Relation, tuple[str, ...]]
    nested: Mapping[Relation, tuple[tuple[NestedRead, Mapping[str, int], tuple[str, ...]], ...]]
    verdict: Mapping[Relation, Verdict | None]
    same: bool


@dataclass(frozen=True, slots=True)
class Loaded:
    """People read together. A variant says whose row it is, and why it is withheld if it is: most
    are as `uniform`, those at the places in `exceptions` are not."""

    raws: list[Raw]
    uniform: Variant
    exceptions: Mapping[int, Variant] = field(default_factory=dict)

    def first(self, count: int) -> Loaded:
        """The first `count` of them."""
        exceptions = {place: variant for place, variant in self.exceptions.items() if place < count}
        return Loaded(self.raws[:count], self.uniform, exceptions)

    def places(self, variant: Variant) -> list[int]:
        """Where the rows of one variant are."""
        if variant != self.uniform:
            return [place for place, other in self.exceptions.items() if other == variant]
        return [place for place in range(len(self.raws)) if self.exceptions.get(place, variant) == variant]

    def pairs(self) -> list[tuple[Raw, Variant]]:
        """Each row with its variant."""
        return [(raw, self.exceptions.get(place, self.uniform)) for place, raw in enumerate(self.raws)]


def prepare(selection: Selection, grant: Grant, document: type[PersonalDocument] = UserDocument) -> Reading:
    """Apply `grant` to `selection`, once."""
    sealed = sealed_fields(document)
    projection = {
        r: MappingProxyType(_paths(selection.fields, sealed, grant, r, condition_paths(grant.conditions[r])))
        for r in Relation
    }
    nested = {
        r: tuple(_nested(entry, grant, r) for entry in selection.nested if grant.allows(r, entry.coordinate))
        for r in Relation
    }
    same = projection[Relation.SELF] == projection[Relation.OTHER] and nested[Relation.SELF] == nested[Relation.OTHER]
    opened = {r: tuple(path for path in projection[r] if path in sealed) for r in Relation}
    return Reading(projection, opened, nested, {r: verdict_of(grant.conditions[r]) for r in Relation}, same)


def _nested(
    entry: NestedRead, grant: Grant, relation: Relation
) -> tuple[NestedRead, Mapping[str, int], tuple[str, ...]]:
    sealed = sealed_fields(entry.document)
    projection = _paths(entry.fields, sealed, grant, relation)
    return entry, MappingProxyType(projection), tuple(path for path in projection if path in sealed)


def _paths(
    fields: Iterable[FieldRead], sealed: Container[str], grant: Grant, relation: Relation, more: Iterable[str] = ()
) -> dict[str, int]:
    """The granted paths and `more`; one inside another is left to the outer one, as MongoDB demands.

    What lies in a sealed value is loaded as that value.
    """
    granted = (field.path for field in fields if grant.allows(relation, field.coordinate))
    wanted = {*more, *(root if (root := path.partition(".")[0]) in sealed else path for path in granted)}
    outer = {path for path in wanted if not any(path.startswith(f"{other}.") for other in wanted)}
    return {"_id": 1, **dict.fromkeys(sorted(outer - {"_id"}), 1)}


def judged(reading: Reading, raws: list[Raw], own: int | None) -> Loaded:
    """Whose row each is, and whether it may show; `own` is the place of the caller's own row."""
    exceptions: dict[int, Variant] = {
        place: (Relation.OTHER, reason) for place, reason in withheld_rows(reading.verdict[Relation.OTHER], raws)
    }
    if own is not None:
        mine = reading.verdict[Relation.SELF]
        exceptions[own] = (Relation.SELF, mine(raws[own]) if mine else None)
    return Loaded(raws, (Relation.OTHER, None), exceptions)
