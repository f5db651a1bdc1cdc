"""Access tokens that were made up or tampered with open nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from tests.e2e.attacks.forging import Forger
from tests.e2e.attacks.tables import table
from tests.e2e.conftest import Who
from tests.e2e.server import GRAPHQL, Server
from tests.e2e.services import token

ME: Final = "{ me { username } }"


@pytest.mark.parametrize("attack", table("tokens"))
def test_a_token_that_is_not_genuine_is_refused(attack: Mapping[str, Any], server: Server, who: Who) -> None:
    """401, with nothing of what was wrong but that it has expired; the entry that holds shows that others could."""
    forged = Forger.at(server, who("subject").token).make(attack)
    answer = server.post(ME, token=forged, purpose="ACCOUNT")
    if attack.get("holds"):
        assert answer.json() == {"data": {"me": {"username": "subject"}}}
        return
    assert answer.status_code == 401, answer.text
    [error] = answer.json()["errors"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert answer.headers["www-authenticate"].startswith("Bearer")
    for told in ("signature", "audience", "issuer", "algorithm", "kid"):
        assert told not in answer.text.lower()


def test_a_token_is_taken_from_the_header_only(server: Server, who: Who) -> None:
    """Neither from the address, where logs keep it, nor twice (RFC 6750, section 2)."""
    genuine = who("subject").token
    asked = {"query": ME, "access_token": genuine}
    headers = {"accept": GRAPHQL, "data-purpose": "ACCOUNT"}
    for answer in (
        server.http.get("/graphql", params=asked, headers=headers),
        server.http.post("/graphql", json=asked, headers=headers),
        server.http.post(f"/graphql?access_token={genuine}", json={"query": ME}, headers=headers),
    ):
        assert answer.status_code in (400, 401, 403)
        assert "subject" not in answer.text
    twice = [*headers.items(), *[("authorization", f"Bearer {genuine}")] * 2]
    assert server.http.post("/graphql", json={"query": ME}, headers=twice).status_code == 401


def test_a_refresh_token_is_no_access_token(server: Server, who: Who) -> None:
    """And the reverse; nor is a device's token, or a service's secret, either of them."""
    account = who("minor")
    refresh = "mutation ($t: String!) { refreshSession(input: {refreshToken: $t}) { accessToken errors { code } } }"
    answer = server.post(
        'mutation { signIn(input: {login: "minor", password: "fieldward-demo-password"}) { refreshToken deviceToken } }'
    ).json()["data"]["signIn"]
    for other in (answer["refreshToken"], answer["deviceToken"], "fieldward-demo-secret"):
        assert server.post(ME, token=other, purpose="ACCOUNT").status_code == 401
    for other in (account.token, answer["deviceToken"], token(server), "fieldward-demo-secret"):
        assert server.post(refresh, {"t": other}).json()["data"]["refreshSession"] == {
            "accessToken": None,
            "errors": [{"code": "SESSION_ENDED"}],
        }
