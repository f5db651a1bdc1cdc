"""The token endpoint (RFC 6749, section 4.4)."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote_plus

import httpx
import pytest

from auth.oauth.form import MAX_BODY
from auth.principal import Kind, Scope
from models.database import Database
from models.errors import DatabaseUnavailable
from models.vocabulary import Purpose
from tests.integration.identity.workers import Worker

FORM = "application/x-www-form-urlencoded"
GRANT = {"grant_type": "client_credentials"}


@pytest.fixture
def any_database(memory_database: Database) -> Database:
    """In memory: these tables are about what is sent, not about how it is stored."""
    return memory_database


@pytest.fixture
async def client(worker: Worker) -> tuple[str, str]:
    """A registered service: id and secret."""
    return await worker.clients.add("Help desk", ["user.contact:read", "user.name:read"], ["SUPPORT", "LEGAL"])


async def ask(worker: Worker, auth: tuple[str, str], **form: str) -> httpx.Response:
    """One request for a token."""
    async with worker.http() as http:
        return await http.post("/oauth/token", auth=auth, data={**GRANT, **form})


async def raw(worker: Worker, body: bytes, *headers: tuple[str, str], type_: str = FORM) -> httpx.Response:
    """One request with exactly these headers and bytes."""
    async with worker.http() as http:
        return await http.post("/oauth/token", content=body, headers=[("Content-Type", type_), *headers])


def basic(text: str | bytes) -> tuple[str, str]:
    """An Authorization header of HTTP Basic."""
    data = text.encode() if isinstance(text, str) else text
    return "Authorization", f"Basic {b64encode(data).decode()}"


async def test_a_service_gets_a_token_for_all_it_is_registered_for(worker: Worker, client: tuple[str, str]) -> None:
    """The token is the service's own, and says so on each request."""
    response = await ask(worker, client)
    body = response.json()
    assert response.status_code == 200
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 600)
    assert (body["scope"], body["purpose"]) == ("user.contact:read user.name:read", "LEGAL SUPPORT")
    assert response.headers["cache-control"] == "no-store"
    caller = await worker.whose(body["access_token"])
    assert (caller.id, caller.shape.kind, caller.person, caller.session) == (client[0], Kind.SERVICE, None, None)
    assert caller.shape.scopes == {Scope.parse("user.contact:read"), Scope.parse("user.name:read")}
    assert caller.purposes == {Purpose.SUPPORT, Purpose.LEGAL}
    assert not caller.shape.roles


async def test_scope_and_purpose_narrow_the_token(worker: Worker, client: tuple[str, str]) -> None:
    """To a part of what the client has; a category beneath its own is a part."""
    body = (await ask(worker, client, scope="user.contact.email:read", purpose="SUPPORT")).json()
    caller = await worker.whose(body["access_token"])
    assert caller.shape.scopes == {Scope.parse("user.contact.email:read")}
    assert caller.purposes == {Purpose.SUPPORT}


@pytest.mark.parametrize(
    "form",
    [
        {"scope": "user.contact:write"},
        {"scope": "user.behavior:read"},
        {"scope": "user.contact:read user.behavior:read"},
        {"scope": "user:read"},
        {"scope": "user.contact.email"},
        {"scope": "*"},
        {"scope": "\0"},
        {"scope": " "},
        {"purpose": "ANALYTICS"},
        {"purpose": "SUPPORT ANALYTICS"},
        {"purpose": "support"},
        {"purpose": " "},
    ],
    ids=str,
)
async def test_nothing_is_granted_beyond_the_registration(
    worker: Worker, client: tuple[str, str], form: dict[str, str]
) -> None:
    """Neither more nor something else; never silently less."""
    response = await ask(worker, client, **form)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_scope")
    assert "access_token" not in response.json()


async def test_an_unknown_client_and_a_wrong_secret_answer_alike(worker: Worker, client: tuple[str, str]) -> None:
    """Status, body and challenge are the same."""
    wrong, unknown = await ask(worker, (client[0], "x")), await ask(worker, ("cli_eu_unknown", client[1]))
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()
    assert wrong.json()["error"] == "invalid_client"
    assert wrong.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Authorization", "Bearer abc")],
        [("Authorization", "Basic")],
        [("Authorization", "Basic !!!")],
        [basic("no colon")],
        [basic(b"\xff\xfe:x")],
        [basic("%ff:x")],
        [basic("a\0b:x")],
        [basic("a:b"), basic("a:b")],
    ],
    ids=lambda headers: repr(headers)[:40],
)
async def test_unreadable_credentials_are_refused(worker: Worker, headers: list[tuple[str, str]]) -> None:
    """With the challenge that says how to authenticate."""
    response = await raw(worker, b"grant_type=client_credentials", *headers)
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert response.headers["www-authenticate"].startswith("Basic ")


