"""Rows and row functions: how a stored document becomes a part of the answer.

For each place in an operation that holds rows, one function is prepared from the plan and the
grant: a few tuples of (response key, path) and the few fields that need a codec (mask, nested value,
list). A list of n rows then costs n calls instead of n times the number of fields. What a row
function does not know falls back to ordinary resolvers, which ask the same decisions one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar, cast

from graph.catalogue import FieldSpec
from graph.plan import TYPENAME, PlanField
from models.database import Raw
from models.errors import FieldwardError
from models.grant import Decision
from models.reading import Loaded, Variant
from models.vocabulary import Outcome, Reason, Relation

T = TypeVar("T")
Tally = Counter[tuple[str, Reason]]
RowFunction = Callable[[Raw, Tally], dict[str, Any]]
Codec = Callable[[Any, Tally], Any]
Mask = Callable[[object], str | None]
_NOWHERE: Final = ""  # no stored path; what is denied is looked for here and found nowhere


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
        return [self._inner(raw, spec.holds or "") for raw in self.raw[key]]  # type: ignore[index]

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


@dataclass(slots=True)
class _Parts:
    """What a row function is put together from."""

    keys: list[str] = field(default_factory=list)
    paths: list[Any] = field(default_factory=list)
    masks: list[tuple[str, Mask]] = field(default_factory=list)
    codecs: list[tuple[str, Codec]] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)
    withheld: list[tuple[str, Reason]] = field(default_factory=list)


def row_function(judge: Judge, type_name: str, fields: Mapping[str, PlanField], variant: Variant) -> RowFunction | None:
    """Prepare the row function of one place, or None when it selects something unknown here."""
    parts = _Parts()
    for key, entry in fields.items():
        parts.keys.append(key)
        parts.paths.append(_NOWHERE)
        if entry.coordinate.endswith(f".{TYPENAME}"):
            parts.constants[key] = type_name
            continue
        if entry.spec is None:
            return None
        reason = judge.denial(entry.coordinate, variant, identifier=_identifies(entry.spec))
        if reason is not None:
            if entry.coordinate not in judge.refused:
                parts.withheld.append((entry.coordinate, reason))
            continue
        parts.paths[-1] = entry.path if entry.spec.stored.collection else entry.spec.stored.relative
        if entry.spec.holds is not None:
            inner = row_function(judge, entry.spec.holds, entry.children[entry.spec.holds], variant)
            if inner is None:
                return None
            parts.codecs.append((key, partial(_each, inner) if entry.spec.many else inner))
        elif judge.masked(entry.coordinate, variant[0]):
            parts.masks.append((key, entry.spec.mask or _hide))
    return _assemble(parts)


def _assemble(parts: _Parts) -> RowFunction:
    keys, paths = tuple(parts.keys), tuple(parts.paths)
    masks, codecs, withheld = tuple(parts.masks), tuple(parts.codecs), tuple(parts.withheld)
    constants = parts.constants

    def plain(raw: Raw, _tally: Tally) -> dict[str, Any]:
        return dict(zip(keys, map(raw.get, paths)))  # noqa: B905 - made equally long; the check costs a fifth

    def full(raw: Raw, tally: Tally) -> dict[str, Any]:
        answer = dict(zip(keys, map(raw.get, paths)))  # noqa: B905 - as above
        for key, mask in masks:
            if (value := answer[key]) is not None:
                answer[key] = mask(value)
        for key, codec in codecs:
            if (value := answer[key]) is not None:
                answer[key] = codec(value, tally)
        if constants:
            answer.update(constants)
        for entry in withheld:
            tally[entry] += 1
        return answer

    return full if masks or codecs or withheld or constants else plain


def _each(inner: RowFunction, values: Sequence[Raw], tally: Tally) -> list[dict[str, Any]]:
    return [inner(value, tally) for value in values]


def _hide(_value: object) -> None:
    """The mask of what is no text: a mask is text, so nothing is shown."""
