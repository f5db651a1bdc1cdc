"""Proof of who one is, over HTTP: what asks for a second factor or a recent confirmation, and what gives it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from auth.tokens import PERSON_LIFETIME, Tokens
from models.crypto.key_file import load_or_create
from tests.e2e.conftest import NEW_PASSWORD, Newcomer, Who
from tests.e2e.people import UPDATE
from tests.e2e.server import STAFF, Account, Json, Server
from tests.e2e.staff import granted, renewed

STRONG: Final = ("mfa", "otp", "pwd")
WEAK: Final = ("pwd",)
OLD: Final = timedelta(minutes=16)
FRESH: Final = timedelta(minutes=14)

# What each role is there for.
WORK: Final = {
    "support": ("SUPPORT", "{ users(first: 2) { nodes { fullName email } } }"),
    "analyst": ("ANALYTICS", "{ users(first: 2) { nodes { country } totalCount } }"),
    "security": ("SECURITY", "{ users(first: 2) { nodes { username phone } } }"),
    "privacy": ("LEGAL", "{ users(first: 2) { nodes { username fullName } } }"),
    "admin": ("ACCOUNT", "{ users(first: 2) { nodes { username status } } }"),
}
EMAIL: Final = "query ($id: ID!) { user(by: {id: $id}) { username email } }"
CHANGE_PASSWORD: Final = """
mutation ($old: String!, $new: String!) {
  changePassword(input: {currentPassword: $old, newPassword: $new}) { changed errors { code } }
}"""
DELETE: Final = "mutation ($password: String!) { deleteUser(input: {password: $password}) { deleted errors { code } } }"

Proven = Callable[..., Account]


@pytest.fixture(scope="session")
def proven(server: Server) -> Proven:
    """The same session as if it had been proven otherwise: `proven(account, WEAK, OLD)`, with the service's own key."""
    ring = load_or_create(server.folder / "keys" / "signing.json")
    tokens = Tokens(ring, issuer=server.url, audience=f"{server.url}/graphql")

    def otherwise(account: Account, methods: Iterable[str], age: timedelta = timedelta(0)) -> Account:
        now = datetime.now(UTC)
        claims = replace(
            tokens.verify(account.token, now),
            issued_at=now,
            expires_at=now + PERSON_LIFETIME,
            methods=frozenset(methods),
            authenticated_at=now - age,
        )
        return Account(server, tokens.issue(claims), id=account.id)

    return otherwise


def aged(account: Account) -> Account:
    """The account after 16 minutes of going on with the same session."""
    long_ago = datetime.now(UTC) - OLD
    with account.server.database() as client:
        changed = client.get_default_database()["sessions"].update_many(
            {"person": account.id}, {"$set": {"authenticated_at": long_ago}}
        )
    assert changed.modified_count == 1
    return renewed(account)


def asked_for(answer: Json) -> dict[str, Any]:
    """What proof is wanted for each coordinate; nothing else may be denied."""
    extensions = [error["extensions"] for error in answer["errors"]]
    assert {it["reason"] for it in extensions} == {"STEP_UP"}, extensions
    assert {it["code"] for it in extensions} == {"FORBIDDEN"}
    return {it["coordinate"]: it["wanted"] for it in extensions}


def someone(who: Who) -> dict[str, str]:
    """Whom staff ask about."""
    return {"id": who("subject").id}


@pytest.mark.parametrize("role", sorted(STAFF))
def test_staff_without_a_second_factor_are_refused(role: str, who: Who, proven: Proven) -> None:
    """However lately they gave their password; nothing of others shows, and what to do is said."""
    purpose, work = WORK[role]
    for age in (timedelta(0), OLD):
        response = proven(who(role), WEAK, age).ask(work, purpose=purpose)
        assert response.status_code == 403
        assert "data" not in response.json()
        # RFC 9470, section 3.
        assert 'error="insufficient_user_authentication", max_age="900"' in response.headers["www-authenticate"]
        assert set(asked_for(response.json()).values()) == {"SECOND_FACTOR"}
        assert all("`stepUp` and a second factor" in error["message"] for error in response.json()["errors"])


@pytest.mark.parametrize("role", sorted(STAFF))
def test_staff_with_a_second_factor_do_their_work(role: str, who: Who, proven: Proven) -> None:
    """Also when they gave it long ago: names and masked addresses need no fresh proof."""
    purpose, work = WORK[role]
    for age in (timedelta(0), OLD):
        assert proven(who(role), STRONG, age).data(work, purpose=purpose)["users"]["nodes"]