async def test_id_and_secret_may_be_form_encoded(worker: Worker, client: tuple[str, str]) -> None:
    """RFC 6749, section 2.3.1."""
    encoded = ":".join("".join(f"%{ord(c):02X}" for c in part) for part in client)
    response = await raw(worker, b"grant_type=client_credentials", basic(encoded))
    assert response.status_code == 200


async def test_the_scheme_is_written_in_any_case(worker: Worker, client: tuple[str, str]) -> None:
    """RFC 9110, section 11.1."""
    name, value = basic(":".join(client))
    response = await raw(worker, b"grant_type=client_credentials", (name, value.replace("Basic", "bAsIc")))
    assert response.status_code == 200


async def test_credentials_in_the_body_are_refused(worker: Worker, client: tuple[str, str]) -> None:
    """Only client_secret_basic: bodies end up in logs."""
    body = f"grant_type=client_credentials&client_id={client[0]}&client_secret={quote_plus(client[1])}".encode()
    assert (await raw(worker, body)).status_code == 401
    assert (await raw(worker, body, basic(":".join(client)))).json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("body", "type_", "status"),
    [
        (b'{"grant_type": "client_credentials"}', "application/json", 400),
        (b"grant_type=client_credentials", "", 400),
        (b"grant_type=client_credentials", "multipart/form-data; boundary=x", 400),
        (b"grant_type=client_credentials&grant_type=client_credentials", FORM, 400),
        (b"scope=a&scope=b&grant_type=client_credentials", FORM, 400),
        (b"&".join(b"p%d=1" % number for number in range(50)), FORM, 400),
        (b"grant_type=\xff", FORM, 400),
        (b"grant_type=%ff", FORM, 400),
        (b"", FORM, 400),
        (b"grant_type=", FORM, 400),
        (b"x" * (MAX_BODY + 1), FORM, 413),
    ],
    ids=lambda value: repr(value)[:30],
)
async def test_a_bad_body_is_refused(
    worker: Worker, client: tuple[str, str], body: bytes, type_: str, status: int
) -> None:
    """As an error of the protocol, even with good credentials."""
    response = await raw(worker, body, basic(":".join(client)), type_=type_)
    assert (response.status_code, response.json()["error"]) == (status, "invalid_request")


@pytest.mark.parametrize("grant", ["password", "authorization_code", "refresh_token", "Client_Credentials"])
async def test_other_grants_are_not_supported(worker: Worker, client: tuple[str, str], grant: str) -> None:
    """People sign in by the API."""
    response = await ask(worker, client, grant_type=grant)
    assert (response.status_code, response.json()["error"]) == (400, "unsupported_grant_type")


async def test_a_token_is_asked_for_by_post(worker: Worker) -> None:
    """Credentials never travel in an address."""
    async with worker.http() as http:
        assert (await http.get("/oauth/token", params=GRANT)).status_code == 405


async def test_no_refusal_repeats_what_was_sent(worker: Worker, client: tuple[str, str]) -> None:
    """Planted values come back in no description."""
    for response in (
        await ask(worker, ("planted", "planted")),
        await ask(worker, client, scope="planted"),
        await ask(worker, client, purpose="planted"),
        await ask(worker, client, grant_type="planted"),
    ):
        assert response.status_code in (400, 401)
        assert "planted" not in response.text


async def test_an_absent_database_is_said_in_the_protocols_words(
    worker: Worker, client: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With when to try again."""

    async def away(*_: object, **__: object) -> None:
        raise DatabaseUnavailable

    monkeypatch.setattr(worker.database, "find_one", away)
    response = await ask(worker, client)
    assert (response.status_code, response.json()["error"]) == (503, "temporarily_unavailable")
    assert response.headers["retry-after"] == "2"


async def test_a_client_removed_while_its_token_is_made_holds_nothing(
    worker: Worker, client: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token is dated before the client was read, so the removal ends it."""
    genuine = worker.database.find_one

    async def find_one(*arguments: object, **options: object) -> object:
        row = await genuine(*arguments, **options)  # type: ignore[arg-type]  # passes on whatever came
        monkeypatch.undo()
        await worker.clients.remove(client[0])
        return row

    monkeypatch.setattr(worker.database, "find_one", find_one)
    token = (await ask(worker, client)).json()["access_token"]
    assert not (await worker.whose(token)).authenticated
