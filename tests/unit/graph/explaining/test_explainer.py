"""Reports on documents: the verdict, each field's reason and remedy, and what the verdict hangs on."""

from __future__ import annotations

from typing import Final

import pytest

from auth.policy import Policy
from auth.principal import NOBODY, Kind, Principal, Scope, Shape
from auth.rules import permit, purposes_of_person
from graph.catalogue import read_catalogue
from graph.documents import Documents
from graph.explaining.explainer import Explainer
from graph.explaining.ruling import Asker
from graph.limits import Limits
from graph.plan import Planner
from graph.purpose import PurposeSource
from graph.schema import build, graphql_schema
from graph.types.access import AccessEntry, AccessReport, AccessUse, AccessVerdict
from models.vocabulary import Label, Outcome, Purpose, Reason, Role

ALLOWED: Final = AccessVerdict.ALLOWED
DEPENDS: Final = AccessVerdict.DEPENDS
PARTIAL: Final = AccessVerdict.PARTIAL
REFUSED: Final = AccessVerdict.REFUSED
INVALID: Final = AccessVerdict.INVALID

SCHEMA: Final = graphql_schema(build())
CATALOGUE: Final = read_catalogue(SCHEMA)
EXPLAINER: Final = Explainer(SCHEMA, Documents(SCHEMA, Limits()), Planner(SCHEMA, CATALOGUE), CATALOGUE, Policy("eu"))


def person(*roles: Role, region: str = "eu") -> Principal:
    """Somebody who is signed in."""
    held = frozenset(roles)
    return Principal(Shape(Kind.PERSON, held, region=region), id="usr_eu_1", purposes=purposes_of_person(held))


def service(*scopes: str) -> Principal:
    """A service that may act for everything."""
    shape = Shape(Kind.SERVICE, scopes=frozenset(map(Scope.parse, scopes)), region="eu")
    return Principal(shape, id="cli_eu_1", purposes=frozenset(Purpose))


SUPPORT: Final = person(Role.SUPPORT)


def explain(text: str, who: Principal, purpose: str | None = None, name: str | None = None) -> AccessReport:
    """The report on a document."""
    return EXPLAINER.explain(text, name, who, purpose)


def entry_of(report: AccessReport, coordinate: str, use: AccessUse = AccessUse.READ) -> AccessEntry:
    """The entry of one field in one use."""
    return next(entry for entry in report.entries if (entry.coordinate, entry.use) == (coordinate, use))


def lent(*roles: Role) -> Principal:
    """Somebody who has broken the glass."""
    who = person(*roles)
    return Principal(who.shape, id=who.id, purposes=who.purposes | {Purpose.EMERGENCY})


NOBODYS_MATTER = 'mutation { signIn(input: {login: "a", password: "b"}) { user { email } } }'


