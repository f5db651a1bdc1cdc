"""Clients as product teams use them, from npm: what each makes of partial answers and refusals of a running service."""

from __future__ import annotations

from typing import Final

import pytest

from tests.clients.conftest import Command, Program
from tests.e2e.server import GRAPHQL, JSON, Json, Server

pytestmark = pytest.mark.slow

EMAIL: Final = "s•••@•••.example"
BIRTH_DATE: Final = ("FORBIDDEN", "PURPOSE", "User.birthDate")
LAST_SEEN_IP: Final = ("FORBIDDEN", "PURPOSE", "User.lastSeenIp")
PEOPLE: Final = """
query @purpose(is: SUPPORT) {
  users(first: 4, orderBy: {field: CREATED_AT, direction: DESC}) { nodes { id username fullName country } }
}"""


def denied(errors: Json) -> list[tuple[str, str, str]]:
    """What a client knows of each error: code, reason, coordinate."""
    return [tuple(error["extensions"][key] for key in ("code", "reason", "coordinate")) for error in errors]


def exchange(status: int, media_type: str = GRAPHQL, method: str = "POST") -> dict[str, object]:
    """How a request was made and answered."""
    return {"method": method, "status": status, "type": media_type}


def test_apollo_client(program: Program) -> None:
    """Partial data with `errorPolicy: "all"`, also from its cache; refusals without data; GET; a hash first."""
    told = program("apollo")
    partial, user = told["partial"], told["partial"]["data"]["user"]
    assert partial["exchanges"] == [exchange(200)]
    assert (user["username"], user["email"], user["birthDate"]) == ("subject", EMAIL, None)
    assert [node["lastSeenIp"] for node in partial["data"]["users"]["nodes"]] == [None, None]
    assert all(node["country"] for node in partial["data"]["users"]["nodes"])
    assert denied(partial["errors"]) == [BIRTH_DATE, LAST_SEEN_IP]
    assert told["cached"] == partial["data"]

    for name, answered in (
        ("refused", exchange(403)),
        ("thrown", exchange(403)),
        ("refusedPlainly", exchange(200, JSON)),
    ):
        assert "data" not in told[name], name
        assert (denied(told[name]["errors"]), told[name]["exchanges"]) == ([BIRTH_DATE], [answered]), name

    for name, exchanges in (("got", [exchange(200, method="GET")]), ("hashed", [exchange(400), exchange(200)])):
        assert told[name]["data"]["user"]["username"] == "subject", name
        assert told[name]["exchanges"] == exchanges, name


def test_urql(program: Program) -> None:
    """Partial data with its errors by POST and GET; a refusal without data is no failure of the network."""
    told = program("urql")
    for name, method in (("partial", "POST"), ("got", "GET")):
        user = told[name]["data"]["user"]
        assert (user["username"], user["email"], user["birthDate"]) == ("subject", EMAIL, None), name
        assert denied(told[name]["errors"]) == [BIRTH_DATE], name
        assert told[name]["exchanges"] == [exchange(200, method=method)], name
    refused = told["refused"]
    assert (denied(refused["errors"]), refused["exchanges"]) == ([BIRTH_DATE], [exchange(403)])
    assert refused.keys().isdisjoint({"data", "network"})


def test_relay(command: Command, program: Program, server: Server) -> None:
    """Its compiler takes the schema; its runtime pages through people, reads a node and fetches a fragment anew."""
    command("relay-compiler")
    told = program("relay")
    people = server.sign_in("support").data(PEOPLE)["users"]["nodes"]
    assert told["first"]["nodes"] == people[:2]
    assert told["second"]["nodes"] == people, "the second page is appended to the first"
    assert told["second"]["pageInfo"]["hasNextPage"] is True
    assert told["one"]["status"] == "ACTIVE"
    assert denied(told["one"]["birthDate"]["errors"]) == [BIRTH_DATE], "what `@catch` caught"
    assert told["contact"] == told["contactAgain"]
    assert (told["contact"]["id"], told["contact"]["birthDate"]) == (people[0]["id"], None)
    assert "•" in told["contact"]["email"]
    assert set(told["statuses"].values()) == {200}


def test_code_generator(command: Command) -> None:
    """Typed documents of the schema compile under `strict`, and what is wrong in the program does not."""
    command("graphql-codegen", "--config", "codegen.yml")
    command("tsc", "--project", ".", "--noEmit", "--strict")
