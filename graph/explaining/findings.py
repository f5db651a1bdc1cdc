"""What is found out about an operation: entries, notes and verdicts, gathered root by root."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from graphql import Node

from auth.policy import Claim
from auth.principal import Kind
from graph.access import Opens
from graph.errors import node_location
from graph.explaining.ruling import Asker, Rulings
from graph.types.access import AccessEntry, AccessUse, AccessVerdict
from models.vocabulary import Label, Relation

_WORST_FIRST: Final = (AccessVerdict.REFUSED, AccessVerdict.PARTIAL, AccessVerdict.DEPENDS)


@dataclass(slots=True)
class Findings:
    """Kept in the order of the document."""

    verdicts: set[AccessVerdict] = field(default_factory=set)
    entries: dict[tuple[object, ...], AccessEntry] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)

    def add(self, entry: AccessEntry, asker: Asker) -> None:
        """Keep one entry per field, use and way; the first place in the document counts."""
        self.entries.setdefault((entry.coordinate, entry.use, entry.via, asker), entry)

    def note(self, text: str, verdict: AccessVerdict = AccessVerdict.ALLOWED) -> None:
        """Say something, and what it means for the whole."""
        self.notes[text] = None
        self.verdicts.add(verdict)

    @property
    def verdict(self) -> AccessVerdict:
        """The worst of all."""
        return next((it for it in _WORST_FIRST if it in self.verdicts), AccessVerdict.ALLOWED)


@dataclass(frozen=True, slots=True)
class Place:
    """How a claim is made, and where; `opens`: by calling a root field, whatever its input."""

    use: AccessUse
    node: Node | None = None
    via: str | None = None
    clear: bool = False
    certain: bool = True
    own_only: bool = False
    opens: Opens | None = None


def entry(rulings: Rulings, asker: Asker, claim: Claim, place: Place) -> AccessEntry:
    """What the policy says of one claim, for one's own row and for another's."""
    where = (node_location(place.node) or [{}])[0]
    person = asker.shape.kind is not Kind.SERVICE
    own = rulings.ruling(asker, claim, Relation.SELF, clear=place.clear) if person else None
    others = None if place.own_only else rulings.ruling(asker, claim, Relation.OTHER, clear=place.clear)
    return AccessEntry(
        coordinate=claim.coordinate,
        use=place.use,
        label=claim.label.value,
        own=own if place.opens is None else rulings.root(asker, place.opens, own),
        others=others if place.opens is None else rulings.root(asker, place.opens, others),
        via=place.via,
        certain=place.certain,
        line=where.get("line"),
        column=where.get("column"),
    )


def closed_root(
    rulings: Rulings, asker: Asker, coordinate: str, opens: Opens, node: Node | None = None
) -> AccessEntry | None:
    """The entry of a root field that the purpose in force closes altogether; None for any other."""
    decision = rulings.closed(asker, opens)
    if decision is None:
        return None
    where = (node_location(node) or [{}])[0]
    return AccessEntry(
        coordinate=coordinate,
        use=AccessUse.READ,
        label=next(iter(opens.reads), Label.UNIQUE_ID).value,
        own=decision if asker.shape.kind is not Kind.SERVICE else None,
        others=decision,
        line=where.get("line"),
        column=where.get("column"),
    )