@pytest.mark.parametrize(
    ("who", "purpose", "text", "verdict"),
    [
        (person(Role.SUPPORT), "SUPPORT", "{ users { nodes { email phone } } }", ALLOWED),
        (person(Role.SUPPORT), "SUPPORT", "{ users { nodes { email birthDate } } }", REFUSED),
        (person(Role.SUPPORT), None, "{ users { nodes { email } } }", REFUSED),
        (person(Role.SUPPORT), "ANALYTICS", "{ users { nodes { country } } }", REFUSED),
        (person(Role.SUPPORT), None, "query @purpose(is: SUPPORT) { users { nodes { email } } }", ALLOWED),
        (person(Role.SUPPORT), "SUPPORT", "{ users { totalCount } }", ALLOWED),
        (person(Role.SUPPORT), "SUPPORT", "{ users { nodes { birthDate @skip(if: true) email } } }", ALLOWED),
        (person(Role.SUPPORT, region="us"), "SUPPORT", "{ users { nodes { email } } }", REFUSED),
        (person(Role.ADMIN), "ACCOUNT", "{ users { nodes { username email } } }", DEPENDS),
        (lent(Role.SUPPORT), "EMERGENCY", '{ user(by: {id: "x"}) { email } }', ALLOWED),
        (lent(Role.SUPPORT), "EMERGENCY", '{ node(id: "x") { ... on User { email } } me { email } }', ALLOWED),
        (lent(Role.SUPPORT), "EMERGENCY", "{ users { nodes { email } } }", REFUSED),
        (lent(Role.SUPPORT), None, "query @purpose(is: EMERGENCY, onDenied: NULL) { users { totalCount } }", REFUSED),
        (lent(*Role), "EMERGENCY", '{ user(by: {id: "x"}) { email } users { totalCount } }', REFUSED),
        (lent(*Role), "EMERGENCY", "{ breakGlassGrants { id } }", REFUSED),
        (lent(Role.SUPPORT), "SUPPORT", "{ users { nodes { email } } }", ALLOWED),
        (person(), "ACCOUNT", "{ users { nodes { username } } }", REFUSED),
        (person(), "ACCOUNT", "{ me { email devices { name } } }", ALLOWED),
        (person(), "ACCOUNT", '{ user(by: {email: "a@b.example"}) { email } }', DEPENDS),
        (person(), "PERSONALISATION", "{ me { preferences { theme } } }", DEPENDS),
        (person(), "ACCOUNT", 'mutation { updateUser(input: {phone: "1"}) { errors { code } } }', ALLOWED),
        (person(), "ACCOUNT", 'mutation { updateUser(input: {id: "x", phone: "1"}) { errors { code } } }', DEPENDS),
        (person(), "SECURITY", 'mutation { updateUser(input: {phone: "1"}) { errors { code } } }', REFUSED),
        (person(), "SECURITY", "mutation { giveConsent(input: {purpose: MARKETING}) { given } }", REFUSED),
        (person(), "ACCOUNT", "mutation { giveConsent(input: {purpose: MARKETING}) { given } }", ALLOWED),
        (person(Role.ANALYST), "ANALYTICS", "{ users(orderBy: {field: LOGIN_COUNT}) { totalCount } }", ALLOWED),
        (person(Role.ANALYST), "ANALYTICS", "{ users(orderBy: {field: USERNAME}) { totalCount } }", REFUSED),
        (person(Role.ANALYST), "ANALYTICS", '{ users(filter: {country: "DE"}) { totalCount } }', ALLOWED),
        (service("user.name:read"), "SUPPORT", "{ users { nodes { fullName } } }", ALLOWED),
        (service("user.name:read"), "SUPPORT", "{ users { nodes { email } } }", REFUSED),
        (service("user.name:read"), "ANALYTICS", "{ users { nodes { fullName } } }", REFUSED),
        (NOBODY, None, "{ purposes { key } __schema { queryType { name } } }", ALLOWED),
        (NOBODY, None, NOBODYS_MATTER, ALLOWED),
        (NOBODY, None, "{ me { id } }", REFUSED),
    ],
)
def test_the_verdict(who: Principal, purpose: str | None, text: str, verdict: AccessVerdict) -> None:
    """Of the operation as a whole."""
    assert explain(text, who, purpose).verdict is verdict


def test_under_null_what_is_denied_is_partial() -> None:
    """It runs, with nulls."""
    text = "query @purpose(is: SUPPORT, onDenied: NULL) { users { nodes { email birthDate } } }"
    report = explain(text, person(Role.SUPPORT))
    assert (report.verdict, report.purpose, report.purpose_from) == (PARTIAL, Purpose.SUPPORT, PurposeSource.DIRECTIVE)


def test_every_field_has_its_outcome_for_own_and_others() -> None:
    """With the rule that made it, where it is in the document, and what it holds."""
    report = explain("{\n  users { nodes {\n    email birthDate } } }", person(Role.SUPPORT), "SUPPORT")
    email, birth_date = entry_of(report, "User.email"), entry_of(report, "User.birthDate")
    assert email.own is not None
    assert email.others is not None
    assert birth_date.others is not None
    assert (email.own.outcome, email.others.outcome, email.others.remedy) == (Outcome.MASKED, Outcome.MASKED, None)
    assert email.others.rule == "permit SUPPORT to read user.contact for SUPPORT as MASKED"
    assert (email.line, email.column, email.label) == (3, 5, "user.contact.email")
    assert (birth_date.others.outcome, birth_date.others.reason) == (Outcome.DENIED, Reason.PURPOSE)
    assert birth_date.others.remedy == "It is read by the person themself for ACCOUNT."


@pytest.mark.parametrize(
    ("who", "purpose", "text", "coordinate", "remedy"),
    [
        (person(Role.SUPPORT), None, "{ users { nodes { email } } }", "User.email", "Ask for SUPPORT"),
        (person(), "SECURITY", "{ me { email } }", "User.email", "Ask for ACCOUNT"),
        (person(), "ACCOUNT", "{ users { nodes { country } } }", "User.country", "ANALYST for ANALYTICS"),
        (person(), "ACCOUNT", "{ users { nodes { email } } }", "User.email", "SUPPORT for SUPPORT (masked)"),
        (person(region="us"), "ACCOUNT", "{ me { email } }", "User.email", "your own region, us"),
        (
            service("user.name:read"),
            "SUPPORT",
            "{ users { nodes { email } } }",
            "User.email",
            "`user.contact.email:read`",
        ),
        (
            service("user.name:read"),
            "ANALYTICS",
            "{ users { nodes { fullName } } }",
            "User.fullName",
            "Ask for ACCOUNT",
        ),
        (
            service("user.name:read"),
            "ANALYTICS",
            "{ users { nodes { email } } }",
            "User.email",
            "used for ACCOUNT, SECURITY",
        ),
        (NOBODY, None, "{ me { email } }", "User.email", "Sign in."),
    ],
)
def test_a_denial_says_what_would_allow_it(
    who: Principal, purpose: str | None, text: str, coordinate: str, remedy: str
) -> None:
    """Another purpose, another role, a scope, the right region, or signing in."""
    entry = entry_of(explain(text, who, purpose), coordinate)
    texts = [it.remedy or "" for it in (entry.own, entry.others) if it is not None]
    assert any(remedy in it for it in texts), texts


