"""What people see of their sessions over HTTP, and how they end them one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pytest

from tests.e2e.conftest import NEW_PASSWORD, Newcomer, Who
from tests.e2e.mailbox import Mailbox
from tests.e2e.people import refused_soon, status_of_me
from tests.e2e.server import REFRESH, Account, Json, Server

FIREFOX: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SIGN_IN: Final = """
mutation ($login: String!, $password: String!) {
  signIn(input: {login: $login, password: $password}) { accessToken refreshToken session user { id } errors { code } }
}"""
MINE: Final = "{ me { username sessions { id device ip place createdAt lastUsedAt expiresAt } } }"
END: Final = "mutation ($id: ID!) { endSession(input: {id: $id}) { ended errors { code message path } } }"
END_OTHERS: Final = "mutation { endOtherSessions { ended errors { code } } }"


@dataclass(frozen=True)
class Seat:
    """One session of somebody."""

    account: Account
    id: str

    @property
    def sessions(self) -> Json:
        """Those of the person, as this session sees them."""
        return self.account.data(MINE, purpose="ACCOUNT")["me"]["sessions"]

    def renewal(self) -> Json:
        """What its refresh token gives."""
        return renewal(self.account, self.account.refresh_token)


def renewal(account: Account, token: str | None) -> Json:
    """What a refresh token gives."""
    return account.server.post(REFRESH, {"token": token}).json()["data"]["refreshSession"]


def codes(payload: Json) -> list[str]:
    """What went wrong."""
    return [error["code"] for error in payload["errors"]]


@pytest.fixture
def seats(server: Server, newcomer: Newcomer) -> list[Seat]:
    """Three sessions of somebody new, who sits at Firefox in the first; the one of the registration has ended."""
    account = newcomer()
    name = account.data("{ me { username } }", purpose="ACCOUNT")["me"]["username"]
    account.data("mutation { signOut { ended } }", purpose="ACCOUNT")
    seats = []
    for agent in (FIREFOX, "curl/8.5.0", "curl/8.5.0"):
        given = {"login": name, "password": NEW_PASSWORD}
        answer = server.post(SIGN_IN, given, headers={"user-agent": agent}).json()["data"]["signIn"]
        held = Account(server, answer["accessToken"], answer["refreshToken"], answer["user"]["id"])
        seats.append(Seat(held, answer["session"]))
    return seats


def test_a_person_sees_where_they_are_signed_in(seats: list[Seat]) -> None:
    """By what device, roughly from where, since when; and which of them is this one."""
    here, *others = seats
    shown = {each["id"]: each for each in here.sessions}
    assert set(shown) == {seat.id for seat in seats}
    assert [shown[seat.id]["device"] for seat in seats] == ["Firefox on Linux", "curl/8.5.0", "curl/8.5.0"]
    assert {(each["ip"], each["place"]) for each in shown.values()} == {("127.0.0.1", "127.0.0.0/24")}
    assert all(all(each.values()) for each in shown.values())
    assert here.renewal()["errors"] == []
    assert here.sessions[0]["id"] == here.id, "the latest used comes first"
    assert others[0].sessions == here.sessions


def test_one_session_is_ended_from_another(seats: list[Seat]) -> None:
    """Within a second for its access token, at once for its refresh token."""
    here, there, third = seats
    assert here.account.data(END, {"id": there.id}, purpose="ACCOUNT")["endSession"] == {"ended": 1, "errors": []}
    assert refused_soon(lambda: status_of_me(there.account))
    assert codes(there.renewal()) == ["SESSION_ENDED"]
    assert {each["id"] for each in third.sessions} == {here.id, third.id}
    again = here.account.data(END, {"id": there.id}, purpose="ACCOUNT")["endSession"]
    assert (again["ended"], again["errors"]) == (
        0,
        [{"code": "NOT_FOUND", "message": "You have no such session.", "path": ["input", "id"]}],
    )


def test_ending_ones_own_session_is_signing_out(seats: list[Seat]) -> None:
    """The others go on."""
    here, there, _ = seats
    assert here.account.data(END, {"id": here.id}, purpose="ACCOUNT")["endSession"]["ended"] == 1
    assert refused_soon(lambda: status_of_me(here.account))
    assert status_of_me(there.account) == 200


def test_all_others_are_ended(seats: list[Seat]) -> None:
    """This one goes on with the tokens it has."""
    here, *others = seats
    answer = here.account.data(END_OTHERS, purpose="ACCOUNT")["endOtherSessions"]
    assert answer == {"ended": 2, "errors": []}
    for seat in others:
        assert refused_soon(lambda: status_of_me(seat.account))  # noqa: B023 - asked before the next one's turn
        assert codes(seat.renewal()) == ["SESSION_ENDED"]
    assert [each["id"] for each in here.sessions] == [here.id]
    assert here.renewal()["errors"] == []


@pytest.mark.parametrize("who_asks", ["security", "admin", "service"])
def test_nobody_ends_the_session_of_somebody_else(who_asks: str, seats: list[Seat], who: Who) -> None:
    """Staff and services neither: to them it is not there."""
    other, purpose = who(who_asks), "SUPPORT" if who_asks == "service" else "ACCOUNT"
    for name in (seats[0].id, seats[0].account.id, "", "ses_eu_nonsense"):
        assert codes(other.data(END, {"id": name}, purpose=purpose)["endSession"]) == ["NOT_FOUND"]
    assert other.server.post(END, {"id": seats[0].id}, purpose="ACCOUNT").status_code == 401
    assert status_of_me(seats[0].account) == 200
    assert seats[0].renewal()["errors"] == []


def test_a_refresh_token_that_was_copied_ends_its_session_and_the_person_is_told(
    seats: list[Seat], server: Server
) -> None:
    """By mail; the other sessions go on. What the log says of it names nobody."""
    here, there, _ = seats
    username = here.account.data("{ me { username } }", purpose="ACCOUNT")["me"]["username"]
    stolen = here.account.refresh_token
    first = here.renewal()
    newest = renewal(here.account, first["refreshToken"])
    assert first["errors"] == newest["errors"] == []
    assert codes(renewal(here.account, stolen)) == ["SESSION_ENDED"]
    assert codes(renewal(here.account, newest["refreshToken"])) == ["SESSION_ENDED"]
    for token in (here.account.access_token, newest["accessToken"]):
        held = Account(server, token)
        assert refused_soon(lambda: status_of_me(held))  # noqa: B023 - asked before the next one's turn
    assert status_of_me(there.account) == 200
    mail = Mailbox(server.folder / "mail").latest(f"{username}@people.example", "A session of your account was ended")
    assert "ended" in mail.get_content()
    said = [line for line in server.said().splitlines() if "refresh_token_reused" in line]
    assert said
    for value in (username, here.account.id, here.id, str(stolen).rpartition(".")[2]):
        assert value not in "".join(said)