@pytest.mark.parametrize("role", sorted(STAFF))
def test_staff_are_people_too(role: str, who: Who, proven: Proven) -> None:
    """Their own data needs no second factor."""
    assert proven(who(role), WEAK, OLD).data("{ me { username email birthDate } }", purpose="ACCOUNT")["me"]["email"]


def test_a_new_member_of_staff_gets_a_second_factor(server: Server, who: Who, newcomer: Newcomer) -> None:
    """Signed in by a password alone, they can do nothing as staff but enrol one."""
    hired = newcomer()
    granted(who("admin"), hired.id, "SUPPORT")
    hired = renewed(hired)
    purpose, work = WORK["support"]
    assert set(asked_for(hired.ask(work, purpose=purpose).json()).values()) == {"SECOND_FACTOR"}
    given = {"old": NEW_PASSWORD, "new": "another-quiet-harbour"}
    refused = hired.ask(CHANGE_PASSWORD, given, purpose="ACCOUNT").json()
    assert asked_for(refused) == {"Mutation.changePassword": "SECOND_FACTOR"}
    hired.enrol()
    assert hired.data(work, purpose=purpose)["users"]["nodes"]
    assert hired.data(CHANGE_PASSWORD, given, purpose="ACCOUNT")["changePassword"] == {"changed": True, "errors": []}


def test_reading_an_address_in_clear_needs_a_recent_proof(who: Who, proven: Proven) -> None:
    """Of somebody else, by privacy staff; what identifies less stays readable."""
    old, fresh = proven(who("privacy"), STRONG, OLD), proven(who("privacy"), STRONG, FRESH)
    assert asked_for(old.ask(EMAIL, someone(who), purpose="LEGAL").json()) == {"User.email": "SECOND_FACTOR"}
    assert fresh.data(EMAIL, someone(who), purpose="LEGAL")["user"]["email"] == "subject@demo.example"
    assert who("privacy").data(EMAIL, someone(who), purpose="LEGAL")["user"]["email"] == "subject@demo.example"
    own = "query ($id: ID!) { user(by: {id: $id}) { email } }"
    assert old.data(own, {"id": old.id}, purpose="LEGAL")["user"]["email"] == "privacy@demo.example"


def test_a_list_of_addresses_is_refused_not_emptied(who: Who, proven: Proven) -> None:
    """One's own row could show: the others' are asked about first."""
    old = proven(who("privacy"), STRONG, OLD)
    response = old.ask("{ users(first: 5) { nodes { username email } } }", purpose="LEGAL")
    assert asked_for(response.json()) == {"User.email": "SECOND_FACTOR"}
    assert response.status_code == 403


def test_in_null_mode_the_rest_is_answered(who: Who, proven: Proven) -> None:
    """With one error that says what is wanted, at the field."""
    query = f"query ($id: ID!) @purpose(is: LEGAL, onDenied: NULL) {EMAIL[EMAIL.index('{') :]}"
    answer = proven(who("privacy"), STRONG, OLD).ask(query, someone(who)).json()
    assert answer["data"] == {"user": {"username": "subject", "email": None}}
    assert asked_for(answer) == {"User.email": "SECOND_FACTOR"}
    assert [error["path"] for error in answer["errors"]] == [["user", "email"]]


def test_staff_change_others_data_only_after_a_recent_proof(who: Who, newcomer: Newcomer, proven: Proven) -> None:
    """Each field that is changed is named."""
    person = newcomer()
    given = {"input": {"id": person.id, "fullName": "Right Name"}}
    old = proven(who("privacy"), STRONG, OLD)
    query = "mutation ($input: UpdateUserInput!) { updateUser(input: $input) { errors { code } } }"
    refused = old.ask(query, given, purpose="LEGAL").json()
    assert asked_for(refused) == {"UpdateUserInput.fullName": "SECOND_FACTOR"}
    assert who("privacy").data(query, given, purpose="LEGAL")["updateUser"]["errors"] == []
    assert person.data("{ me { fullName } }", purpose="ACCOUNT")["me"]["fullName"] == "Right Name"