@pytest.mark.parametrize("shown", ["totalCount", "nodes { email birthDate }"])
def test_a_list_is_closed_for_an_emergency_whatever_is_selected(shown: str) -> None:
    """Said of the root field, with what to use instead; a proof would not help, so none is asked for."""
    policy = Policy("eu", step_up=True)
    explainer = Explainer(SCHEMA, Documents(SCHEMA, Limits()), Planner(SCHEMA, CATALOGUE), CATALOGUE, policy)
    report = explainer.explain(f"{{\n  users {{ {shown} }} }}", None, lent(Role.SUPPORT), "EMERGENCY")
    entry = entry_of(report, "Query.users")
    for decision in (entry.own, entry.others):
        assert decision is not None
        assert (decision.outcome, decision.reason) == (Outcome.DENIED, Reason.PURPOSE)
        assert decision.rule == "EMERGENCY opens one named person at a time: use user or node"
        assert decision.remedy == "Name one person, with `user` or `node`."
    assert (report.verdict, entry.line, entry.column, report.notes) == (REFUSED, 2, 3, [])


def test_closed_lists_are_among_what_is_said_of_an_emergency() -> None:
    """`myAccess` names them, once each and denied; for other purposes there are none."""
    for purpose in Purpose:
        entries = EXPLAINER.reads(Asker(lent(*Role).shape, frozenset(Purpose), purpose))
        closed = [it.coordinate for it in entries if it.coordinate.startswith("Query.")]
        assert closed == (["Query.users", "Query.breakGlassGrants"] if purpose is Purpose.EMERGENCY else [])


def test_a_purpose_that_is_not_held_is_no_remedy() -> None:
    """A token that was narrowed cannot simply be used for something else."""
    narrowed = Principal(person().shape, id="usr_eu_1", purposes=frozenset({Purpose.SECURITY}))
    own = entry_of(explain("{ me { email } }", narrowed), "User.email").own
    assert own is not None
    assert own.remedy is not None
    assert own.remedy.startswith("It is read by the person themself for ACCOUNT")


def test_a_masked_value_does_not_do_for_a_filter() -> None:
    """It does for reading and for an exact look-up."""
    masked = permit(Role.SUPPORT, [Label.USERNAME, Label.IMPRECISE_LOCATION], [Purpose.SUPPORT], as_=Outcome.MASKED)
    explainer = Explainer(
        SCHEMA, Documents(SCHEMA, Limits()), Planner(SCHEMA, CATALOGUE), CATALOGUE, Policy("eu", [masked])
    )
    filtered = explainer.explain('{ users(filter: {country: "DE"}) { nodes { country } } }', None, SUPPORT, "SUPPORT")
    looked_up = explainer.explain('{ user(by: {username: "x"}) { country } }', None, SUPPORT, "SUPPORT")
    assert (filtered.verdict, looked_up.verdict) == (REFUSED, ALLOWED)
    others = entry_of(filtered, "User.country", AccessUse.FILTER).others
    assert others is not None
    assert (others.outcome, others.reason) == (Outcome.DENIED, Reason.ROLE)
    assert "needs the clear value" in others.rule


def test_variables_are_unknown() -> None:
    """What one may hold is listed as uncertain, and what it must not hold is said."""
    text = "query ($filter: UserFilter, $order: UserOrder) { users(filter: $filter, orderBy: $order) { totalCount } }"
    report = explain(text, person(Role.ANALYST), "ANALYTICS")
    assert report.verdict is DEPENDS
    assert "$order must leave out UserOrderField.USERNAME." in report.notes
    assert not entry_of(report, "User.username", AccessUse.ORDER).certain
    assert entry_of(report, "User.id").certain


def test_a_variable_that_can_hold_nothing_allowed_is_refused() -> None:
    """No value of it would do."""
    text = "mutation ($input: UpdateUserInput!) { updateUser(input: $input) { errors { code } } }"
    assert explain(text, person(), "SECURITY").verdict is REFUSED
    assert explain(text, person(Role.PRIVACY), "LEGAL").verdict is DEPENDS


