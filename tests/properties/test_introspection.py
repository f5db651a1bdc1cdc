"""Whatever the rule table says: what introspection shows can be used, and what it hides cannot."""

from __future__ import annotations

from typing import Final

from graphql import GraphQLInputObjectType, GraphQLObjectType, GraphQLSchema, validate_schema
from hypothesis import given

from auth.policy import Policy
from auth.principal import Kind, Shape
from graph.access import Reads, Writes
from graph.catalogue import input_claim, read_catalogue
from graph.introspection import Introspection
from graph.schema import build, graphql_schema
from models.vocabulary import Outcome, Purpose, Relation
from tests.properties.policies import QUICK, REGION, Table, purposes, shapes, tables

FULL: Final = graphql_schema(build())
CATALOGUE: Final = read_catalogue(FULL)
SIGNED_IN: Final = shapes(Kind.PERSON, Kind.SERVICE)


def outcomes(policy: Policy, shape: Shape, purpose: Purpose, coordinate: str) -> dict[Relation, Outcome]:
    """What the policy itself says of an output coordinate, for each kind of row the caller can meet."""
    label = CATALOGUE.claim(coordinate).label
    met = tuple(Relation) if shape.kind is Kind.PERSON else (Relation.OTHER,)
    return {relation: policy.decide(shape, purpose, label, relation).outcome for relation in met}


def allowed(policy: Policy, shape: Shape, purpose: Purpose, coordinate: str) -> bool:
    """Whether some row's value of a coordinate may be read."""
    return any(outcome is not Outcome.DENIED for outcome in outcomes(policy, shape, purpose, coordinate).values())


def shown_fields(schema: GraphQLSchema, name: str) -> set[str]:
    """The fields of an object or input type; none when it is not there."""
    kind = schema.type_map.get(name)
    return set(kind.fields) if isinstance(kind, GraphQLObjectType | GraphQLInputObjectType) else set()


@QUICK
@given(rules=tables(), shape=SIGNED_IN, purpose=purposes)
def test_a_shown_field_is_never_denied_and_a_hidden_one_never_allowed(
    rules: Table, shape: Shape, purpose: Purpose
) -> None:
    """For every field of a person, and for those beneath whose way there is open."""
    policy = Policy(REGION, rules)
    schema = Introspection(FULL, CATALOGUE, policy).schema(shape, frozenset({purpose}))
    assert validate_schema(schema) == []
    for type_name, specs in CATALOGUE.types.items():
        shown = shown_fields(schema, type_name)
        for spec in specs.values():
            if spec.name in shown:
                assert allowed(policy, shape, purpose, spec.coordinate), spec.coordinate
            elif type_name == "User" and spec.holds is None:
                assert not allowed(policy, shape, purpose, spec.coordinate), spec.coordinate


@QUICK
@given(rules=tables(), shape=SIGNED_IN, purpose=purposes)
def test_what_can_be_given_needs_its_right(rules: Table, shape: Shape, purpose: Purpose) -> None:
    """Filters need the clear value of others, look-ups any value, changes the right to write."""
    policy = Policy(REGION, rules)
    schema = Introspection(FULL, CATALOGUE, policy).schema(shape, frozenset({purpose}))
    for type_name in ("UserBy", "UserFilter", "UpdateUserInput"):
        for name in shown_fields(schema, type_name):
            guard = CATALOGUE.inputs[type_name].get(name)
            if isinstance(guard, Reads) and guard.exact:
                assert allowed(policy, shape, purpose, guard.coordinate)
            elif isinstance(guard, Reads):
                assert outcomes(policy, shape, purpose, guard.coordinate)[Relation.OTHER] is Outcome.CLEAR
            elif isinstance(guard, Writes):
                claim = input_claim(CATALOGUE, f"{type_name}.{name}", guard)
                assert any(policy.decide(shape, purpose, claim.label, it, claim.access) for it in Relation)


@QUICK
@given(rules=tables(), shape=SIGNED_IN, purpose=purposes)
def test_one_who_may_read_nothing_sees_no_person(rules: Table, shape: Shape, purpose: Purpose) -> None:
    """What opens rows is there exactly when a field of them may be read, lists only where a purpose opens many."""
    policy = Policy(REGION, rules)
    schema = Introspection(FULL, CATALOGUE, policy).schema(shape, frozenset({purpose}))
    others = [
        spec.coordinate
        for spec in CATALOGUE.types["User"].values()
        if outcomes(policy, shape, purpose, spec.coordinate)[Relation.OTHER] is not Outcome.DENIED
    ]
    shown = shown_fields(schema, "Query")
    assert ("user" in shown) >= bool(others)
    assert ("users" in shown) == (bool(others) and policy.before_many(purpose) is None)
    assert ("User" in schema.type_map) == bool(shown & {"me", "user", "users", "node"})
