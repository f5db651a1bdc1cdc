"""Roles over HTTP: given and taken by administrators, told to the person, over within a second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.conftest import Serve, Who
from tests.e2e.mailbox import Mailbox
from tests.e2e.people import refused_soon, status_of_me
from tests.e2e.second_factors import arrive
from tests.e2e.server import PASSWORD, Account, Server
from tests.e2e.staff import GRANT, REVOKE, WHY, access, changed, granted, hired, renewed, roles_of
from tests.e2e.test_step_up import aged, asked_for

NAMES: Final = "{ users(first: 1) { nodes { username } } }"
HISTORY: Final = "query ($id: ID!) { user(by: {id: $id}) { roleHistory { role change reason by expiresAt } } }"
NOBODY: Final = "usr_eu_00000000000000000000000000"


def in_an_hour() -> str:
    """As a `DateTime`."""
    return f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"


def code(payload: dict[str, list[dict[str, object]]]) -> tuple[object, object]:
    """Of its one error, and where."""
    [error] = payload["errors"]
    return error["code"], error["path"]


def test_a_role_is_given_and_taken(server: Server, who: Who) -> None:
    """It counts from the next token on, and ends within a second."""
    admin, person = who("admin"), arrive(server)
    person.enrol_app()
    assert access(person.account)["roles"] == []
    [grant] = changed(admin, GRANT, person.account.id, "SUPPORT", expiresAt=in_an_hour())["user"]["roles"]
    assert (grant["role"], grant["reason"], grant["grantedBy"]) == ("SUPPORT", WHY, admin.id)
    assert refused_soon(lambda: status_of_me(person.account))
    staff = renewed(person.account)
    assert access(staff) == {"roles": ["SUPPORT"], "purposes": ["ACCOUNT", "SUPPORT"]}
    assert staff.data(NAMES, purpose="SUPPORT")["users"]["nodes"]
    assert changed(admin, REVOKE, staff.id, "SUPPORT")["user"]["roles"] == []
    assert refused_soon(lambda: staff.ask(NAMES, purpose="SUPPORT").status_code)
    plain = renewed(staff)
    assert access(plain)["roles"] == []
    assert plain.ask(NAMES, purpose="SUPPORT").json()["errors"][0]["extensions"]["reason"] == "PURPOSE"


def test_the_history_says_who_and_why(server: Server, who: Who) -> None:
    """To administrators and to the person."""
    admin, person = who("admin"), arrive(server).account
    granted(admin, person.id, "ANALYST")
    changed(admin, REVOKE, person.id, "ANALYST", reason="Moved to another team")
    entry = {"role": "ANALYST", "by": admin.id, "expiresAt": None}
    expected = [
        {**entry, "change": "REVOKED", "reason": "Moved to another team"},
        {**entry, "change": "GRANTED", "reason": WHY},
    ]
    assert admin.data(HISTORY, {"id": person.id}, purpose="ACCOUNT")["user"]["roleHistory"] == expected
    own = renewed(person).data("{ me { roleHistory { change } } }", purpose="ACCOUNT")["me"]["roleHistory"]
    assert own == [{"change": "REVOKED"}, {"change": "GRANTED"}]


def test_the_person_is_told(server: Server, who: Who) -> None:
    """By a mail that names the role."""
    person = arrive(server)
    granted(who("admin"), person.account.id, "SUPPORT")
    changed(who("admin"), REVOKE, person.account.id, "SUPPORT")
    mailbox = Mailbox(Path(server.folder, "mail"))
    for subject in ("You were given a role", "A role was taken from you"):
        text = mailbox.latest(f"{person.name}@people.example", subject).get_content()
        assert "Role: SUPPORT" in text
        assert WHY not in text


def test_what_cannot_be_is_said(server: Server, who: Who) -> None:
    """With a stable code, and nothing has changed."""
    admin, person = who("admin"), arrive(server).account
    refusals = [
        (GRANT, admin.id, {}, ("NOT_YOURSELF", ["input", "user"])),
        (REVOKE, admin.id, {}, ("NOT_YOURSELF", ["input", "user"])),
        (GRANT, NOBODY, {}, ("NOT_FOUND", ["input", "user"])),
        (REVOKE, NOBODY, {}, ("NOT_FOUND", ["input", "user"])),
        (REVOKE, person.id, {}, ("NOT_HELD", ["input", "role"])),
        (GRANT, person.id, {"expiresAt": "2020-01-01T00:00:00Z"}, ("NOT_IN_THE_FUTURE", ["input", "expiresAt"])),
        (GRANT, person.id, {"reason": "because"}, ("MISSING", ["input", "reason"])),
        (REVOKE, person.id, {"reason": ""}, ("MISSING", ["input", "reason"])),
        (GRANT, person.id, {"reason": "x" * 501}, ("TOO_LONG", ["input", "reason"])),
        (GRANT, person.id, {"reason": "turned \u202e around words"}, ("BAD_CHARACTERS", ["input", "reason"])),
    ]
    for document, whom, more, expected in refusals:
        assert code(changed(admin, document, whom, "ADMIN", **more)) == expected
    assert roles_of(renewed(person)) == []


def test_the_last_administrator_stays(server: Server, who: Who) -> None:
    """Somebody whose time runs out is nobody to leave it all to."""
    admin = who("admin")
    other = hired(server, admin, "ADMIN", expiresAt=in_an_hour())
    assert code(changed(other.account, REVOKE, admin.id, "ADMIN")) == ("LAST_ADMINISTRATOR", ["input", "role"])
    granting = changed(other.account, GRANT, admin.id, "ADMIN", expiresAt=in_an_hour())
    assert code(granting) == ("LAST_ADMINISTRATOR", ["input", "role"])
    assert roles_of(admin) == [{"role": "ADMIN", "expiresAt": None}]


@pytest.mark.parametrize("document", [GRANT, REVOKE], ids=["grant", "revoke"])
@pytest.mark.parametrize("name", ["subject", "minor", "support", "analyst", "privacy", "security"])
def test_nobody_else_changes_roles(name: str, document: str, who: Who) -> None:
    """Neither their own nor another's."""
    account = who(name)
    for target in (account.id, who("admin").id):
        given = {"input": {"user": target, "role": "ADMIN", "reason": WHY}}
        answer = account.ask(document, given, purpose="ACCOUNT")
        assert answer.status_code == 403
        assert "data" not in answer.json()
        assert {error["extensions"]["reason"] for error in answer.json()["errors"]} == {"ROLE"}


