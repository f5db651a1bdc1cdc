"""What each combination of role, scopes and purpose sees of the schema: valid, minimal, and nothing forbidden."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Final

import pytest
from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_named_type,
    is_introspection_type,
    print_schema,
    validate_schema,
)
from graphql.execution.values import VariableValues

from auth.policy import Policy
from auth.principal import NOBODY, Kind, Principal, Scope, Shape
from auth.rules import permit, purposes_of_person
from graph.catalogue import read_catalogue
from graph.documents import Documents
from graph.introspection import Introspection, purposes_shown
from graph.limits import Limits
from graph.plan import Planner
from graph.purpose import Declared
from graph.schema import build, graphql_schema
from models.vocabulary import Access, Label, Outcome, Purpose, Relation, Role

POLICY: Final = Policy("eu")
FULL: Final = graphql_schema(build())
CATALOGUE: Final = read_catalogue(FULL)
INTROSPECTION: Final = Introspection(FULL, CATALOGUE, POLICY)

ROLE_SETS: Final = [frozenset(held) for count in (0, 1, 2, len(Role)) for held in combinations(Role, count)]
SCOPE_SETS: Final = [
    (),
    ("user.contact:read", "user.name:read"),
    ("user.contact.email:read",),
    ("user.contact:write",),
    ("user.contact.address:read", "user.contact.address:write"),
    ("user.account.username:read",),
    ("user.device.device_id:read",),
    ("user.behavior:read", "user.demographic.age_range:read"),
    ("user.content:read",),
    ("user.authorization:read",),
    ("user.unique_id:read", "user.unique_id:write"),
    tuple(f"{label}:{access}" for label in Label for access in Access),
]


def person(*roles: Role, region: str = "eu") -> Shape:
    """A signed-in person."""
    return Shape(Kind.PERSON, frozenset(roles), region=region)


def service(*scopes: str) -> Shape:
    """A service with these scopes."""
    return Shape(Kind.SERVICE, scopes=frozenset(map(Scope.parse, scopes)), region="eu")


def named(case: object) -> str:
    """A case in words that are the same in every run: sets have no order."""
    if isinstance(case, Shape):
        return "+".join([case.kind.value, *sorted(case.roles), *sorted(map(str, case.scopes)), case.region])
    return "+".join(sorted(map(str, case))) if isinstance(case, set) else str(case)


SHAPES: Final = [
    NOBODY.shape,
    *(person(*held) for held in ROLE_SETS),
    *(service(*scopes) for scopes in SCOPE_SETS),
    person(Role.SUPPORT, region="us"),
]
LISTING: Final = {"UserConnection", "UserEdge", "PageInfo", "UserFilter", "UserOrder", "UserOrderField"}
CHOICES: Final[list[frozenset[Purpose]]] = [
    frozenset(),
    *(frozenset({purpose}) for purpose in Purpose),
    frozenset(Purpose),
]


def shown(shape: Shape, *purposes: Purpose) -> GraphQLSchema:
    """What a shape sees for any of `purposes`."""
    return INTROSPECTION.schema(shape, frozenset(purposes))


def fields(schema: GraphQLSchema, name: str) -> set[str]:
    """The names of the fields or values of a type; none when it is not there."""
    kind = schema.type_map.get(name)
    if isinstance(kind, GraphQLEnumType):
        return set(kind.values)
    return (
        set(kind.fields)
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType)
        else set()
    )


def relations(shape: Shape) -> tuple[Relation, ...]:
    """Whose rows a shape can meet: only people have rows of their own."""
    return tuple(Relation) if shape.kind is Kind.PERSON else (Relation.OTHER,)


def readable(shape: Shape, purpose: Purpose, type_name: str) -> set[str]:
    """The fields of a guarded type that the policy lets a shape read of anybody, asked one by one."""
    return {
        name
        for name, spec in CATALOGUE.types[type_name].items()
        for relation in relations(shape)
        if POLICY.decide(shape, purpose, spec.stored.label, relation)
    }


@pytest.mark.parametrize("shape", SHAPES, ids=named)
def test_every_combination_is_a_valid_schema(shape: Shape) -> None:
    """By the GraphQL library's own validation, for every purpose, none and all of them."""
    for purposes in CHOICES:
        assert validate_schema(shown(shape, *purposes)) == [], purposes


