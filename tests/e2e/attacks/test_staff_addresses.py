"""Nobody makes staff's powers their own by the way back into an account."""

from __future__ import annotations

from tests.e2e.conftest import Newcomer, Who
from tests.e2e.server import Server

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
