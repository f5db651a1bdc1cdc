"""A service gets no more at the token endpoint than it is registered for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from tests.e2e.attacks.tables import table
from tests.e2e.second_factors import claims
from tests.e2e.server import Server
from tests.e2e.services import GRANT, asked, command

SCOPE: Final = "user.contact.email:read"


@pytest.fixture(scope="module")
def narrow(server: Server) -> tuple[str, str]:
    """A service that may read email addresses for SUPPORT."""
    made = command(server, "add", "A narrow service", "--scope", SCOPE, "--purpose", "SUPPORT")
    return made["client_id"], made["client_secret"]


@pytest.mark.parametrize("attack", table("scopes"))
def test_a_token_is_never_wider_than_its_client(
    attack: Mapping[str, Any], server: Server, narrow: tuple[str, str]
) -> None:
    """What is not its own is refused; what is unknown changes nothing."""
    answer = server.http.post("/oauth/token", data={**GRANT, **attack["form"]}, auth=narrow)
    if "error" in attack:
        assert (answer.status_code, answer.json()["error"]) == (400, attack["error"]), answer.text
        assert "access_token" not in answer.json()
        return
    body = answer.json()
    assert (body["scope"], body["purpose"], body["expires_in"]) == (SCOPE, "SUPPORT", 600)
    said = claims(body["access_token"])
    assert (said["sub"], said["kind"], said.get("roles", [])) == (narrow[0], "SERVICE", [])
    assert said["exp"] - said["iat"] == pytest.approx(600)
    assert asked(server, body["access_token"], "email").status_code == 200
    assert asked(server, body["access_token"], "phone").status_code == 403


def test_a_parameter_given_twice_is_refused(server: Server, narrow: tuple[str, str]) -> None:
    """Of two readers one could take the first and the other the second (RFC 6749, section 3.2)."""
    for twice in (f"scope={SCOPE}&scope=user:read", "purpose=SUPPORT&purpose=LEGAL", "grant_type=client_credentials"):
        answer = server.http.post(
            "/oauth/token",
            content=f"grant_type=client_credentials&{twice}",
            headers={"content-type": "application/x-www-form-urlencoded"},
            auth=narrow,
        )
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