@pytest.mark.parametrize("shape", SHAPES, ids=named)
def test_nothing_dangles(shape: Shape) -> None:
    """Every type that is there is reached from a root or a directive, and no type is twice under two names."""
    for purposes in CHOICES:
        schema = shown(shape, *purposes)
        assert set(schema.type_map) == {*reached(schema), *(n for n in schema.type_map if n.startswith("__"))}


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape.kind is not Kind.NOBODY], ids=named)
def test_the_fields_of_a_person_are_those_that_the_policy_grants(shape: Shape) -> None:
    """A field shows exactly when its label may be read of one's own row or of another's."""
    for purpose in Purpose:
        assert fields(shown(shape, purpose), "User") == readable(shape, purpose, "User"), purpose


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape.kind is not Kind.NOBODY], ids=named)
def test_nested_fields_are_granted_ones(shape: Shape) -> None:
    """Beneath a person as well: nothing forbidden, and nothing kept back."""
    for purpose in Purpose:
        schema = shown(shape, purpose)
        for spec in CATALOGUE.types["User"].values():
            if spec.holds is not None:
                expected = readable(shape, purpose, spec.holds) if spec.name in fields(schema, "User") else set()
                assert fields(schema, spec.holds) == expected, (purpose, spec.coordinate)


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape.kind is not Kind.NOBODY], ids=named)
def test_orders_and_filters_need_the_clear_value_of_others(shape: Shape) -> None:
    """`users` may be narrowed and ordered by what is read in clear; what shows masked does for a whole number only.

    For an emergency there is no `users`, and so nothing of it.
    """
    for purpose in Purpose:
        schema = shown(shape, purpose)
        if purpose is Purpose.EMERGENCY:
            assert LISTING.isdisjoint(schema.type_map)
            assert "users" not in fields(schema, "Query")
            continue
        for name, guards in (("UserOrderField", order_guards()), ("UserFilter", filter_guards())):
            outcomes = {
                key: POLICY.decide(shape, purpose, CATALOGUE.claim(coordinate).label, Relation.OTHER).outcome
                for key, coordinate in guards.items()
            }
            enough = {key: {"CLEAR", "MASKED"} if key == "phone" else {"CLEAR"} for key in guards}
            expected = {key for key, outcome in outcomes.items() if outcome in enough[key]}
            assert fields(schema, name) == expected, (purpose, name)


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape.kind is not Kind.NOBODY], ids=named)
def test_written_fields_are_those_that_may_be_written(shape: Shape) -> None:
    """Of one's own row or of another's; with none, the mutation is not there."""
    for purpose in Purpose:
        schema = shown(shape, purpose)
        writable = {
            name
            for name, guard in CATALOGUE.inputs["UpdateUserInput"].items()
            for relation in relations(shape)
            if POLICY.decide(shape, purpose, label_of(guard), relation, Access.WRITE)
        }
        assert fields(schema, "UpdateUserInput") == (writable | {"id"} if writable else set()), purpose
        assert ("updateUser" in fields(schema, "Mutation")) == bool(writable), purpose


@pytest.mark.parametrize("purpose", Purpose)
def test_what_changes_ones_own_data_needs_its_right(purpose: Purpose) -> None:
    """Consent, a password and the account itself are changed under ACCOUNT, by people."""
    own = {"giveConsent", "withdrawConsent", "changePassword", "deleteUser"}
    expected = own if purpose is Purpose.ACCOUNT else set()
    assert fields(shown(person(), purpose), "Mutation") & own == expected
    assert fields(shown(service(*SCOPE_SETS[-1]), purpose), "Mutation").isdisjoint(own)


def test_what_shows_masked_is_looked_up_and_not_filtered_by() -> None:
    """An exact look-up tells only what is known already; an order or a filter would tell more."""
    masked = permit(Role.SUPPORT, [Label.USERNAME, Label.IMPRECISE_LOCATION], [Purpose.SUPPORT], as_=Outcome.MASKED)
    clear = permit(Role.SUPPORT, [Label.LANGUAGE], [Purpose.SUPPORT])
    introspection = Introspection(FULL, CATALOGUE, Policy("eu", [masked, clear]))
    schema = introspection.schema(person(Role.SUPPORT), frozenset({Purpose.SUPPORT}))
    assert fields(schema, "User") == {"id", "username", "country", "locale"}
    assert fields(schema, "UserBy") == {"id", "username"}
    assert fields(schema, "UserFilter") == {"locale"}
    assert "UserOrder" not in schema.type_map


