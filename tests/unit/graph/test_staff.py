"""What is shown of roles and emergencies to whom, and what explanations say of them."""

from __future__ import annotations

from typing import Final

import pytest
from graphql import GraphQLObjectType

from auth.policy import Policy
from auth.principal import Kind, Principal, Scope, Shape
from auth.rules import purposes_of_person
from graph.access import Opens, Rows
from graph.catalogue import read_catalogue
from graph.documents import Documents
from graph.explaining.explainer import Explainer
from graph.introspection import Introspection
from graph.limits import Limits
from graph.plan import Planner
from graph.schema import build, graphql_schema
from graph.types.access import AccessReport, AccessUse, AccessVerdict
from models.errors import ConfigurationError
from models.vocabulary import Access, Label, Purpose, Reason, Role

SCHEMA: Final = graphql_schema(build())
CATALOGUE: Final = read_catalogue(SCHEMA)
INTROSPECTION: Final = Introspection(SCHEMA, CATALOGUE, Policy("eu"))
EXPLAINER: Final = Explainer(SCHEMA, Documents(SCHEMA, Limits()), Planner(SCHEMA, CATALOGUE), CATALOGUE, Policy("eu"))
OURS: Final = {"grantRole", "revokeRole", "breakGlass", "reviewBreakGlass", "breakGlassGrants"}
HIRE: Final = 'mutation { grantRole(input: {user: "usr_eu_x", role: SUPPORT, reason: "x"}) { errors { code } } }'
COUNT: Final = "{ breakGlassGrants { __typename } }"


def person(*roles: Role) -> Principal:
    """Somebody who is signed in."""
    held = frozenset(roles)
    return Principal(Shape(Kind.PERSON, held, region="eu"), id="usr_eu_1", purposes=purposes_of_person(held))


def service() -> Principal:
    """One with every scope and purpose there is."""
    scopes = frozenset(Scope(label, access) for label in Label for access in Access)
    return Principal(Shape(Kind.SERVICE, scopes=scopes, region="eu"), id="cli_eu_1", purposes=frozenset(Purpose))


def explained(text: str, who: Principal, purpose: Purpose) -> AccessReport:
    """The report on a document."""
    return EXPLAINER.explain(text, None, who, purpose)


@pytest.mark.parametrize(
    ("who", "shown"),
    [
        (person(), ""),
        (person(Role.ANALYST), ""),
        (person(Role.SUPPORT), "breakGlass"),
        (person(Role.PRIVACY), "breakGlass"),
        (person(Role.SECURITY), "breakGlass reviewBreakGlass breakGlassGrants"),
        (person(Role.ADMIN), "grantRole revokeRole reviewBreakGlass breakGlassGrants"),
        (service(), ""),
    ],
)
def test_introspection_shows_what_each_may_call(who: Principal, shown: str) -> None:
    """And nothing else of it."""
    schema = INTROSPECTION.schema(who.shape, who.purposes)
    roots = {name for root in (schema.query_type, schema.mutation_type) if root for name in root.fields}
    assert roots & OURS == set(shown.split())


@pytest.mark.parametrize("who", [person(), person(Role.SUPPORT), person(Role.SECURITY), service()])
def test_only_administrators_and_oneself_see_roles(who: Principal) -> None:
    """Under no purpose of theirs on rows of others; a service on none."""
    user = INTROSPECTION.schema(who.shape, who.purposes - {Purpose.ACCOUNT}).type_map.get("User")
    shown = set(user.fields) if isinstance(user, GraphQLObjectType) else set()
    assert shown & {"roles", "roleHistory"} == set()


def test_how_many_wait_for_review_is_told_to_reviewers_only() -> None:
    """Selecting nothing of a record still reads that there are some."""
    for role, purpose in (
        (Role.SUPPORT, Purpose.SUPPORT),
        (Role.PRIVACY, Purpose.LEGAL),
        (Role.SECURITY, Purpose.ACCOUNT),
    ):
        report = explained(COUNT, person(role), purpose)
        assert report.verdict is AccessVerdict.REFUSED
    assert explained(COUNT, person(Role.SECURITY), Purpose.SECURITY).verdict is AccessVerdict.ALLOWED
    assert explained(COUNT, person(Role.ADMIN), Purpose.ACCOUNT).verdict is AccessVerdict.ALLOWED


def test_what_a_root_field_reads_is_explained_as_read() -> None:
    """On rows of others, with the label."""
    report = explained(COUNT, person(Role.SUPPORT), Purpose.SUPPORT)
    entry = next(it for it in report.entries if it.coordinate == "Query.breakGlassGrants")
    assert (entry.use, entry.label) == (AccessUse.READ, Label.BREAK_GLASS)
    assert entry.others is not None
    assert entry.others.reason is Reason.PURPOSE


@pytest.mark.parametrize("purpose", [Purpose.ACCOUNT, Purpose.LEGAL])
def test_a_service_is_told_that_none_may(purpose: Purpose) -> None:
    """However wide its scopes are."""
    report = explained(HIRE, service(), purpose)
    assert report.verdict is AccessVerdict.REFUSED
    entry = next(it for it in report.entries if it.coordinate == "Mutation.grantRole")
    assert entry.others is not None
    assert entry.others.remedy == "No service may, through the API."


def test_giving_a_role_is_about_another() -> None:
    """The report on an administrator's mutation speaks of other people's rows too."""
    report = explained(HIRE, person(Role.ADMIN), Purpose.ACCOUNT)
    assert report.verdict is AccessVerdict.ALLOWED
    entry = next(it for it in report.entries if it.coordinate == "Mutation.grantRole")
    assert entry.use is AccessUse.WRITE
    assert entry.others is not None
    assert explained(HIRE, person(Role.SECURITY), Purpose.ACCOUNT).verdict is AccessVerdict.REFUSED


@pytest.mark.parametrize("rows", [Rows.MANY, Rows.SUBJECT, Rows.NONE, Rows.PUBLIC])
def test_a_change_is_of_one_person(rows: Rows) -> None:
    """A root field that opens anybody's rows cannot say whose it changes."""
    with pytest.raises(ConfigurationError):
        Opens(rows, changes=(Label.ROLES,))
