"""How a refusal of access looks from outside: statuses, headers, error maps."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.e2e.conftest import Newcomer, Who
from tests.e2e.server import GRAPHQL, JSON, Server

DENIED: Final = '{ user(by: {username: "subject"}) { id birthDate devices { deviceId } } }'


@pytest.mark.parametrize(("accept", "status"), [(GRAPHQL, 403), (JSON, 200)])
def test_a_refusal_lists_every_denied_coordinate(accept: str, status: int, who: Who) -> None:
    """With its reason, without data, never to be stored."""
    response = who("support").ask(DENIED, purpose="SUPPORT", accept=accept)
    answer = response.json()
    assert (response.status_code, "data" in answer) == (status, False)
    assert response.headers["content-type"].partition(";")[0] == accept
    assert response.headers["cache-control"] == "no-store"
    assert "www-authenticate" not in response.headers
    assert [error["extensions"]["coordinate"] for error in answer["errors"]] == [
        "User.birthDate",
        "User.devices",
        "Device.deviceId",
    ]
    for error in answer["errors"]:
        assert error.keys() >= {"message", "extensions"}
        assert (error["extensions"]["code"], error["extensions"]["reason"]) == ("FORBIDDEN", "PURPOSE")
        assert error["extensions"]["decisionId"]


@pytest.mark.parametrize(("accept", "status"), [(GRAPHQL, 401), (JSON, 200)])
def test_nobody_is_asked_to_sign_in(accept: str, status: int, server: Server) -> None:
    """401 has a challenge (RFC 9110, section 11.6.1)."""
    response = server.post("{ me { email } }", purpose="ACCOUNT", accept=accept)
    answer = response.json()
    assert (response.status_code, "data" in answer) == (status, False)
    assert response.headers.get("www-authenticate", "").startswith("Bearer") is (status == 401)
    [error] = answer["errors"]
    assert error["extensions"].keys() >= {"code", "reason", "coordinate", "decisionId"}
    assert (error["extensions"]["code"], error["extensions"]["coordinate"]) == ("UNAUTHENTICATED", "User.email")
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "Bearer", "é"])
def test_a_bad_token_is_nobody(token: str, server: Server) -> None:
    """And is named in the challenge (RFC 6750, section 3.1); what is public still works."""
    headers = {b"authorization": f"Bearer {token}".encode(), b"accept": GRAPHQL.encode()}
    response = server.http.post("/graphql", json={"query": "{ me { id } }"}, headers=headers)
    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["www-authenticate"]
    public = server.http.post("/graphql", json={"query": "{ __typename }"}, headers=headers)
    assert public.json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(
    ("directive", "header"),
    [
        ("", None),
        ("", "MARKETING"),
        ("", "NONSENSE"),
        ("", "ACCOUNT, SUPPORT"),
        ("@purpose(is: MARKETING)", "ACCOUNT"),
    ],
)
def test_a_request_acts_for_exactly_one_purpose_of_its_token(directive: str, header: str | None, who: Who) -> None:
    """None, several, a foreign or an unknown one: denied for PURPOSE. The directive counts before the header."""
    response = who("subject").ask(f"query {directive} {{ me {{ username }} }}", purpose=header)
    [error] = response.json()["errors"]
    assert (response.status_code, error["extensions"]["reason"]) == (403, "PURPOSE")


@pytest.mark.parametrize(
    ("name", "directive", "header"),
    [
        ("subject", "@purpose(is: ACCOUNT)", None),
        ("subject", "@purpose(is: ACCOUNT)", "SECURITY"),
        ("subject", "", "ACCOUNT"),
        ("admin", "", None),
    ],
)
def test_the_purpose_is_declared_or_the_only_one(name: str, directive: str, header: str | None, who: Who) -> None:
    """By the directive, else the header, else the token's only one."""
    response = who(name).ask(f"query {directive} {{ me {{ username }} }}", purpose=header)
    assert response.json() == {"data": {"me": {"username": name}}}


def test_personal_answers_are_not_stored(who: Who) -> None:
    """By nobody on the way."""
    response = who("subject").ask("{ me { email } }", purpose="ACCOUNT")
    assert response.headers["cache-control"] == "no-store"
    assert "Authorization" in response.headers["vary"]


def test_null_mode_keeps_what_is_allowed(who: Who) -> None:
    """One error per denied selection, with its path."""
    query = DENIED.replace("{ user", "query @purpose(is: SUPPORT, onDenied: NULL) { user", 1)
    response = who("support").ask(query)
    answer: Any = response.json()
    assert response.status_code == 200
    assert answer["data"]["user"] == {"id": who("subject").id, "birthDate": None, "devices": None}
    assert [error["path"] for error in answer["errors"]] == [["user", "birthDate"], ["user", "devices"]]


def test_a_list_of_people_is_refused_up_front_to_those_who_may_read_only_themselves(who: Who) -> None:
    """Nothing of others could ever be shown."""
    response = who("subject").ask("{ users { nodes { id email } } }", purpose="ACCOUNT")
    assert (response.status_code, "data" in response.json()) == (403, False)


def test_what_depends_on_the_row_is_withheld_and_counted(who: Who) -> None:
    """The administrator's own row shows all of itself, the others' only the account."""
    query = "{ users(first: 100, orderBy: {field: USERNAME}) { nodes { username fullName } } }"
    answer = who("admin").ask(query, purpose="ACCOUNT").json()
    nodes = answer["data"]["users"]["nodes"]
    assert [node["username"] for node in nodes if node["fullName"] is not None] == ["admin"]
    assert answer["extensions"]["withheld"] == [{"coordinate": "User.fullName", "reason": "ROLE", "count": 99}]


def test_a_service_has_no_data_of_its_own(who: Who) -> None:
    """`me` is denied or null, and never somebody."""
    answer = who("service").ask("{ me { email } }").json()
    assert (answer.get("data") or {"me": None})["me"] is None


def test_somebody_who_restricted_processing_is_left_alone(newcomer: Newcomer, who: Who, server: Server) -> None:
    """Support finds them by no name and no filter; themself and the privacy officer read on."""
    account = newcomer()
    name = account.data("{ me { username } }", purpose="ACCOUNT")["me"]["username"]
    with server.database() as client:
        users = client.get_default_database().users
        users.update_one({"_id": account.id}, {"$set": {"status": "RESTRICTED", "country": "AQ"}})
    query = "query ($by: UserBy!) { user(by: $by) { id username } }"
    by_name = who("support").ask(query, {"by": {"username": name}}, purpose="SUPPORT").json()
    assert by_name["data"] == {"user": None}
    assert by_name["extensions"]["withheld"] == [{"coordinate": "User.username", "reason": "RESTRICTED", "count": 1}]
    filtered = '{ users(filter: {country: "AQ"}) { nodes { id } totalCount } }'
    assert who("support").data(filtered, purpose="SUPPORT") == {"users": {"nodes": [], "totalCount": 0}}
    assert who("privacy").data(query, {"by": {"username": name}}, purpose="LEGAL")["user"]["id"] == account.id
    assert account.data("{ me { username } }", purpose="ACCOUNT") == {"me": {"username": name}}
