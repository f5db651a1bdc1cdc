"""Using a field in an argument needs the right to read it (P6), for every caller of `matrix.yaml`."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.e2e.conftest import Who
from tests.e2e.test_matrix import MATRIX, Case

FILTERS: Final = {
    "country": ("country", "SE"),
    "locale": ("locale", "sv-SE"),
    "ageBand": ("ageBand", "25-34"),
    "status": ("status", "ACTIVE"),
    "createdFrom": ("createdAt", "2020-01-01T00:00:00Z"),
    "createdBefore": ("createdAt", "2030-01-01T00:00:00Z"),
}
ORDERS: Final = {
    "USERNAME": "username",
    "CREATED_AT": "createdAt",
    "LAST_SEEN_AT": "lastSeenAt",
    "LOGIN_COUNT": "loginCount",
}
LOOKUPS: Final = {"username": "minor", "email": "minor@demo.example"}
ARGUMENTS: Final = [
    *(
        (
            "query ($value: UserFilter) { users(first: 2, filter: $value) { nodes { id } } }",
            path,
            {name: value},
            "clear",
        )
        for name, (path, value) in FILTERS.items()
    ),
    (
        "query ($value: UserFilter) { users(first: 2, filter: $value) { nodes { id } } }",
        "phone",
        {"phone": "+46 70 174 06 01"},
        "masked",
    ),
    *(
        (
            "query ($value: UserOrder) { users(first: 2, orderBy: $value) { nodes { id } } }",
            path,
            {"field": name},
            "clear",
        )
        for name, path in ORDERS.items()
    ),
    *(
        ("query ($value: UserBy!) { user(by: $value) { id } }", path, {path: value}, "masked")
        for path, value in LOOKUPS.items()
    ),
]
READERS: Final = [
    Case("support", "SUPPORT", "another"),
    Case("analyst", "ANALYTICS", "another"),
    Case("privacy", "LEGAL", "another"),
    Case("security", "SECURITY", "another"),
    Case("admin", "ACCOUNT", "another"),
    Case("service", "SUPPORT", "another"),
    Case("subject", "ACCOUNT", "another"),
]


@pytest.mark.parametrize("case", READERS, ids=str)
@pytest.mark.parametrize("argument", ARGUMENTS, ids=lambda it: "-".join(it[2]) + "-" + it[1])
def test_an_argument_needs_the_right_to_read(
    case: Case, argument: tuple[str, str, dict[str, str], str], who: Who
) -> None:
    """Filters and orders the clear value; looking up an exact value a masked one at least."""
    query, path, value, least = argument
    answer: Any = who(case.who).ask(query, {"value": value}, purpose=case.purpose).json()
    expected = case.expected(path)
    if expected == "clear" or expected == least:
        assert "errors" not in answer
        assert answer["data"]
    else:
        assert "data" not in answer
        reason = "ROLE" if expected == "masked" else expected
        denied = {(e["extensions"]["coordinate"], e["extensions"]["reason"]) for e in answer["errors"]}
        assert (f"User.{path}", reason) in denied


@pytest.mark.parametrize("existing", ["minor@demo.example", "nobody@demo.example"])
def test_a_refused_look_up_does_not_say_whether_somebody_exists(existing: str, who: Who) -> None:
    """The same answer for who is there and who is not."""
    response = who("analyst").ask(
        "query ($email: String!) { user(by: {email: $email}) { id } }", {"email": existing}, purpose="ANALYTICS"
    )
    [error] = response.json()["errors"]
    assert (response.status_code, error["extensions"]["coordinate"]) == (403, "User.email")
    assert existing not in response.text


def test_the_rows_follow_the_filter_and_the_order(who: Who) -> None:
    """What is permitted also works."""
    found = who("support").data(
        """{ users(first: 100, filter: {country: "SE"}, orderBy: {field: USERNAME}) {
             nodes { username country } totalCount } }""",
        purpose="SUPPORT",
    )["users"]
    names = [node["username"].casefold() for node in found["nodes"]]
    assert names == sorted(names)
    assert {node["country"] for node in found["nodes"]} == {"SE"}
    assert found["totalCount"] == len(names)


def test_pages_lead_to_everybody_once(who: Who) -> None:
    """By cursors; a page has at most 100 people."""
    seen: list[str] = []
    after = None
    while True:
        page = who("support").data(
            "query ($after: String) { users(first: 100, after: $after)"
            " { nodes { id } totalCount pageInfo { hasNextPage endCursor } } }",
            {"after": after},
            purpose="SUPPORT",
        )["users"]
        seen += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert len(seen) == len(set(seen)) >= 500
    response = who("support").ask("{ users(first: 101) { nodes { id } } }", purpose="SUPPORT")
    assert response.json()["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


def test_the_file_speaks_of_every_argument() -> None:
    """The fields that arguments touch are in it."""
    paths = {path for group in MATRIX["fields"].values() for path in group}
    assert {path for _, path, _, _ in ARGUMENTS} <= paths
