"""Nobody makes staff's powers, or somebody's account, their own by the way back into it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.conftest import NEW_PASSWORD, Newcomer, Who
from tests.e2e.mailbox import Mailbox, token_of
from tests.e2e.server import Json, Server
from tests.e2e.services import command
from tests.e2e.services import token as token_of_service

CHANGE = """
mutation ($input: UpdateUserInput!) { updateUser(input: $input) { pendingEmail errors { code path } } }"""


def test_the_address_of_staff_is_changed_by_nobody_else(server: Server, newcomer: Newcomer, who: Who) -> None:
    """With a new address and a link to a new password, whoever may correct addresses would be an administrator."""
    account = newcomer()
    with server.database() as client:
        stored = client.get_default_database()
        stored.users.update_one({"_id": account.id}, {"$set": {"roles": [{"role": "ADMIN"}]}})
        before = stored.users.find_one({"_id": account.id})
        given = {"id": account.id, "email": f"mine.{account.id}@people.example", "fullName": "Not Written"}
        payload = who("privacy").data(CHANGE, {"input": given}, purpose="LEGAL")["updateUser"]
        assert payload == {"pendingEmail": False, "errors": [{"code": "NOT_FOUND", "path": ["input", "id"]}]}
        assert stored.users.find_one({"_id": account.id}) == before
        assert stored.tickets.count_documents({"person": account.id, "kind": "EMAIL_CHANGE"}) == 0
        stored.users.update_one({"_id": account.id}, {"$set": {"roles": []}})
    payload = who("privacy").data(CHANGE, {"input": given}, purpose="LEGAL")["updateUser"]
    assert payload == {"pendingEmail": True, "errors": []}


VERIFY = "mutation ($t: String!) { verifyEmail(input: {token: $t}) { verified errors { code } } }"
ASK_RESET = "mutation ($l: String!) { requestPasswordReset(input: {login: $l}) { requested errors { code } } }"
CONFIRM, CHOOSE, WAITS = "Confirm your new email address", "Choose a new password", "A new password has to wait"


def proposed_by_staff(who: Who, given: Json) -> Json:
    """By a privacy officer."""
    return who("privacy").data(CHANGE, {"input": given}, purpose="LEGAL")["updateUser"]


def proposed_by_service(server: Server, given: Json) -> Json:
    """By one that may write contact data."""
    made = command(server, "add", "Desk", "--scope", "user.contact:write", "--purpose", "SUPPORT")
    access = token_of_service(server, (made["client_id"], made["client_secret"]))
    return server.post(CHANGE, {"input": given}, token=access, purpose="SUPPORT").json()["data"]["updateUser"]


@pytest.mark.parametrize("by", ["staff", pytest.param("service", marks=pytest.mark.slow)])
def test_an_address_from_others_opens_no_password_at_once(
    by: str, server: Server, newcomer: Newcomer, who: Who
) -> None:
    """Proposed, followed, and a reset asked for: the account stays whose it is until a week has gone by."""
    account, mailbox = newcomer(), Mailbox(server.folder / "mail")
    mine = f"mine.{account.id.replace('_', '.')}@people.example"
    given = {"id": account.id, "email": mine}
    payload = proposed_by_staff(who, given) if by == "staff" else proposed_by_service(server, given)
    assert payload == {"pendingEmail": True, "errors": []}
    link = token_of(mailbox.latest(mine, CONFIRM))
    assert server.post(VERIFY, {"t": link}).json()["data"]["verifyEmail"] == {"verified": True, "errors": []}
    answer = server.post(ASK_RESET, {"l": mine}).json()
    assert answer == server.post(ASK_RESET, {"l": "nobody@people.example"}).json()
    assert "#reset=" not in mailbox.latest(mine, WAITS).get_content()
    assert [mail for mail in mailbox.to(mine) if mail["Subject"] == CHOOSE] == []
    with server.database() as client:
        people = client.get_default_database().users
        stored = people.find_one({"_id": account.id})
        assert stored is not None
        until = stored["reset_from"].replace(tzinfo=UTC)
        assert timedelta(days=6) < until - datetime.now(UTC) < timedelta(days=8)
        people.update_one({"_id": account.id}, {"$set": {"reset_from": datetime.now(UTC)}})
    server.post(ASK_RESET, {"l": mine})
    assert "#reset=" in mailbox.latest(mine, CHOOSE).get_content()
    assert server.sign_in(mine, NEW_PASSWORD).id == account.id