def test_nobody_sees_the_public_part() -> None:
    """What works without signing in; the person in the payload is read as themself under ACCOUNT."""
    schema = shown(NOBODY.shape)
    assert fields(schema, "Query") == public_roots("Query")
    assert fields(schema, "Mutation") == {
        *("register", "signIn", "refreshSession", "verifyEmail", "requestPasswordReset", "resetPassword"),
        *("completeSignIn", "beginPasskeySignIn", "signInWithPasskey", "stepUp"),
    }
    assert fields(schema, "User") == readable(person(), Purpose.ACCOUNT, "User")
    assert {"UserBy", "UserFilter", "UserConnection", "UpdateUserInput"}.isdisjoint(schema.type_map)


@pytest.mark.parametrize(
    ("shape", "purpose", "present", "absent"),
    [
        (person(), Purpose.ACCOUNT, {"me", "user", "node"}, {"users"}),
        (person(), Purpose.PERSONALISATION, {"me", "user", "node"}, {"users"}),
        (person(), Purpose.SUPPORT, set(), {"me", "user", "node", "users"}),
        (person(Role.SUPPORT), Purpose.SUPPORT, {"me", "user", "node", "users"}, set()),
        (person(Role.ADMIN), Purpose.ACCOUNT, {"me", "user", "node", "users"}, set()),
        (person(Role.SUPPORT), Purpose.EMERGENCY, {"me", "user", "node"}, {"users", "breakGlassGrants"}),
        (person(*Role), Purpose.EMERGENCY, {"me", "user", "node"}, {"users", "breakGlassGrants"}),
        (person(Role.ADMIN), Purpose.EMERGENCY, set(), {"me", "user", "node", "users"}),
        (person(Role.SUPPORT, region="us"), Purpose.SUPPORT, set(), {"me", "user", "node", "users"}),
        (service("user.contact:read"), Purpose.SUPPORT, {"user", "node", "users"}, {"me"}),
        (service("user.contact:read"), Purpose.ANALYTICS, set(), {"me", "user", "node", "users"}),
        (service("user.contact:write"), Purpose.ACCOUNT, set(), {"me", "user", "node", "users"}),
    ],
    ids=named,
)
def test_root_fields_of_which_nothing_can_be_used_are_not_there(
    shape: Shape, purpose: Purpose, present: set[str], absent: set[str]
) -> None:
    """A list of people for those who may read no others, one's own row for services."""
    found = fields(shown(shape, purpose), "Query")
    assert present <= found
    assert absent.isdisjoint(found)


@pytest.mark.parametrize("shape", SHAPES, ids=named)
def test_several_purposes_show_the_union(shape: Shape) -> None:
    """Without a purpose chosen, everything that one of the token's purposes opens; nothing else."""
    together = coordinates(shown(shape, *Purpose))
    assert together == set().union(*(coordinates(shown(shape, purpose)) for purpose in Purpose))


def test_what_is_left_keeps_its_words() -> None:
    """Descriptions, deprecations, defaults, arguments and applied directives are those of the full schema."""
    schema = shown(person(Role.SUPPORT), Purpose.SUPPORT)
    for name, kind in schema.type_map.items():
        if isinstance(kind, GraphQLObjectType) and not is_introspection_type(kind):
            whole = FULL.type_map[name]
            assert isinstance(whole, GraphQLObjectType)
            assert kind.description == whole.description
            for key, field in kind.fields.items():
                assert (field.description, str(field.type), field.deprecation_reason, field.extensions) == (
                    whole.fields[key].description,
                    str(whole.fields[key].type),
                    whole.fields[key].deprecation_reason,
                    whole.fields[key].extensions,
                )
    assert "direction: OrderDirection! = ASC" in print_schema(schema)
    assert {"label", "permit", "purpose", "reads"} <= {directive.name for directive in schema.directives}


def test_all_of_a_purpose_is_told() -> None:
    """Enums that are answers too stay whole: a notice names purposes that the caller does not hold."""
    assert fields(shown(person(), Purpose.ACCOUNT), "Purpose") == set(Purpose)


def test_a_combination_is_prepared_once() -> None:
    """The same question gives the same schema, and so does another shape that may use the same."""
    assert shown(person(), Purpose.ACCOUNT) is shown(person(), Purpose.ACCOUNT)
    email = service("user.contact.email:read")
    assert shown(email, Purpose.MARKETING) is shown(service("user.contact:read"), Purpose.MARKETING)


def test_schemas_are_kept_in_bounds() -> None:
    """Any number of scope combinations leaves a bounded number of schemas."""
    introspection = Introspection(FULL, CATALOGUE, POLICY)
    for count in range(1, 200):
        scopes = {scope for bit, scope in enumerate(SINGLE_SCOPES) if count >> bit & 1}
        introspection.schema(service(*scopes), frozenset({Purpose.ACCOUNT}))
    assert len(introspection._views.values) <= 64