def test_a_single_value_in_a_variable_is_certain() -> None:
    """Whatever address is given, it is looked up by."""
    text = "query ($email: String!) { user(by: {email: $email}) { country } }"
    report = explain(text, person(Role.ANALYST), "ANALYTICS")
    assert report.verdict is REFUSED
    look_up = entry_of(report, "User.email", AccessUse.LOOK_UP)
    assert (look_up.via, look_up.certain) == ("UserBy.email", True)


def test_conditional_fields_count_as_selected() -> None:
    """Whichever way the variable falls."""
    for condition in ("@include(if: $x)", "@skip(if: $x)"):
        text = (
            f"query ($x: Boolean!) {{ users {{ nodes {{ id ...F {condition} }} }} }} fragment F on User {{ birthDate }}"
        )
        assert explain(text, person(Role.SUPPORT), "SUPPORT").verdict is REFUSED


def test_the_purpose_of_the_document_comes_before_the_header() -> None:
    """As in a request; a variable in it is unknown."""
    text = "query @purpose(is: ACCOUNT) { me { email } }"
    report = explain(text, person(Role.SUPPORT), "SUPPORT")
    assert (report.purpose, report.purpose_from) == (Purpose.ACCOUNT, PurposeSource.DIRECTIVE)
    unknown = explain("query ($p: Purpose!) @purpose(is: $p) { me { email } }", person(), "ACCOUNT")
    assert (unknown.verdict, unknown.notes) == (DEPENDS, ["What $p says of the purpose is unknown here."])


@pytest.mark.parametrize(
    ("text", "name", "code"),
    [
        ("{ me {", None, "GRAPHQL_PARSE_FAILED"),
        ("{ me { nope } }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("query A { me { id } } query B { me { id } }", None, "BAD_USER_INPUT"),
        ("query A { me { id } }", "B", "BAD_USER_INPUT"),
        ("{" + "a: __typename " * 20_000 + "}", None, "LIMIT_EXCEEDED"),
    ],
)
def test_what_cannot_be_run_is_said(text: str, name: str | None, code: str) -> None:
    """As the API would answer it."""
    report = explain(text, person(), "ACCOUNT", name)
    assert (report.verdict, report.problems[0].code, report.entries) == (INVALID, code, [])


def test_consent_and_age_are_said() -> None:
    """They are decided row by row."""
    notes = " ".join(explain("{ me { locale } }", person(), "PERSONALISATION").notes)
    assert "consented to PERSONALISATION" in notes
    assert "minors" in notes


def test_a_service_has_no_row_of_its_own() -> None:
    """Nothing is said of it, and `me` shows nothing."""
    report = explain("{ me { fullName } }", service("user.name:read"), "SUPPORT")
    assert entry_of(report, "User.fullName").own is None
    assert any("no row of its own" in note for note in report.notes)


@pytest.mark.parametrize("who", [NOBODY, SUPPORT, service("user.name:read")], ids=["nobody", "support", "service"])
def test_signing_in_is_read_as_the_person_who_does(who: Principal) -> None:
    """Under ACCOUNT, whoever sends it and for whatever purpose."""
    email = entry_of(explain(NOBODYS_MATTER, who, "SUPPORT"), "User.email")
    assert email.own is not None
    assert (email.own.outcome, email.others) == (Outcome.CLEAR, None)


def test_every_output_field_is_among_what_can_be_read() -> None:
    """Each with its decisions, for a caller and a purpose."""
    found = {
        it.coordinate: it for it in EXPLAINER.reads(Asker(person(Role.SUPPORT).shape, frozenset(), Purpose.SUPPORT))
    }
    expected = {spec.coordinate for fields in CATALOGUE.types.values() for spec in fields.values()} - {"Node.id"}
    assert set(found) == expected
    others = found["User.email"].others
    assert others is not None
    assert others.outcome is Outcome.MASKED


def test_what_can_be_written_leaves_registration_out() -> None:
    """Input fields of those who are signed in, and what a mutation changes by itself."""
    asker = Asker(person().shape, person().purposes, Purpose.ACCOUNT)
    found = {it.coordinate: it for it in EXPLAINER.writes(asker)}
    assert {"UpdateUserInput.email", "AddressInput.city", "Mutation.giveConsent"} <= set(found)
    assert not any(coordinate.startswith("RegisterInput.") for coordinate in found)
    own, others = found["UpdateUserInput.email"].own, found["UpdateUserInput.email"].others
    assert own is not None
    assert others is not None
    assert (own.outcome, others.outcome) == (Outcome.CLEAR, Outcome.DENIED)
