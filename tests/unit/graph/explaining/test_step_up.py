"""Explaining where step-up is enforced: what is asked for, of those who lack it and of those who do not."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from auth.policy import Policy
from auth.principal import PROVEN, STALE, UNPROVEN, Assurance, Kind, Principal, Shape
from auth.rules import purposes_of_person
from graph.catalogue import read_catalogue
from graph.documents import Documents
from graph.explaining.explainer import Explainer
from graph.explaining.ruling import Asker
from graph.introspection import Introspection
from graph.limits import Limits
from graph.plan import Planner
from graph.schema import build, graphql_schema
from graph.types.access import AccessDecision, AccessReport, AccessVerdict
from models.vocabulary import Outcome, Purpose, Reason, Role, Wanted

SCHEMA: Final = graphql_schema(build())
CATALOGUE: Final = read_catalogue(SCHEMA)
POLICY: Final = Policy("eu", step_up=True)
EXPLAINER: Final = Explainer(SCHEMA, Documents(SCHEMA, Limits()), Planner(SCHEMA, CATALOGUE), CATALOGUE, POLICY)

READING: Final = "{ users { nodes { username email } } }"
DELETING: Final = 'mutation { deleteUser(input: {password: "x"}) { deleted } }'
REGISTERING: Final = 'mutation { register(input: {username: "a", email: "b", password: "c"}) { user { email } } }'
MINUTES: Final = "asks for step-up: a proof of who you are that is at most 15 minutes old."


def person(assurance: Assurance, *roles: Role) -> Principal:
    """Somebody who is signed in, more or less surely."""
    held = frozenset(roles)
    shape = Shape(Kind.PERSON, held, region="eu", assurance=assurance)
    return Principal(shape, id="usr_eu_1", purposes=purposes_of_person(held))


def explain(text: str, who: Principal, purpose: str = "ACCOUNT") -> AccessReport:
    """The report on a document."""
    return EXPLAINER.explain(text, None, who, purpose)


def decision(report: AccessReport, coordinate: str, whose: str) -> AccessDecision | None:
    """What is said of one field, on `own` or on `others` rows."""
    entry = next(entry for entry in report.entries if entry.coordinate == coordinate)
    found: AccessDecision | None = getattr(entry, whose)
    return found


def test_staff_without_a_second_factor_are_told_to_show_one() -> None:
    """With the rule that would permit, and what to do."""
    report = explain(READING, person(Assurance(recent=True), Role.PRIVACY), "LEGAL")
    assert report.verdict is AccessVerdict.REFUSED
    assert decision(report, "User.username", "others") == AccessDecision(
        outcome=Outcome.DENIED,
        rule=(
            "permit PRIVACY to read user.account.username, user.name, user.contact, =user.account, "
            "user.privacy_preferences, user.demographic.language for LEGAL, after step-up"
        ),
        reason=Reason.STEP_UP,
        wanted=Wanted.SECOND_FACTOR,
        remedy="Confirm it is you with `stepUp` and a second factor (`enrolTotp` or `enrolPasskey` makes one), "
        "then ask again.",
    )


def test_what_asks_for_a_recent_proof_is_said_to_those_who_have_just_given_one() -> None:
    """The verdict is theirs now; the note is for a quarter of an hour later."""
    report = explain(READING, person(PROVEN, Role.PRIVACY), "LEGAL")
    assert (report.verdict, report.notes) == (AccessVerdict.ALLOWED, [f"User.email {MINUTES}"])
    later = explain(READING, person(STALE, Role.PRIVACY), "LEGAL")
    assert (later.verdict, later.notes) == (AccessVerdict.REFUSED, [f"User.email {MINUTES}"])


def test_what_is_never_asked_for_has_no_note() -> None:
    """Neither what a role reads masked, nor what a person reads of themself or registers with."""
    for text, who, purpose in (
        (READING, person(PROVEN, Role.SUPPORT), "SUPPORT"),
        ("{ me { email birthDate } }", person(UNPROVEN), "ACCOUNT"),
        (REGISTERING, person(UNPROVEN), "ACCOUNT"),
    ):
        report = explain(text, who, purpose)
        assert report.verdict is AccessVerdict.ALLOWED
        assert not any("step-up" in note for note in report.notes)


def test_a_dangerous_act_says_what_it_wants() -> None:
    """Of the person who is signed in; the password where there is no second factor."""
    refused = explain(DELETING, person(UNPROVEN))
    own = decision(refused, "Mutation.deleteUser", "own")
    assert refused.verdict is AccessVerdict.REFUSED
    assert own is not None
    assert (own.outcome, own.reason, own.wanted) == (Outcome.DENIED, Reason.STEP_UP, Wanted.PASSWORD)
    assert own.remedy == "Confirm it is you with `stepUp`, then ask again."
    allowed = explain(DELETING, person(Assurance(recent=True)))
    assert (allowed.verdict, allowed.notes) == (AccessVerdict.ALLOWED, [f"Mutation.deleteUser {MINUTES}"])


def test_what_can_be_written_says_what_it_wants() -> None:
    """Input fields, and what a mutation changes by itself."""
    who = person(UNPROVEN)
    found = {it.coordinate: it.own for it in EXPLAINER.writes(Asker(who.shape, who.purposes, Purpose.ACCOUNT))}
    asked = {coordinate for coordinate, own in found.items() if own is not None and own.wanted is Wanted.PASSWORD}
    assert asked >= {"UpdateUserInput.email", "Mutation.deleteUser", "Mutation.changePassword"}
    assert not asked & {"UpdateUserInput.fullName", "UpdateUserInput.phone", "Mutation.giveConsent"}


def test_a_remedy_is_that_of_somebody_who_has_proven_everything() -> None:
    """Who may, and for what, does not hang on what the asker has proven so far."""
    for assurance in (UNPROVEN, PROVEN):
        report = explain("{ users { nodes { email } } }", person(assurance, Role.PRIVACY), "ACCOUNT")
        others = decision(report, "User.email", "others")
        assert others is not None
        assert others.remedy == "Ask for LEGAL: name it with @purpose(is: ...) or the header Data-Purpose."


def test_introspection_hides_nothing_that_step_up_opens() -> None:
    """Whoever could not see it would not know what to step up for; all assurances share one schema."""
    introspection = Introspection(SCHEMA, CATALOGUE, POLICY)
    for roles in ((), (Role.PRIVACY,), (Role.ADMIN, Role.SUPPORT)):
        who = person(UNPROVEN, *roles)
        views = {
            id(introspection.schema(replace(who.shape, assurance=Assurance(strong, recent)), who.purposes))
            for strong in (False, True)
            for recent in (False, True)
        }
        assert len(views) == 1
    names = set(introspection.schema(person(UNPROVEN).shape, frozenset({Purpose.ACCOUNT})).type_map)
    assert {"DeleteUserInput", "ChangePasswordInput", "UpdateUserInput"} <= names
