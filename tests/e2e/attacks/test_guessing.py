"""Whoever has found an open session guesses its owner's code no more often than a stranger does."""

from __future__ import annotations

import httpx

from auth.allowances import FREE
from tests.e2e.second_factors import STEP_UP, arrive
from tests.e2e.server import JSON, Server

GO_ON = """
mutation ($token: String!) {
  refreshSession(input: {refreshToken: $token}) { accessToken refreshToken deviceToken errors { code } }
}"""
ROUNDS = 3


def test_a_session_that_goes_on_makes_no_device_known(server: Server) -> None:
    """A device is counted apart from strangers: a new one at each refresh would be a new set of guesses."""
    person = arrive(server)
    app = person.enrol_app()
    held, outcomes = person.account.refresh_token, []
    for _ in range(ROUNDS):
        session = server.post(GO_ON, {"token": held}).json()["data"]["refreshSession"]
        assert session["errors"] == []
        held, device = session["refreshToken"], session["deviceToken"]
        for _ in range(FREE):
            guess = server.post(
                STEP_UP,
                {"input": {"code": app.wrong()}},
                token=session["accessToken"],
                headers={"cookie": f"fieldward_device={device}"},
            ).json()
            outcomes.append(guess["data"] is not None)
    assert outcomes[:FREE] == [True] * FREE
    assert outcomes.count(True) < 2 * FREE


def test_nor_does_a_browser_that_goes_on(server: Server) -> None:
    """Its device's cookie is set by the sign-in, and neither by a refresh nor by a step-up."""
    person = arrive(server)
    begin = "mutation ($input: SignInInput!) { signIn(input: $input) { errors { code } } }"
    given = {"login": person.name, "password": person.password, "cookie": True}
    with httpx.Client(base_url=server.url, timeout=20, headers={"accept": JSON}) as browser:

        def cookies(document: str, **variables: object) -> set[str]:
            answer = browser.post("/graphql", json={"query": document, "variables": variables})
            assert '"code"' not in answer.text, answer.text
            return {each.partition("=")[0] for each in answer.headers.get_list("set-cookie")}

        usual = {"fieldward_access", "fieldward_refresh"}
        assert cookies(begin, input=given) == {*usual, "fieldward_device"}
        assert cookies("mutation { refreshSession { errors { code } } }") == usual
        assert cookies(STEP_UP, input={"password": person.password}) == {"fieldward_access"}
