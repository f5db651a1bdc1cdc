"""Making an account over HTTP: what is taken, weak or unknown is refused, and of two at once one wins."""

from __future__ import annotations

import asyncio
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from models.user import UserDocument
from tests.e2e.conftest import NEW_PASSWORD, REGISTER
from tests.e2e.databases import opened
from tests.e2e.server import GRAPHQL, Server, request_headers

Fields = dict[str, Any]


def fresh(**fields: object) -> Fields:
    """The input of somebody new."""
    name = f"new.{uuid4().hex[:12]}"
    return {"username": name, "email": f"{name}@people.example", "password": NEW_PASSWORD, **fields}


def problems(server: Server, given: Fields) -> list[tuple[str, list[str]]]:
    """Codes and paths of what was wrong."""
    response = server.post(REGISTER, {"input": given})
    assert response.status_code == 200, response.text
    return [(error["code"], error["path"]) for error in response.json()["data"]["register"]["errors"]]


def test_somebody_new_registers_and_signs_in(server: Server) -> None:
    """With neither token nor purpose; the payload shows the person to themself."""
    query = """mutation ($input: RegisterInput!) { register(input: $input) {
      user { id username email fullName status emailVerified } errors { code } } }"""
    given = fresh(fullName="Ny Person")
    payload = server.post(query, {"input": given}).json()["data"]["register"]
    assert payload["errors"] == []
    assert payload["user"] == {
        "id": server.sign_in(given["email"], NEW_PASSWORD).id,
        "username": given["username"],
        "email": given["email"],
        "fullName": "Ny Person",
        "status": "ACTIVE",
        "emailVerified": False,
    }


@pytest.mark.parametrize("username", ["subject", "SUBJECT", "ｓｕｂｊｅｃｔ"])
def test_a_username_is_taken_in_every_spelling(username: str, server: Server) -> None:
    """Case and width make no other name."""
    assert problems(server, fresh(username=username)) == [("TAKEN", ["input", "username"])]


@pytest.mark.parametrize("email", ["subject@demo.example", "Subject@DEMO.example"])
def test_an_email_is_taken_in_every_spelling(email: str, server: Server) -> None:
    """Case makes no other address."""
    assert problems(server, fresh(email=email)) == [("TAKEN", ["input", "email"])]


@pytest.mark.parametrize(
    ("password", "code"),
    [("short", "TOO_SHORT"), ("x" * 2000, "TOO_LONG"), ("passwordpassword", "COMMON")],
)
def test_a_weak_password_is_refused(password: str, code: str, server: Server) -> None:
    """By the rules of NIST SP 800-63B-4, with the path of the input."""
    assert (code, ["input", "password"]) in problems(server, fresh(password=password))


def test_a_password_may_not_say_who_one_is(server: Server) -> None:
    """The user name is no secret."""
    given = fresh()
    assert ("PERSONAL", ["input", "password"]) in problems(server, given | {"password": f"{given['username']}-1"})


def test_all_that_is_wrong_is_said_at_once(server: Server) -> None:
    """One round for the person who fills in the form."""
    found = problems(server, fresh(username="a b", email="nobody", password="short", phone="12"))
    assert {path[-1] for _, path in found} == {"username", "email", "password", "phone"}


@pytest.mark.parametrize(
    "field", ["id", "status", "roles", "emailVerified", "email_verified", "passwordHash", "loginCount", "$set", "_id"]
)
def test_an_unknown_input_is_refused(field: str, server: Server) -> None:
    """Nobody makes themself staff; nothing is stored."""
    given = fresh(**{field: "ADMIN"})
    response = server.post(REGISTER, {"input": given})
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert "ADMIN" not in response.text
    assert problems(server, fresh(username=given["username"])) == []


@pytest.mark.parametrize("value", [{"$ne": None}, {"$gt": ""}, ["a"], 7, True, None])
def test_a_database_operator_is_no_text(value: object, server: Server) -> None:
    """Only strings are taken for strings."""
    for field in ("username", "email", "password"):
        response = server.post(REGISTER, {"input": fresh(**{field: value})})
        assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


ROUNDS: Final = 3


@pytest.mark.parametrize("shared", ["email", "username"])
async def test_of_simultaneous_registrations_exactly_one_wins(shared: str, server: Server) -> None:
    """Two people, one address or one name, at the same moment, on connections of their own."""
    limits = httpx.Limits(max_connections=2)
    async with httpx.AsyncClient(base_url=server.url, timeout=20, limits=limits) as client:
        for _ in range(ROUNDS):
            one = fresh()
            both = [one, fresh(**{shared: one[shared]})]
            answers = await asyncio.gather(
                *(
                    client.post(
                        "/graphql",
                        json={"query": REGISTER, "variables": {"input": given}},
                        headers=request_headers(accept=GRAPHQL),
                    )
                    for given in both
                )
            )
            payloads = [answer.json()["data"]["register"] for answer in answers]
            assert [payload["user"] is not None for payload in payloads].count(True) == 1
            [lost] = [payload["errors"] for payload in payloads if payload["user"] is None]
            assert [(error["code"], error["path"]) for error in lost] == [("TAKEN", ["input", shared])]
            key = {"email": "email", "username": "username_key"}[shared]
            async with opened(server) as database:
                assert await database.count(UserDocument, {key: one[shared]}) == 1


@pytest.mark.parametrize("other", ["{0}.PayPaI", "{0}.paypa1", "{0}.PAYPA1"])
def test_a_name_that_looks_like_another_is_refused(other: str, server: Server) -> None:
    """It says so; a name that only begins alike is taken."""
    one = fresh(username=f"x{uuid4().hex[:8].translate(str.maketrans('01', '22'))}.paypal")
    beginning = one["username"].partition(".")[0]
    for given, expected in (
        (one, []),
        (fresh(username=other.format(beginning)), [("LOOKS_ALIKE", ["input", "username"])]),
        (fresh(username=f"{beginning}.paypals"), []),
    ):
        answer = server.post(REGISTER, {"input": given}).json()["data"]["register"]
        assert [(error["code"], error["path"]) for error in answer["errors"]] == expected


def test_a_name_in_two_scripts_is_refused(server: Server) -> None:
    """Cyrillic letters in a Latin name are there to deceive."""
    answer = server.post(REGISTER, {"input": fresh(username="pаypal")}).json()["data"]["register"]
    assert [(error["code"], error["path"]) for error in answer["errors"]] == [("INVALID", ["input", "username"])]
