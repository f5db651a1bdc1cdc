"""What people do with their own account over HTTP: sessions, changes, farewell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.e2e.conftest import NEW_PASSWORD, Newcomer, Who
from tests.e2e.people import PROFILE, UPDATE, changed, refused_soon, status_of_me
from tests.e2e.server import REFRESH, SIGN_IN, Account, Json, Server


@pytest.fixture(scope="module")
def somebody(newcomer: Newcomer) -> Account:
    """One person for all tests that change nothing."""
    return newcomer()


def test_who_signs_in_is_read_at_once(server: Server) -> None:
    """Under ACCOUNT and without a token: the operation itself says who it is."""
    query = """mutation { signIn(input: {login: "subject@demo.example", password: "fieldward-demo-password"}) {
      accessToken refreshToken expiresIn errors { code } user { username email phone birthDate address { city } } } }"""
    response = server.post(query)
    payload = response.json()["data"]["signIn"]
    assert payload["user"]["email"] == "subject@demo.example"
    assert all(payload["user"].values())
    assert payload["errors"] == []
    assert payload["expiresIn"] == 300
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("login", ["subject", "nobody-of-that-name", "subject@demo.example", "", "a" * 5000])
def test_a_wrong_password_and_an_unknown_name_look_the_same(login: str, server: Server) -> None:
    """Data, not an error, and nothing about which of the two it was."""
    answer = server.post(SIGN_IN, {"login": login, "password": "not-the-right-one"}).json()
    payload = answer["data"]["signIn"]
    assert (payload["accessToken"], payload["user"]) == (None, None)
    assert [error["code"] for error in payload["errors"]] == ["BAD_CREDENTIALS"]


def test_a_session_is_refreshed(server: Server, newcomer: Newcomer) -> None:
    """The new access token works."""
    account = newcomer()
    session = server.post(REFRESH, {"token": account.refresh_token}).json()["data"]["refreshSession"]
    assert session["errors"] == []
    again = server.post("{ me { id } }", token=session["accessToken"], purpose="ACCOUNT")
    assert again.json()["data"]["me"] == {"id": account.id}


@pytest.mark.parametrize("token", ["", "nonsense", "a" * 4000])
def test_a_wrong_refresh_token_says_that_the_session_has_ended(token: str, server: Server) -> None:
    """As data."""
    session = server.post(REFRESH, {"token": token}).json()["data"]["refreshSession"]
    assert session["accessToken"] is None
    assert [error["code"] for error in session["errors"]] == ["SESSION_ENDED"]


def test_after_sign_out_neither_token_works(server: Server, newcomer: Newcomer) -> None:
    """The access token within a second; other sessions of the person go on."""
    account = newcomer()
    name = account.data("{ me { username } }", purpose="ACCOUNT")["me"]["username"]
    other = server.sign_in(name, NEW_PASSWORD)
    assert account.ask("mutation { signOut { errors { code } } }", purpose="ACCOUNT").status_code == 200
    assert refused_soon(lambda: status_of_me(account))
    session = server.post(REFRESH, {"token": account.refresh_token}).json()["data"]["refreshSession"]
    assert [error["code"] for error in session["errors"]] == ["SESSION_ENDED"]
    assert status_of_me(other) == 200


def test_sign_out_everywhere_ends_every_session(server: Server, newcomer: Newcomer) -> None:
    """On all devices."""
    account = newcomer()
    name = account.data("{ me { username } }", purpose="ACCOUNT")["me"]["username"]
    other = server.sign_in(name, NEW_PASSWORD)
    account.data("mutation { signOut(everywhere: true) { errors { code } } }", purpose="ACCOUNT")
    assert refused_soon(lambda: status_of_me(other))


def test_one_changes_ones_own_fields(newcomer: Newcomer) -> None:
    """The payload and the next reading show them."""
    account = newcomer()
    payload = changed(account, **PROFILE)
    assert payload["errors"] == []
    expected: Mapping[str, Any] = PROFILE | {"ageBand": "35-44", "emailVerified": False}
    assert {name: payload["user"][name] for name in expected} == expected
    reread = account.data("{ me { fullName address { city } preferences { theme } } }", purpose="ACCOUNT")["me"]
    assert reread == {"fullName": "Åsa Öberg", "address": {"city": "Malmö"}, "preferences": {"theme": "dark"}}


def test_a_null_removes_and_what_is_absent_stays(newcomer: Newcomer) -> None:
    """Nested settings change one by one; an address is replaced as a whole."""
    account = newcomer()
    changed(account, **PROFILE)
    user = changed(account, phone=None, preferences={"currency": "EUR"}, address={"city": "Lund"})["user"]
    assert (user["phone"], user["fullName"]) == (None, "Åsa Öberg")
    assert user["preferences"] == {"theme": "dark", "currency": "EUR", "digest": "never"}
    assert user["address"] == {"street": None, "city": "Lund", "region": None, "postalCode": None, "country": None}


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("phone", "77", "BAD_PHONE"),
        ("country", "Sweden", "BAD_COUNTRY"),
        ("locale", "not a language", "BAD_LOCALE"),
        ("birthDate", "2999-01-01", "BAD_DATE"),
        ("email", "nobody", "INVALID"),
        ("username", "a b", "INVALID"),
        ("fullName", "x" * 5000, "TOO_LONG"),
        ("username", "subject", "TAKEN"),
    ],
)
def test_a_bad_value_is_a_typed_error_with_its_path(field: str, value: str, code: str, somebody: Account) -> None:
    """Nothing is changed then, and the value is not repeated."""
    response = somebody.ask(UPDATE, {"input": {field: value, "givenName": "Changed"}}, purpose="ACCOUNT")
    payload = response.json()["data"]["updateUser"]
    assert [(error["code"], error["path"]) for error in payload["errors"]] == [(code, ["input", field])]
    assert value not in str(payload["errors"])
    assert somebody.data("{ me { givenName } }", purpose="ACCOUNT") == {"me": {"givenName": None}}


@pytest.mark.parametrize(
    ("name", "purpose", "reason"),
    [
        ("subject", "SECURITY", "ROLE"),
        ("subject", "PERSONALISATION", "PURPOSE"),
        ("minor", "ACCOUNT", "ROLE"),
        ("support", "SUPPORT", "ROLE"),
        ("admin", "ACCOUNT", "ROLE"),
        ("service", "SUPPORT", "SCOPE"),
    ],
)
def test_a_change_needs_a_right_to_write(name: str, purpose: str, reason: str, who: Who) -> None:
    """Of its own: reading is not enough, nor is another's purpose or row."""
    given = {"id": who("subject").id, "fullName": "Other"}
    query = "mutation ($input: UpdateUserInput!) { updateUser(input: $input) { errors { code } } }"
    response = who(name).ask(query, {"input": given}, purpose=purpose)
    denied = {(e["extensions"]["coordinate"], e["extensions"]["reason"]) for e in response.json()["errors"]}
    assert (response.status_code, denied) == (403, {("UpdateUserInput.fullName", reason)})