def test_the_full_schema_is_never_asked_about_itself() -> None:
    """What an operation asks about the schema is planned apart from what it reads, fragments and all."""
    document = Documents(FULL, Limits()).get(
        "{ me { id } ...Meta } fragment Meta on Query { kind: __schema { description } }"
    )
    node = document.operations[None]
    plan = Planner(FULL, CATALOGUE).plan(node, document.fragments, VariableValues({}, {}))
    assert plan.meta is not None
    assert (selected(plan.operation), selected(plan.meta)) == (["me"], ["__schema"])
    assert ([root.field.key for root in plan.roots], plan.keys) == (["me"], ("me", "kind"))


@pytest.mark.parametrize(
    ("directive", "header", "expected"),
    [
        (None, None, purposes_of_person(frozenset())),
        (Purpose.SECURITY, None, {Purpose.SECURITY}),
        (None, "SECURITY", {Purpose.SECURITY}),
        (Purpose.ACCOUNT, "SECURITY", {Purpose.ACCOUNT}),
        (None, "ANALYTICS", set()),
        (None, "whatever", set()),
    ],
)
def test_a_chosen_purpose_narrows(directive: Purpose | None, header: str | None, expected: set[Purpose]) -> None:
    """The directive, else the header; one that is not held shows the public part; without any: all held."""
    who = Principal(person(), id="usr_eu_1", purposes=purposes_of_person(frozenset()))
    assert purposes_shown(who, Declared(directive, header)) == expected


SINGLE_SCOPES: Final = [f"{label}:read" for label in Label if label is not Label.AUTHORIZATION][:8]


def selected(operation: OperationDefinitionNode) -> list[str]:
    """The root fields of an operation."""
    return [node.name.value for node in operation.selection_set.selections if isinstance(node, FieldNode)]


def order_guards() -> dict[str, str]:
    """What each order touches, read from the values' own names in the full schema."""
    return {
        "USERNAME": "User.username",
        "CREATED_AT": "User.createdAt",
        "LAST_SEEN_AT": "User.lastSeenAt",
        "LOGIN_COUNT": "User.loginCount",
    }


def filter_guards() -> dict[str, str]:
    """What each filter touches."""
    same = {name: f"User.{name}" for name in ("country", "locale", "ageBand", "status", "phone")}
    return {**same, "createdFrom": "User.createdAt", "createdBefore": "User.createdAt"}


def label_of(guard: object) -> Label:
    """The label that an input field writes."""
    label = getattr(guard, "label", None)
    assert isinstance(label, Label)
    return label


def public_roots(type_name: str) -> set[str]:
    """The root fields that need nobody to be signed in, as the schema declares them."""
    return {
        coordinate.partition(".")[2]
        for coordinate, opens in CATALOGUE.roots.items()
        if coordinate.startswith(f"{type_name}.") and opens.rows in ("PUBLIC", "SUBJECT")
    }


def coordinates(schema: GraphQLSchema) -> set[str]:
    """Every field, argument, input field and enum value."""
    found = set()
    for name, kind in schema.type_map.items():
        found |= {f"{name}.{key}" for key in fields(schema, name)}
        if isinstance(kind, GraphQLObjectType):
            found |= {f"{name}.{key}({arg}:)" for key, field in kind.fields.items() for arg in field.args}
    return found


def reached(schema: GraphQLSchema) -> set[str]:
    """The types that can be met on the way from the roots and the directives."""
    found: set[str] = set()
    waiting: list[GraphQLNamedType] = [kind for kind in (schema.query_type, schema.mutation_type) if kind]
    waiting += [get_named_type(arg.type) for directive in schema.directives for arg in directive.args.values()]
    waiting += [schema.type_map["String"], schema.type_map["Boolean"]]  # of the introspection itself
    while waiting:
        kind = waiting.pop()
        assert schema.type_map[kind.name] is kind
        if kind.name not in found:
            found.add(kind.name)
            waiting += neighbours(schema, kind)
    return found


def neighbours(schema: GraphQLSchema, kind: GraphQLNamedType) -> Iterator[GraphQLNamedType]:
    """The types that a type refers to."""
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
        yield from kind.interfaces
        for field in kind.fields.values():
            yield get_named_type(field.type)
            yield from (get_named_type(argument.type) for argument in field.args.values())
    if isinstance(kind, GraphQLInterfaceType):
        yield from schema.get_possible_types(kind)
    if isinstance(kind, GraphQLInputObjectType):
        yield from (get_named_type(field.type) for field in kind.fields.values())