def test_a_service_does_not_either(server: Server, who: Who) -> None:
    """Whatever it may read."""
    given = {"input": {"user": who("minor").id, "role": "ADMIN", "reason": WHY}}
    answer = who("service").ask(GRANT, given).json()
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"FORBIDDEN"}


@pytest.mark.parametrize("name", ["support", "analyst", "privacy", "security"])
def test_other_staff_do_not_see_who_is_staff(name: str, who: Who) -> None:
    """Roles are administrators' business, and the person's own."""
    purposes = access(who(name))["purposes"]
    for purpose in purposes:
        query = "query ($id: ID!) { user(by: {id: $id}) { roles { role } roleHistory { role } } }"
        answer = who(name).ask(query, {"id": who("admin").id}, purpose=purpose)
        assert answer.status_code == 403


def test_an_administrator_leaves_only_when_another_stays(server: Server, who: Who) -> None:
    """Deleting one's account gives the role up; here it is not the last one's."""
    leaving = hired(server, who("admin"), "ADMIN")
    delete = "mutation ($input: DeleteUserInput!) { deleteUser(input: $input) { deleted errors { code } } }"
    payload = leaving.ask(delete, password=leaving.password)
    assert payload == {"deleted": True, "errors": []}


def test_the_token_of_an_account_without_roles_is_refused_as_such(who: Who) -> None:
    """`roles` in a token come from the account alone: nothing that a client sends adds one."""
    account: Account = who("subject")
    answer = account.ask("{ myAccess { roles } }", purpose="ACCOUNT", headers={"roles": "ADMIN", "x-role": "ADMIN"})
    assert answer.json()["data"]["myAccess"]["roles"] == []


@pytest.mark.slow
def test_the_last_administrator_cannot_go(serve: Serve) -> None:
    """The account stays, and its roles."""
    admin = serve().sign_in("admin")
    delete = "mutation ($input: DeleteUserInput!) { deleteUser(input: $input) { deleted errors { code } } }"
    payload = admin.data(delete, {"input": {"password": PASSWORD}}, purpose="ACCOUNT")["deleteUser"]
    assert payload == {"deleted": False, "errors": [{"code": "LAST_ADMINISTRATOR"}]}
    assert roles_of(admin) == [{"role": "ADMIN", "expiresAt": None}]


@pytest.mark.parametrize("document", [GRANT, REVOKE], ids=["grant", "revoke"])
def test_an_administrator_proves_themself_first(server: Server, who: Who, document: str) -> None:
    """By a second factor, and again when that is a while ago."""
    other = arrive(server)
    granted(who("admin"), other.account.id, "ADMIN", expiresAt=in_an_hour())
    given = {"input": {"user": who("minor").id, "role": "SUPPORT", "reason": WHY}}
    field = "grantRole" if document is GRANT else "revokeRole"
    answer = renewed(other.account).ask(document, given, purpose="ACCOUNT").json()
    assert asked_for(answer)[f"Mutation.{field}"] == "SECOND_FACTOR"
    other.enrol_app()
    answer = aged(renewed(other.account)).ask(document, given, purpose="ACCOUNT").json()
    assert asked_for(answer) == {f"Mutation.{field}": "SECOND_FACTOR"}