def test_the_privacy_officer_rectifies_a_name(newcomer: Newcomer, who: Who) -> None:
    """For LEGAL, and only what that rule names."""
    account = newcomer()
    query = "mutation ($input: UpdateUserInput!) { updateUser(input: $input) { user { fullName } errors { code } } }"
    payload = who("privacy").data(query, {"input": {"id": account.id, "fullName": "Right Name"}}, purpose="LEGAL")
    assert payload["updateUser"] == {"user": {"fullName": "Right Name"}, "errors": []}


def test_a_new_password_replaces_the_old_one_everywhere(server: Server, newcomer: Newcomer) -> None:
    """Every session ends; only the new one signs in."""
    account = newcomer()
    name = account.data("{ me { username } }", purpose="ACCOUNT")["me"]["username"]
    query = "mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { changed errors { code path } } }"

    def change(current: str, new: str) -> Json:
        given = {"currentPassword": current, "newPassword": new}
        return account.data(query, {"input": given}, purpose="ACCOUNT")["changePassword"]

    wrong = change("not-the-right-one", "another-quiet-harbour")
    assert wrong["errors"] == [{"code": "WRONG_PASSWORD", "path": ["input", "currentPassword"]}]
    weak = change(NEW_PASSWORD, "short")
    assert weak["errors"] == [{"code": "TOO_SHORT", "path": ["input", "newPassword"]}]
    assert change(NEW_PASSWORD, "another-quiet-harbour") == {"changed": True, "errors": []}
    assert refused_soon(lambda: status_of_me(account))
    answer = server.post(SIGN_IN, {"login": name, "password": NEW_PASSWORD}).json()
    assert answer["data"]["signIn"]["accessToken"] is None
    assert server.sign_in(name, "another-quiet-harbour").id == account.id


def test_an_account_is_deleted_with_its_password(server: Server, newcomer: Newcomer, who: Who) -> None:
    """It asks once more; then the person is gone, with everything stored for them."""
    account = newcomer()
    changed(account, **PROFILE)
    query = (
        "mutation ($password: String!) { deleteUser(input: {password: $password}) { deleted errors { code path } } }"
    )
    wrong = account.data(query, {"password": "not-the-right-one"}, purpose="ACCOUNT")["deleteUser"]
    assert wrong == {"deleted": False, "errors": [{"code": "WRONG_PASSWORD", "path": ["input", "password"]}]}
    gone = account.data(query, {"password": NEW_PASSWORD}, purpose="ACCOUNT")["deleteUser"]
    assert gone == {"deleted": True, "errors": []}
    assert refused_soon(lambda: status_of_me(account))
    found = who("support").data("query ($id: ID!) { node(id: $id) { id } }", {"id": account.id}, purpose="SUPPORT")
    assert found == {"node": None}
    with server.database() as client:
        database = client.get_default_database()
        for collection in ("users", "sessions", "devices", "ip_log", "events"):
            left = database[collection].count_documents({"$or": [{"_id": account.id}, {"person": account.id}]})
            assert (collection, left) == (collection, 0)
