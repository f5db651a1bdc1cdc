"""Services over HTTP: registered, narrowed, refused what their scopes or purposes leave out, and removed."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Who
from tests.e2e.people import refused_soon
from tests.e2e.server import SERVICE, Json, Server
from tests.e2e.services import command, token

QUERY = '{ user(by: {email: "subject@demo.example"}) { %s } }'


def asked(server: Server, access_token: str, fields: str, purpose: str | None = None) -> Json:
    """The answer to a look-up of one person."""
    return server.post(QUERY % fields, token=access_token, purpose=purpose).json()


def test_a_token_may_be_narrowed_to_fewer_scopes(server: Server) -> None:
    """Then the rest is denied for SCOPE."""
    narrow = token(server, scope="user.contact.email:read")
    assert asked(server, narrow, "email")["data"]["user"] == {"email": "subject@demo.example"}
    for field in ("phone", "fullName", "address { city }"):
        errors = asked(server, narrow, field)["errors"]
        assert {error["extensions"]["reason"] for error in errors} == {"SCOPE"}


@pytest.mark.parametrize(
    "wider",
    [
        {"scope": "user.device:read"},
        {"scope": "user.contact:write"},
        {"scope": "user:read"},
        {"scope": "nonsense"},
        {"purpose": "LEGAL"},
        {"purpose": "NONSENSE"},
    ],
    ids=str,
)
def test_a_token_is_never_wider_than_its_client(wider: dict[str, str], server: Server) -> None:
    """RFC 6749, section 5.2."""
    answer = server.http.post("/oauth/token", data={"grant_type": "client_credentials", **wider}, auth=SERVICE)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


@pytest.mark.slow
def test_a_service_is_registered_given_a_new_secret_and_removed_while_all_runs(server: Server) -> None:
    """Its tokens hold until its secret is changed or it is removed, and then end within a second."""
    made = command(
        server, "add", "Billing", "--scope", "user.account:read", "--purpose", "ANALYTICS", "--purpose", "SUPPORT"
    )
    credentials = (made["client_id"], made["client_secret"])
    first = token(server, credentials)

    def status(access_token: str) -> int:
        query = "{ users(first: 1) { nodes { loginCount } } }"
        return server.post(query, token=access_token, purpose="ANALYTICS").status_code

    assert status(first) == 200
    denied = asked(server, first, "id loginCount", purpose="ANALYTICS")["errors"]
    assert {(it["extensions"]["coordinate"], it["extensions"]["reason"]) for it in denied} == {
        ("User.email", "PURPOSE")
    }
    again = command(server, "rotate", credentials[0])
    refused = server.http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=credentials)
    assert refused.status_code == 401
    assert refused_soon(lambda: status(first))
    second = token(server, (again["client_id"], again["client_secret"]))
    assert status(second) == 200
    command(server, "remove", credentials[0])
    assert refused_soon(lambda: status(second))


def test_a_service_sees_people_in_clear_only_as_far_as_its_scopes_reach(server: Server, who: Who) -> None:
    """Contact in clear, where support staff see a mask."""
    fields = "email phone fullName"
    clear = asked(server, who("service").token, fields)["data"]["user"]
    masked = who("support").data(QUERY % fields, purpose="SUPPORT")["user"]
    assert clear["fullName"] == masked["fullName"]
    assert clear["email"] == "subject@demo.example"
    assert masked["email"] != clear["email"]
    assert masked["phone"] != clear["phone"]


def test_a_service_signs_nobody_out_and_deletes_nobody(server: Server, who: Who) -> None:
    """It has no account of its own."""
    for mutation in (
        'deleteUser(input: {password: "x"})',
        'changePassword(input: {currentPassword: "x", newPassword: "y"})',
    ):
        response = who("service").ask(f"mutation {{ {mutation} {{ errors {{ code }} }} }}")
        assert (response.status_code, "data" in response.json()) == (403, False)
