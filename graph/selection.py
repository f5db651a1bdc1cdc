"""What a root field wants of the reader, from its plan: stored paths, and lists of other collections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from graph.plan import PlanField, PlanRoot
from models.reading import FieldRead, NestedRead, Selection


def selection_of(root: PlanRoot) -> tuple[Selection, Mapping[tuple[str, ...], PlanField]]:
    """All that the positions of a root want of a person; one find serves them all."""
    fields: dict[FieldRead, None] = {}
    nested: dict[tuple[str, ...], NestedRead] = {}
    lists: dict[tuple[str, ...], PlanField] = {}
    for position in root.positions.values():
        for children in position.children.values():
            _collect(children.values(), fields, nested, lists)
    return Selection(tuple(fields), tuple(nested.values())), lists


def _collect(
    children: Iterable[PlanField],
    fields: dict[FieldRead, None],
    nested: dict[tuple[str, ...], NestedRead],
    lists: dict[tuple[str, ...], PlanField],
) -> None:
    for child in children:
        spec = child.spec
        if spec is None:
            continue
        if spec.stored.collection is not None and spec.holds is not None:
            inner: dict[FieldRead, None] = {}
            _collect(child.children[spec.holds].values(), inner, {}, {})
            nested[child.path] = NestedRead(
                child.path, spec.coordinate, spec.stored.collection, spec.stored.newest_by, tuple(inner)
            )
            lists[child.path] = child
        elif spec.holds is not None:
            leaves: dict[FieldRead, None] = {}
            _collect(child.children[spec.holds].values(), leaves, {}, {})
            # With no leaf (`address { __typename }`) the value itself is read, to know whether it is there.
            fields.update(leaves or {FieldRead(spec.coordinate, spec.stored.path): None})
        else:
            fields[FieldRead(spec.coordinate, spec.stored.path)] = None