def test_dangerous_acts_are_refused_after_a_quarter_of_an_hour(newcomer: Newcomer) -> None:
    """To go on with a session is no proof; to give the password again is."""
    person = aged(newcomer())
    new = f"{person.id.lower()}@people.example"
    acts: dict[str, tuple[str, dict[str, object]]] = {
        "UpdateUserInput.email": (UPDATE, {"input": {"email": new}}),
        "Mutation.changePassword": (CHANGE_PASSWORD, {"old": NEW_PASSWORD, "new": "another-quiet-harbour"}),
        "Mutation.deleteUser": (DELETE, {"password": NEW_PASSWORD}),
    }
    for coordinate, (query, given) in acts.items():
        response = person.ask(query, given, purpose="ACCOUNT")
        assert (response.status_code, asked_for(response.json())) == (403, {coordinate: "PASSWORD"})
    assert person.data(UPDATE, {"input": {"fullName": "Still Me"}}, purpose="ACCOUNT")["updateUser"]["errors"] == []
    person.step_up(password=NEW_PASSWORD)
    assert person.data(UPDATE, {"input": {"email": new}}, purpose="ACCOUNT")["updateUser"]["errors"] == []
    deleted = person.data(DELETE, {"password": NEW_PASSWORD}, purpose="ACCOUNT")["deleteUser"]
    assert deleted == {"deleted": True, "errors": []}


def test_a_new_password_is_taken_after_step_up(server: Server, newcomer: Newcomer) -> None:
    """And the recent proof outlives a refresh of the token."""
    person = aged(newcomer())
    person.step_up(password=NEW_PASSWORD)
    person = renewed(person)
    given = {"old": NEW_PASSWORD, "new": "another-quiet-harbour"}
    assert person.data(CHANGE_PASSWORD, given, purpose="ACCOUNT")["changePassword"] == {"changed": True, "errors": []}


def test_who_has_a_second_factor_is_asked_for_it(newcomer: Newcomer) -> None:
    """A password is not enough for them, here either."""
    person = newcomer()
    codes = person.enrol()
    person = aged(person)
    given = {"old": NEW_PASSWORD, "new": "another-quiet-harbour"}
    refused = person.ask(CHANGE_PASSWORD, given, purpose="ACCOUNT").json()
    assert asked_for(refused) == {"Mutation.changePassword": "SECOND_FACTOR"}
    person.step_up(**codes.proof())
    assert person.data(CHANGE_PASSWORD, given, purpose="ACCOUNT")["changePassword"]["changed"]


def test_what_step_up_opens_is_not_hidden(who: Who, proven: Proven) -> None:
    """The schema shows all that the caller may use after it, and the reason what is missing."""
    weak = proven(who("privacy"), WEAK, OLD)
    query = '{ __type(name: "User") { fields { name } } __schema { mutationType { fields { name } } } }'
    assert weak.data(query, purpose="LEGAL") == who("privacy").data(query, purpose="LEGAL")
    mine = "{ myAccess { fields { coordinate others { outcome reason wanted remedy } } } }"
    fields = {it["coordinate"]: it["others"] for it in weak.data(mine, purpose="LEGAL")["myAccess"]["fields"]}
    assert fields["User.email"] == {
        "outcome": "DENIED",
        "reason": "STEP_UP",
        "wanted": "SECOND_FACTOR",
        "remedy": "Confirm it is you with `stepUp` and a second factor (`enrolTotp` or `enrolPasskey` makes one), "
        "then ask again.",
    }
    explain = "query ($text: String!) { explainAccess(document: $text) { verdict } }"
    text = {"text": "{ users { nodes { username } } }"}
    assert weak.data(explain, text, purpose="LEGAL")["explainAccess"]["verdict"] == "REFUSED"
    strong = proven(who("privacy"), STRONG, OLD)
    assert strong.data(explain, text, purpose="LEGAL")["explainAccess"]["verdict"] == "ALLOWED"


def test_services_are_not_asked(who: Who) -> None:
    """They prove themselves with every token."""
    assert who("service").data(EMAIL.replace("username ", ""), someone(who), purpose="SUPPORT")["user"]["email"]


def test_nobody_is_asked_to_sign_in_first(server: Server) -> None:
    """Step-up is for those who are somebody."""
    answer = server.post(DELETE, {"password": NEW_PASSWORD}).json()
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["UNAUTHENTICATED"]
