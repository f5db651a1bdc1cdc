"""Rows and their renderers: how a stored document becomes a part of the answer.

For each place in an operation that holds rows, one renderer is prepared from the plan and the grant
(`graph.rendering`): a list of n rows then costs one call instead of n times the number of fields. What
a renderer does not know falls back to ordinary resolvers, which ask the same decisions one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, cast

from graph.catalogue import FieldSpec
from graph.plan import TYPENAME, PlanField
from graph.rendering import Column, Kind, Renderer, Tally, renderer
from models.database import Raw
from models.errors import FieldwardError
from models.grant import Decision
from models.reading import Loaded, Variant
from models.vocabulary import Outcome, Reason, Relation

T = TypeVar("T")


class UnplannedRead(FieldwardError):
    """A field was read that no plan asked the policy for. A defect, never a way in."""

    def __init__(self, coordinate: str) -> None:
        super().__init__(f"{coordinate} was read without a decision.")


class Judge:
    """The decisions of one root under one grant, as rows ask for them."""

    def __init__(
        self,
        decisions: Mapping[Relation, Mapping[str, Decision]],
        refused: frozenset[str],
        fields: Mapping[str, Mapping[str, FieldSpec]],
    ) -> None:
        self._decisions = decisions
        self.refused = refused
        self.fields = fields

    def denial(self, coordinate: str, variant: Variant, *, identifier: bool) -> Reason | None:
        """Why a coordinate of a row is not shown, or None. Raises `UnplannedRead`."""
        relation, blocked = variant
        decision = self._decisions[relation].get(coordinate)
        if decision is None:
            raise UnplannedRead(coordinate)
        if not decision:
            return decision.reason
        return None if identifier else blocked

    def masked(self, coordinate: str, relation: Relation) -> bool:
        """Whether a coordinate is shown masked."""
        return self._decisions[relation][coordinate].outcome is Outcome.MASKED


class Row:
    """A document as read under a grant, or a value inside of one; the source of ordinary resolvers."""

    __slots__ = ("judge", "raw", "tally", "type_name", "variant")

    def __init__(self, raw: Raw, variant: Variant, judge: Judge, tally: Tally, type_name: str = "User") -> None:
        self.raw = raw
        self.variant = variant
        self.judge = judge
        self.tally = tally
        self.type_name = type_name

    def __repr__(self) -> str:
        return f"<row of {self.type_name}>"

    def read(self, python_name: str) -> Any:  # noqa: ANN401 - whatever the field holds
        """The value of a field, masked or withheld as decided."""
        spec = self.judge.fields[self.type_name][python_name]
        if self._withheld(spec):
            return None
        value = self.raw.get(spec.stored.relative)
        if value is None:
            return None
        if spec.holds is not None:
            return [self._inner(v, spec.holds) for v in value] if spec.many else self._inner(value, spec.holds)
        if self.judge.masked(spec.coordinate, self.variant[0]):
            return spec.mask(value) if spec.mask else None
        return value

    def rows(self, python_name: str, path: Iterable[str | int]) -> list[Row] | None:
        """The nested documents that the reader has put here for the place `path` of the answer."""
        spec = self.judge.fields[self.type_name][python_name]
        if self._withheld(spec):
            return None
        key = tuple(part for part in path if isinstance(part, str))
        return [self._inner(raw, spec.holds or "") for raw in self.raw[key]]  # type: ignore[index]  # put there by the reader, under a key that is no text

    def _withheld(self, spec: FieldSpec) -> bool:
        reason = self.judge.denial(spec.coordinate, self.variant, identifier=_identifies(spec))
        if reason is not None and spec.coordinate not in self.judge.refused:
            self.tally[spec.coordinate, reason] += 1
        return reason is not None

    def _inner(self, raw: Raw, type_name: str) -> Row:
        return Row(raw, self.variant, self.judge, self.tally, type_name)


class RowList(list[Row]):
    """Rows that were read together under one grant: as the reader gave them, and one by one."""

    __slots__ = ("loaded",)

    def __init__(self, loaded: Loaded, judge: Judge, tally: Tally) -> None:
        super().__init__(Row(raw, variant, judge, tally) for raw, variant in loaded.pairs())
        self.loaded = loaded


def read_attribute(source: Any, python_name: str) -> Any:  # noqa: ANN401 - Strawberry's default resolver
    """Resolve a field without a resolver of its own: from a row under its grant, or plainly."""
    if isinstance(source, Row):
        return source.read(python_name)
    return getattr(source, python_name)


def row_as(_kind: type[T], row: Row | None) -> T | None:
    """Give a row where a resolver promises its Strawberry type: rows stand for the types they fill."""
    return cast("T | None", row)


def _identifies(spec: FieldSpec) -> bool:
    return spec.stored.path == "_id"


def row_renderer(judge: Judge, type_name: str, fields: Mapping[str, PlanField], variant: Variant) -> Renderer | None:
    """Prepare the renderer of one place, or None when it selects something unknown here."""
    columns: list[Column] = []
    withheld: list[tuple[str, Reason]] = []
    for key, entry in fields.items():
        spec = entry.spec
        if entry.coordinate.endswith(f".{TYPENAME}"):
            columns.append(Column(key, Kind.CONSTANT, using=type_name))
            continue
        if spec is None:
            return None
        reason = judge.denial(entry.coordinate, variant, identifier=_identifies(spec))
        if reason is not None:
            columns.append(Column(key, Kind.CONSTANT))
            if entry.coordinate not in judge.refused:
                withheld.append((entry.coordinate, reason))
            continue
        path = entry.path if spec.stored.collection else spec.stored.relative
        if spec.holds is not None:
            inner = row_renderer(judge, spec.holds, entry.children[spec.holds], variant)
            if inner is None:
                return None
            columns.append(Column(key, Kind.NESTED, path, inner.rows if spec.many else inner.row))
        elif judge.masked(entry.coordinate, variant[0]):
            columns.append(Column(key, Kind.MASKED, path, spec.mask or _hide))
        else:
            columns.append(Column(key, Kind.VALUE, path))
    return renderer(columns, withheld)


def _hide(_value: object) -> None:
    """The mask of what is no text: a mask is text, so nothing is shown."""
