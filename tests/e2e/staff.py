"""People who become staff by the real ways: registered, given a role by an administrator, with a second factor."""

from __future__ import annotations

from typing import Any, Final

from tests.e2e.second_factors import Person, arrive
from tests.e2e.server import REFRESH, Account, Json, Server

WHY: Final = "Joins the help desk in Malmö"
_USER: Final = "user { id roles { role expiresAt reason grantedBy grantedAt } } errors { code message path }"
GRANT: Final = f"mutation ($input: GrantRoleInput!) {{ grantRole(input: $input) {{ {_USER} }} }}"
REVOKE: Final = f"mutation ($input: RevokeRoleInput!) {{ revokeRole(input: $input) {{ {_USER} }} }}"


def changed(by: Account, document: str, person: str, role: str, **more: object) -> Json:
    """The payload of `GRANT` or `REVOKE`."""
    given = {"user": person, "role": role, "reason": WHY, **more}
    [payload] = by.data(document, {"input": given}, purpose="ACCOUNT").values()
    return payload


def granted(by: Account, person: str, role: str, **more: object) -> None:
    """Give somebody a role that they must get."""
    payload = changed(by, GRANT, person, role, **more)
    assert payload["errors"] == [], payload


def renewed(account: Account) -> Account:
    """Go on with a new access token of the same session."""
    answer = account.server.post(REFRESH, {"token": account.refresh_token}).json()["data"]["refreshSession"]
    assert answer["errors"] == [], answer
    account.access_token, account.refresh_token = answer["accessToken"], answer["refreshToken"]
    return account


def hired(server: Server, admin: Account, *roles: str, **more: object) -> Person:
    """Somebody new with these roles, signed in with a second factor."""
    person = arrive(server)
    person.enrol_app()
    for role in roles:
        granted(admin, person.account.id, role, **more)
    renewed(person.account)
    return person


def roles_of(account: Account) -> list[dict[str, Any]]:
    """One's own, as they are stored."""
    return list(account.data("{ me { roles { role expiresAt } } }", purpose="ACCOUNT")["me"]["roles"])


def access(account: Account, purpose: str = "ACCOUNT") -> Json:
    """What the token says of roles and purposes."""
    return account.data("{ myAccess { roles purposes } }", purpose=purpose)["myAccess"]
