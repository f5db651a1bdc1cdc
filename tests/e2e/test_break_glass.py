"""Break-glass over HTTP: opened with a reason, told to reviewers, over in time, reviewed by somebody else."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.conftest import Who
from tests.e2e.mailbox import Mailbox
from tests.e2e.people import refused_soon
from tests.e2e.second_factors import Person, arrive
from tests.e2e.server import GRAPHQL, Account, Json, Server, request_headers
from tests.e2e.staff import REVOKE, access, changed, granted, hired, renewed
from tests.e2e.test_matrix import MATRIX
from tests.e2e.test_step_up import aged, asked_for

DANGER: Final = "Caller says that their daughter is in danger"
OPEN: Final = """
mutation ($input: BreakGlassInput!) {
  breakGlass(input: $input) {
    accessToken expiresIn grant { id person justification openedAt expiresAt endedAt reviewedAt }
    errors { code path }
  }
}"""
END: Final = "mutation { endBreakGlass { accessToken expiresIn errors { code path } } }"
LIST: Final = """
query ($reviewed: Boolean! = false, $after: ID) {
  breakGlassGrants(reviewed: $reviewed, first: 100, after: $after) {
    id person justification openedAt expiresAt endedAt reviewedBy reviewedAt verdict note
  }
}"""
REVIEW: Final = """
mutation ($input: ReviewBreakGlassInput!) {
  reviewBreakGlass(input: $input) { grant { id verdict note reviewedBy reviewedAt } errors { code path } }
}"""
LOOK: Final = """
query ($id: ID!) @purpose(is: EMERGENCY, onDenied: NULL) {
  user(by: {id: $id}) {
    username fullName givenName familyName email phone address { city } country status createdAt
    locale ageBand birthDate location { latitude } preferences { theme } lastSeenIp devices { name }
    events { kind } consents { purpose } roles { role } roleHistory { role } marketingOptIn
  }
}"""
LISTS: Final = (
    "users { totalCount }",
    "users { __typename }",
    "users(first: 5) { nodes { email phone } }",
    "users { edges { cursor } pageInfo { hasNextPage } }",
    "me { id } several: users { nodes { birthDate } }",
    "breakGlassGrants { id }",
)
OPENED: Final = {
    *("username", "fullName", "givenName", "familyName", "email", "phone", "address", "country"),
    *("status", "createdAt"),
}


@pytest.fixture(scope="module")
def helper(server: Server, who: Who) -> Person:
    """A member of the support staff."""
    return hired(server, who("admin"), "SUPPORT")


@pytest.fixture(scope="module")
def officer(server: Server, who: Who) -> Person:
    """A security officer."""
    return hired(server, who("admin"), "SECURITY")


def opened(person: Person, minutes: int = 5) -> Json:
    """What an opening that works gives; this account goes on with the new token."""
    payload = person.ask(OPEN, justification=DANGER, minutes=minutes)
    assert payload["errors"] == [], payload
    person.account.access_token = payload["accessToken"]
    return payload


def ended(person: Person) -> None:
    """Give it back; this account goes on with the new token."""
    payload = person.ask(END)
    assert payload["errors"] == [], payload
    person.account.access_token = payload["accessToken"]


def code(payload: Json) -> tuple[str, list[str]]:
    """Of its one error, and where."""
    [error] = payload["errors"]
    return error["code"], error["path"]


def listed(account: Account, purpose: str, **more: object) -> list[dict[str, Any]]:
    """What waits for a review, or with `reviewed=True` what was reviewed."""
    return list(account.data(LIST, more, purpose=purpose)["breakGlassGrants"])


def test_it_opens_what_the_table_says(server: Server, who: Who, helper: Person) -> None:
    """Direct identifiers of others in clear, and nothing else; before it, nothing."""
    subject = who("subject").id
    assert "data" not in helper.account.ask(LOOK, {"id": subject}).json()
    payload = opened(helper)
    assert 0 < payload["expiresIn"] <= 300
    assert access(helper.account)["purposes"] == ["ACCOUNT", "SUPPORT", "EMERGENCY"]
    row = helper.account.ask(LOOK, {"id": subject}).json()["data"]["user"]
    assert {name for name, value in row.items() if value is not None} == OPENED
    assert row["email"] == "subject@demo.example"
    ended(helper)
    assert access(helper.account)["purposes"] == ["ACCOUNT", "SUPPORT"]


def test_it_ends_when_it_is_given_back(helper: Person) -> None:
    """The token that carried it is refused within a second; the session goes on."""
    opened(helper)
    carried = helper.account.access_token
    ended(helper)
    server = helper.server
    assert refused_soon(
        lambda: (
            server.http.post(
                "/graphql", json={"query": "{ me { id } }"}, headers=request_headers(carried, "ACCOUNT", GRAPHQL)
            ).status_code
        )
    )
    assert access(renewed(helper.account))["purposes"] == ["ACCOUNT", "SUPPORT"]
    assert code(helper.ask(END)) == ("NOT_OPEN", ["input"])


def test_it_runs_out(server: Server, helper: Person) -> None:
    """No refresh brings it back: here the record of the session says that it was over a moment ago."""
    opened(helper)
    mine, gone = {"person": helper.account.id}, {"$currentDate": {"extra_purposes.$[].expires_at": True}}
    with server.database() as client:
        assert client.get_default_database()["sessions"].update_many(mine, gone).modified_count
    time.sleep(0.01)
    assert access(renewed(helper.account))["purposes"] == ["ACCOUNT", "SUPPORT"]
    ended(helper)


def test_those_who_review_are_told(server: Server, helper: Person, officer: Person) -> None:
    """Who and until when, and not why; the log has no word of it either."""
    opened(helper)
    ended(helper)
    mail = Mailbox(Path(server.folder, "mail")).latest(f"{officer.name}@people.example", "Emergency access was opened")
    text = mail.get_content()
    assert helper.account.id in text
    assert "danger" not in text
    log = server.said()
    lines = [line for line in log.splitlines() if "break_glass_opened" in line]
    assert any(helper.account.id in line for line in lines)
    assert DANGER not in log


def test_it_is_left_for_review(who: Who, helper: Person, officer: Person) -> None:
    """Listed oldest first until somebody else has reviewed it; kept afterwards."""
    first = opened(helper)["grant"]
    assert first["justification"] == DANGER
    assert first["person"] == helper.account.id
    verdict = {"id": first["id"], "verdict": "JUSTIFIED", "note": "The call was recorded"}
    assert code(officer_review(officer, **verdict)) == ("STILL_OPEN", ["input"])
    ended(helper)
    second = opened(helper)["grant"]
    ended(helper)
    waiting = [row["id"] for row in listed(officer.account, "SECURITY")]
    assert [it for it in waiting if it in (first["id"], second["id"])] == [first["id"], second["id"]]
    assert waiting == [row["id"] for row in listed(who("admin"), "ACCOUNT")]
    payload = officer_review(officer, **verdict)
    assert payload["errors"] == []
    assert payload["grant"].items() >= {**verdict, "reviewedBy": officer.account.id}.items()
    assert first["id"] not in {row["id"] for row in listed(officer.account, "SECURITY")}
    kept = {row["id"]: row for row in listed(officer.account, "SECURITY", reviewed=True)}
    assert kept[first["id"]]["justification"] == DANGER
    assert code(officer_review(officer, **verdict)) == ("ALREADY_REVIEWED", ["input"])
    after = [row["id"] for row in listed(officer.account, "SECURITY", after=second["id"])]
    assert second["id"] not in after


def officer_review(officer: Person, **given: object) -> Json:
    """The payload of a review by a security officer."""
    return officer.account.data(REVIEW, {"input": given}, purpose="SECURITY")["reviewBreakGlass"]


def test_nobody_reviews_their_own(who: Who, officer: Person) -> None:
    """An administrator does it for an officer."""
    grant = opened(officer)["grant"]["id"]
    ended(officer)
    verdict = {"id": grant, "verdict": "NOT_JUSTIFIED", "note": "Nobody was in danger"}
    assert code(officer_review(officer, **verdict)) == ("NOT_YOURSELF", ["input"])
    admin = who("admin").data(REVIEW, {"input": verdict}, purpose="ACCOUNT")["reviewBreakGlass"]
    assert admin["errors"] == []
    assert admin["grant"]["verdict"] == "NOT_JUSTIFIED"


def test_what_cannot_be_is_said(helper: Person, officer: Person) -> None:
    """With a stable code."""
    for minutes in (0, -5, 61):
        payload = helper.ask(OPEN, justification=DANGER, minutes=minutes)
        assert code(payload) == ("BAD_MINUTES", ["input", "minutes"])
    for words, expected in (("", "MISSING"), ("because", "MISSING"), ("x" * 501, "TOO_LONG")):
        assert code(helper.ask(OPEN, justification=words, minutes=5)) == (expected, ["input", "justification"])
    opened(helper)
    assert code(helper.ask(OPEN, justification=DANGER, minutes=5)) == ("ALREADY_OPEN", ["input"])
    ended(helper)
    unknown = officer_review(officer, id="bgl_eu_unknown", verdict="JUSTIFIED", note="Nothing was found")
    assert code(unknown) == ("NOT_FOUND", ["input", "id"])
    short = officer_review(officer, id="bgl_eu_unknown", verdict="JUSTIFIED", note="fine")
    assert code(short) == ("MISSING", ["input", "note"])


@pytest.mark.parametrize("name", ["subject", "minor", "analyst", "admin", "service"])
def test_others_open_nothing(name: str, who: Who) -> None:
    """Nor do administrators, who could give themselves a role otherwise."""
    given = {"input": {"justification": DANGER, "minutes": 5}}
    answer = who(name).ask(OPEN, given, purpose="SUPPORT" if name == "service" else "ACCOUNT")
    assert answer.status_code == 403
    assert {error["extensions"]["code"] for error in answer.json()["errors"]} == {"FORBIDDEN"}


@pytest.mark.parametrize("name", ["subject", "minor", "support", "analyst", "privacy", "service"])
def test_others_review_nothing_and_see_nothing(name: str, who: Who) -> None:
    """Not even how many there are."""
    account = who(name)
    purposes = access(account, "SUPPORT" if name == "service" else "ACCOUNT")["purposes"]
    review = {"input": {"id": "bgl_eu_unknown", "verdict": "JUSTIFIED", "note": "Nothing was found"}}
    for purpose in purposes:
        assert account.ask(REVIEW, review, purpose=purpose).status_code == 403
        for query in (LIST, "{ breakGlassGrants { __typename } }", "{ breakGlassGrants { id } }"):
            answer = account.ask(query, purpose=purpose)
            assert answer.status_code == 403
            assert "data" not in answer.json()


@pytest.mark.parametrize("name", ["subject", "support", "security", "privacy", "admin"])
def test_the_purpose_comes_by_no_other_way(name: str, who: Who) -> None:
    """No role carries it, and whoever declares it is told that they may not."""
    answer = who(name).ask(LOOK, {"id": who("minor").id}).json()
    assert "data" not in answer
    assert {error["extensions"]["reason"] for error in answer["errors"]} == {"PURPOSE"}


def test_a_service_is_not_registered_for_it(server: Server, who: Who) -> None:
    """Nor does asking the token endpoint help."""
    asked = {"grant_type": "client_credentials", "purpose": "EMERGENCY"}
    answer = server.http.post("/oauth/token", data=asked, auth=("demo-service", "fieldward-demo-secret"))
    assert answer.status_code == 400


def test_it_goes_with_the_role(who: Who, server: Server) -> None:
    """Taking the role ends it, whatever time is left, and having it again does not bring it back."""
    person = hired(server, who("admin"), "PRIVACY")
    opened(person)
    changed(who("admin"), REVOKE, person.account.id, "PRIVACY")
    assert refused_soon(lambda: person.account.ask(LOOK, {"id": who("minor").id}).status_code)
    assert "EMERGENCY" not in access(renewed(person.account))["purposes"]
    granted(who("admin"), person.account.id, "PRIVACY")
    assert "data" not in renewed(person.account).ask(LOOK, {"id": who("minor").id}).json()
    assert code(person.ask(END)) == ("NOT_OPEN", ["input"])


def test_with_cookies_the_token_stays_hidden(server: Server, who: Who) -> None:
    """The access cookie is replaced, and no script sees the token."""
    person = hired(server, who("admin"), "SUPPORT")
    cookies = {"fieldward_access": person.account.access_token}
    body = {"query": OPEN, "variables": {"input": {"justification": DANGER, "minutes": 5}}}
    headers = request_headers(None, "ACCOUNT") | {"cookie": f"fieldward_access={cookies['fieldward_access']}"}
    answer = server.http.post("/graphql", json=body, headers=headers)
    payload = answer.json()["data"]["breakGlass"]
    assert payload["errors"] == []
    assert payload["accessToken"] is None
    set_cookie = answer.headers["set-cookie"]
    assert set_cookie.startswith("fieldward_access=")
    assert "HttpOnly" in set_cookie
    person.account.access_token = set_cookie.split(";")[0].partition("=")[2]
    assert "EMERGENCY" in access(person.account)["purposes"]
    server.http.cookies.clear()


def test_it_needs_a_second_factor(server: Server, who: Who) -> None:
    """To be opened, and to be reviewed."""
    person = arrive(server)
    granted(who("admin"), person.account.id, "SECURITY")
    renewed(person.account)
    given = {"input": {"justification": DANGER, "minutes": 5}}
    answer = person.account.ask(OPEN, given, purpose="ACCOUNT").json()
    assert asked_for(answer)["Mutation.breakGlass"] == "SECOND_FACTOR"
    review = {"input": {"id": "bgl_eu_unknown", "verdict": "JUSTIFIED", "note": "Nothing was found"}}
    answer = person.account.ask(REVIEW, review, purpose="SECURITY").json()
    assert asked_for(answer)["Mutation.reviewBreakGlass"] == "SECOND_FACTOR"
    assert asked_for(person.account.ask(LIST, purpose="SECURITY").json())["Query.breakGlassGrants"] == "SECOND_FACTOR"


def test_its_use_needs_a_recent_proof(server: Server, who: Who) -> None:
    """Even a name, which other purposes show without one; giving it back needs none."""
    person = hired(server, who("admin"), "SUPPORT")
    opened(person)
    name = "query ($id: ID!) @purpose(is: EMERGENCY) { user(by: {id: $id}) { fullName } }"
    assert person.account.data(name, {"id": who("minor").id})["user"]["fullName"] == "Milo Lindqvist"
    answer = aged(person.account).ask(name, {"id": who("minor").id}).json()
    assert asked_for(answer)["User.fullName"] == "SECOND_FACTOR"
    ended(person)


def test_it_lists_nobody(who: Who, helper: Person, officer: Person) -> None:
    """One named person at a time, whatever is selected; explanations and the schema say the same."""
    introspection = '{ __schema { queryType { fields { name } } } __type(name: "UserConnection") { name } }'
    explain = "query ($it: String!) { explainAccess(document: $it) { verdict entries { coordinate } } }"
    for person in (helper, officer):
        opened(person)
        for purpose in MATRIX["one person"]:
            for on_denied in ("REJECT", "NULL"):
                for body in LISTS:
                    answer = person.account.ask(f"query @purpose(is: {purpose}, onDenied: {on_denied}) {{ {body} }}")
                    assert (answer.status_code, "data" in answer.json()) == (403, False), body
                    [error] = [it for it in answer.json()["errors"] if it["extensions"]["reason"] == "PURPOSE"]
                    assert error["message"].endswith(f"{purpose} opens one named person at a time: use user or node.")
                    said = person.account.data(explain, {"it": f"{{ {body} }}"}, purpose=purpose)["explainAccess"]
                    assert said["verdict"] == "REFUSED"
                    assert error["extensions"]["coordinate"] in {entry["coordinate"] for entry in said["entries"]}
            shown = person.account.data(introspection, purpose=purpose)
            names = {field["name"] for field in shown["__schema"]["queryType"]["fields"]}
            assert names & {"me", "user", "node", "users", "breakGlassGrants"} == {"me", "user", "node"}
            assert shown["__type"] is None
            named = 'query ($id: ID!) { user(by: {username: "subject"}) { email } node(id: $id) { id } me { id } }'
            data = person.account.data(named, {"id": who("minor").id}, purpose=purpose)
            assert data["user"]["email"] == "subject@demo.example"
            assert (data["node"]["id"], data["me"]["id"]) == (who("minor").id, person.account.id)
        ended(person)
