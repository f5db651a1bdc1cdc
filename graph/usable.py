"""What a caller can use of the schema at all: every coordinate that some operation of theirs may touch.

Computed from the rule table alone, per principal's shape and the purposes that count. Coordinates are
written as in the GraphQL specification: `User.email`, `Query.users(filter:)`, `UserFilter.country`,
`UserOrderField.USERNAME`. A root field counts when something guarded can come of it: a row with a field
that may be read, a change that may be made. The public part counts for everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)

from auth.policy import Policy
from auth.principal import Kind, Shape, subject_of
from graph.access import Opens, Reads, Rows, Writes
from graph.catalogue import Catalogue, input_claim
from models.vocabulary import Access, Outcome, Purpose, Relation

Coordinates = frozenset[str]
_NOTHING: Final[Coordinates] = frozenset()
_PUBLIC: Final = (Rows.PUBLIC, Rows.SUBJECT, Rows.NONE)


@dataclass(frozen=True, slots=True)
class _Actor:
    """Who reads whose rows for what."""

    shape: Shape
    purpose: Purpose | None
    relation: Relation


@dataclass(frozen=True, slots=True)
class _Input:
    """What of an input can be given. `guarded`: something in it needs a right, whether held or not."""

    coordinates: Coordinates = _NOTHING
    guarded: bool = False
    useful: bool = False


class Usability:
    """Answers for one schema and policy. Pure; whoever asks keeps the answers."""

    def __init__(self, schema: GraphQLSchema, catalogue: Catalogue, policy: Policy) -> None:
        self._schema = schema
        self._catalogue = catalogue
        self._policy = policy

    def of(self, shape: Shape, purposes: frozenset[Purpose]) -> Coordinates:
        """All that is usable under any of `purposes`, one at a time.

        Everybody may sign in, and is then somebody else: to those who are signed in already, the
        person in that payload shows as far as their own view goes.
        """
        found: set[str] = set()
        roots = self._catalogue.roots
        for coordinate, opens in roots.items():
            for actor in self._actors(opens.rows, shape, purposes):
                found |= self._root(coordinate, opens, actor, self._readable(actor))
        subject = _Actor(subject_of(self._policy.region), Purpose.ACCOUNT, Relation.SELF)
        reads = self._readable(subject) if shape.kind is Kind.NOBODY else frozenset(found).__contains__
        for coordinate, opens in roots.items():
            if opens.rows is Rows.SUBJECT:
                found |= self._root(coordinate, opens, subject, reads)
        return frozenset(found)

    def _actors(self, rows: Rows, shape: Shape, purposes: frozenset[Purpose]) -> Iterator[_Actor]:
        if rows is Rows.PUBLIC or (rows is Rows.NONE and shape.kind is not Kind.NOBODY):
            yield _Actor(shape, None, Relation.OTHER)
        for purpose in purposes:
            if rows in (Rows.OWN, Rows.CHOSEN) and shape.kind is Kind.PERSON:
                yield _Actor(shape, purpose, Relation.SELF)
            if rows is Rows.CHOSEN or (rows is Rows.MANY and self._policy.before_many(purpose) is None):
                yield _Actor(shape, purpose, Relation.OTHER)

    def _root(self, coordinate: str, opens: Opens, actor: _Actor, reads: Callable[[str], bool]) -> Coordinates:
        """What is usable of a root field and beneath it, or nothing."""
        type_name, _, name = coordinate.partition(".")
        root = self._schema.type_map[type_name]
        if not isinstance(root, GraphQLObjectType):
            raise TypeError("root fields are on object types")
        field = root.fields[name]
        given = self._arguments(coordinate, field, lambda inner, guard: self._may(actor, inner, guard))
        shown = self._output(get_named_type(field.type), reads, ())
        if given is None or shown is None:
            return _NOTHING
        reads_rows = opens.rows not in _PUBLIC and root is self._schema.query_type
        if reads_rows and not any(map(self._guarded, shown)):
            return _NOTHING
        implied = [
            *((label, Access.WRITE) for label in opens.changes),
            *((label, Access.READ) for label in opens.reads),
        ]
        if not all(
            self._policy.decide(actor.shape, actor.purpose, label, actor.relation, access) for label, access in implied
        ):
            return _NOTHING
        return frozenset({coordinate}) | given.coordinates | shown

    def _guarded(self, coordinate: str) -> bool:
        type_name, _, name = coordinate.partition(".")
        return name in self._catalogue.types.get(type_name, {})

    def _readable(self, actor: _Actor) -> Callable[[str], bool]:
        def reads(coordinate: str) -> bool:
            label = self._catalogue.claim(coordinate).label
            return bool(self._policy.decide(actor.shape, actor.purpose, label, actor.relation))

        return reads

    def _may(self, actor: _Actor, coordinate: str, guard: Reads | Writes) -> bool:
        """Whether an input field or enum value may be given; a look-up makes do with a masked right."""
        claim = input_claim(self._catalogue, coordinate, guard)
        decision = self._policy.decide(actor.shape, actor.purpose, claim.label, actor.relation, claim.access)
        needs_clear = isinstance(guard, Reads) and not guard.exact
        return bool(decision) and not (needs_clear and decision.outcome is Outcome.MASKED)

    def _output(
        self, kind: GraphQLNamedType, reads: Callable[[str], bool], above: tuple[str, ...]
    ) -> Coordinates | None:
        """The fields of a type and beneath it, or None when nothing of it can be selected."""
        if is_leaf_type(kind) or kind.name in above:
            return _NOTHING
        found: set[str] = set()
        if is_abstract_type(kind):
            for possible in self._schema.get_possible_types(kind):
                found |= self._output(possible, reads, (*above, kind.name)) or _NOTHING
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            guarded = self._catalogue.types.get(kind.name, {})
            for name, field in kind.fields.items():
                coordinate = f"{kind.name}.{name}"
                if name in guarded and not reads(coordinate):
                    continue
                beneath = self._output(get_named_type(field.type), reads, (*above, kind.name))
                given = self._arguments(coordinate, field, lambda _coordinate, _guard: False)
                if beneath is not None and given is not None:
                    found |= {coordinate, *beneath, *given.coordinates}
        return frozenset(found) or None

    def _arguments(
        self, coordinate: str, field: GraphQLField, may: Callable[[str, Reads | Writes], bool]
    ) -> _Input | None:
        return self._given(
            {f"{coordinate}({name}:)": (argument, None) for name, argument in field.args.items()}, may, ()
        )

    def _input(
        self, kind: GraphQLNamedType, may: Callable[[str, Reads | Writes], bool], above: tuple[str, ...]
    ) -> _Input | None:
        """What of an input type can be given, or None when no value of it can."""
        if kind.name in above:
            return _Input()
        if isinstance(kind, GraphQLEnumType):
            return self._values(kind, may)
        if not isinstance(kind, GraphQLInputObjectType):
            return _Input()
        guards = self._catalogue.inputs[kind.name]
        fields = {f"{kind.name}.{name}": (field, guards.get(name)) for name, field in kind.fields.items()}
        found = self._given(fields, may, (*above, kind.name))
        empty = found is not None and (not found.coordinates or (found.guarded and not found.useful))
        return None if empty else found

    def _given(
        self,
        fields: Mapping[str, tuple[GraphQLArgument | GraphQLInputField, Reads | Writes | None]],
        may: Callable[[str, Reads | Writes], bool],
        above: tuple[str, ...],
    ) -> _Input | None:
        """What of some arguments or input fields can be given, or None when a required one cannot."""
        coordinates: set[str] = set()
        guarded = useful = False
        for coordinate, (field, guard) in fields.items():
            within = self._input(get_named_type(field.type), may, above)
            guarded = guarded or guard is not None or within is None or within.guarded
            if within is None or (guard is not None and not may(coordinate, guard)):
                if _required(field):
                    return None
                continue
            coordinates |= {coordinate, *within.coordinates}
            useful = useful or guard is not None or within.useful
        return _Input(frozenset(coordinates), guarded, useful)

    def _values(self, kind: GraphQLEnumType, may: Callable[[str, Reads | Writes], bool]) -> _Input | None:
        guards = {member.value: guard for member, guard in self._catalogue.enums.get(kind.name, {}).items()}
        if not guards:
            return _Input()
        coordinates = frozenset(
            coordinate
            for coordinate, value in ((f"{kind.name}.{name}", value.value) for name, value in kind.values.items())
            if value not in guards or may(coordinate, guards[value])
        )
        return _Input(coordinates, guarded=True, useful=True) if coordinates else None


def _required(field: GraphQLArgument | GraphQLInputField) -> bool:
    return is_required_argument(field) if isinstance(field, GraphQLArgument) else is_required_input_field(field)
