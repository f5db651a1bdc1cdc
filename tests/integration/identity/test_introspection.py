"""`/oauth/revoke` (RFC 7009) and `/oauth/introspect` (RFC 7662): of one's own tokens, never without a credential."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from models.database import Database
from models.errors import DatabaseUnavailable
from tests.integration.identity.workers import ISSUER, Clock, Person, Start, Worker

Auth = tuple[str, str]
SCOPES, PURPOSES = ["user.contact:read"], ["SUPPORT"]


@pytest.fixture
def any_database(memory_database: Database) -> Database:
    """In memory: this is about what is asked and answered."""
    return memory_database


@pytest.fixture
async def service(worker: Worker) -> Auth:
    """A service like any other."""
    return await worker.clients.add("Mailer", SCOPES, PURPOSES)


@pytest.fixture
async def gateway(worker: Worker) -> Auth:
    """One that may ask about tokens of others."""
    return await worker.clients.add("Gateway", SCOPES, PURPOSES, introspects=True)


async def post(worker: Worker, path: str, auth: Auth | None, **form: str) -> httpx.Response:
    """One request to an endpoint."""
    async with worker.http() as http:
        return await http.post(f"/oauth/{path}", auth=auth or httpx.USE_CLIENT_DEFAULT, data=form)


async def token(worker: Worker, auth: Auth) -> str:
    """A token of a service."""
    answer = await post(worker, "token", auth, grant_type="client_credentials")
    return str(answer.json()["access_token"])


async def test_a_service_is_told_what_its_token_says(worker: Worker, service: Auth) -> None:
    """All of it, and the answer is not kept anywhere."""
    response = await post(worker, "introspect", service, token=await token(worker, service))
    said = response.json()
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")
    assert (said["active"], said["token_type"], said["kind"]) == (True, "Bearer", "SERVICE")
    assert (said["sub"], said["client_id"], said["iss"]) == (service[0], service[0], ISSUER)
    assert (said["scope"], said["purpose"], said["region"]) == ("user.contact:read", "SUPPORT", "eu")
    assert said["exp"] - said["iat"] == 600
    assert said["jti"].startswith("tok_")
    assert "roles" not in said


async def test_of_others_only_those_are_told_who_are_registered_for_it(
    worker: Worker, service: Auth, gateway: Auth
) -> None:
    """To the rest a token of others is like none."""
    own, other = await token(worker, service), await token(worker, gateway)
    assert (await post(worker, "introspect", service, token=other)).json() == {"active": False}
    assert (await post(worker, "introspect", gateway, token=own)).json()["client_id"] == service[0]


async def test_a_persons_token_shows_its_roles_to_whom_it_may(
    worker: Worker, service: Auth, gateway: Auth, person: Person
) -> None:
    """How the person has proven themself too."""
    identifier = await person(roles=[])
    session = await worker.sign_in()
    said = (await post(worker, "introspect", gateway, token=session.access_token)).json()
    assert (said["active"], said["sub"], said["kind"], said["roles"]) == (True, identifier, "PERSON", [])
    assert (said["amr"], said["client_id"]) == (["pwd"], "fieldward")
    assert (await post(worker, "introspect", service, token=session.access_token)).json() == {"active": False}


@pytest.mark.parametrize("text", ["x", "a.b.c", "x" * 9_000, "é", "\0", "%00"])
async def test_what_is_no_token_is_not_active(worker: Worker, gateway: Auth, text: str) -> None:
    """And ends without an error when it is revoked (RFC 7009, section 2.2)."""
    assert (await post(worker, "introspect", gateway, token=text)).json() == {"active": False}
    assert (await post(worker, "revoke", gateway, token=text)).status_code == 200


async def test_what_is_over_is_not_active(worker: Worker, service: Auth, clock: Clock) -> None:
    """By time, or by the removal of what it was for."""
    text = await token(worker, service)
    clock.ahead = timedelta(minutes=11)
    assert (await post(worker, "introspect", service, token=text)).json() == {"active": False}


async def test_a_revoked_token_is_refused_everywhere(start: Start) -> None:
    """That one, and not the others of the same service."""
    one, two = await start(), await start()
    service = await one.clients.add("Mailer", SCOPES, PURPOSES)
    ended, other = await token(one, service), await token(one, service)
    assert (await two.whose(ended)).authenticated
    response = await post(one, "revoke", service, token=ended, token_type_hint="access_token")
    assert (response.status_code, response.content, response.headers["cache-control"]) == (200, b"", "no-store")
    await two.revocations._fetch()
    for worker in (one, two):
        assert not (await worker.whose(ended)).authenticated
        assert (await worker.whose(other)).authenticated
        assert (await post(worker, "introspect", service, token=ended)).json() == {"active": False}
    assert (await post(one, "revoke", service, token=ended)).status_code == 200


async def test_a_token_that_is_dated_ahead_is_revoked_all_the_same(worker: Worker, service: Auth, clock: Clock) -> None:
    """As after a revocation by a process whose clock is ahead."""
    clock.ahead = timedelta(seconds=2)
    await worker.revocations.revoke(service[0])
    clock.ahead = timedelta(0)
    text = await token(worker, service)
    assert (await worker.whose(text)).authenticated
    await post(worker, "revoke", service, token=text)
    assert not (await worker.whose(text)).authenticated


async def test_nobody_revokes_what_is_anothers(worker: Worker, service: Auth, gateway: Auth, person: Person) -> None:
    """Neither of a service nor of a person, whatever it may ask about (RFC 7009, section 2.1)."""
    await person()
    for text in (await token(worker, service), (await worker.sign_in()).access_token):
        response = await post(worker, "revoke", gateway, token=text)
        assert (response.status_code, response.json()["error"]) == (400, "unauthorized_client")
        assert (await worker.whose(text)).authenticated


@pytest.mark.parametrize("path", ["revoke", "introspect"])
async def test_both_ask_for_a_credential_and_a_token(worker: Worker, service: Auth, path: str) -> None:
    """With the errors of RFC 6749, section 5.2. A token is no credential here."""
    text = await token(worker, service)
    for auth in (None, (service[0], "wrong"), ("cli_eu_unknown", "x")):
        response = await post(worker, path, auth, token=text)
        assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
        assert response.headers["www-authenticate"].startswith("Basic ")
    for form in ({}, {"token": ""}, {"tokens": text}):
        response = await post(worker, path, service, **form)
        assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
    async with worker.http() as http:
        assert (await http.get(f"/oauth/{path}", auth=service, params={"token": text})).status_code == 405
        bearer = {"Authorization": f"Bearer {text}"}
        assert (await http.post(f"/oauth/{path}", headers=bearer, data={"token": text})).status_code == 401


async def test_what_cannot_be_known_is_not_told(worker: Worker, service: Auth, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the database no token is called active, and none revoked."""
    text = await token(worker, service)

    async def away(*_: object, **__: object) -> None:
        raise DatabaseUnavailable

    monkeypatch.setattr(worker.database, "update_one", away)
    assert (await post(worker, "revoke", service, token=text)).status_code == 503
    monkeypatch.setattr(worker.revocations, "is_revoked", away)
    response = await post(worker, "introspect", service, token=text)
    assert (response.status_code, response.json()["error"]) == (503, "temporarily_unavailable")
