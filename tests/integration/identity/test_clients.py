"""Services: registered, rotated, removed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from auth.clients import scopes_of
from auth.principal import Scope
from models.client import ClientDocument
from models.errors import BadInput, DatabaseUnavailable
from models.vocabulary import Purpose
from tests.integration.identity.workers import Clock, Worker

SCOPES, PURPOSES = ["user.name:read", "user.contact:read"], ["SUPPORT"]


async def test_a_service_authenticates_with_the_secret_it_was_given(worker: Worker) -> None:
    """And holds the scopes and purposes it was registered with."""
    client_id, secret = await worker.clients.add("Help desk", SCOPES, PURPOSES)
    client = await worker.clients.authenticate(client_id, secret)
    assert client is not None
    assert scopes_of(client) == {Scope.parse(scope) for scope in SCOPES}
    assert client.purposes == [Purpose.SUPPORT]


@pytest.mark.parametrize("secret", ["", "x", "\ud800", "\0", "x" * 100_000], ids=lambda text: ascii(text)[:8])
async def test_another_secret_or_service_is_refused(worker: Worker, secret: str) -> None:
    """Nor does the right secret fit another id."""
    client_id, right = await worker.clients.add("Help desk", SCOPES, PURPOSES)
    assert await worker.clients.authenticate(client_id, secret) is None
    assert await worker.clients.authenticate("cli_eu_unknown", right) is None
    assert await worker.clients.authenticate("cli_eu_unknown", secret) is None


async def test_the_secret_is_not_stored(worker: Worker) -> None:
    """Only its hash is."""
    _, secret = await worker.clients.add("Help desk", SCOPES, PURPOSES)
    assert secret not in repr(await worker.database.find(ClientDocument, {}))


@pytest.mark.parametrize(
    ("name", "scopes", "purposes", "path"),
    [
        ("", SCOPES, PURPOSES, "name"),
        ("x" * 101, SCOPES, PURPOSES, "name"),
        ("a\nb", SCOPES, PURPOSES, "name"),
        ("ok", [], PURPOSES, "scopes"),
        ("ok", ["user.contact"], PURPOSES, "scopes"),
        ("ok", ["user.contact:own"], PURPOSES, "scopes"),
        ("ok", ["user.shoe_size:read"], PURPOSES, "scopes"),
        ("ok", ["user.authorization.password:read"], PURPOSES, "scopes"),
        ("ok", SCOPES, [], "purposes"),
        ("ok", SCOPES, ["FUN"], "purposes"),
        ("ok", SCOPES, ["EMERGENCY"], "purposes"),
    ],
)
async def test_a_bad_registration_says_what_is_wrong(
    worker: Worker, name: str, scopes: list[str], purposes: list[str], path: str
) -> None:
    """And registers nothing."""
    with pytest.raises(BadInput) as refused:
        await worker.clients.add(name, scopes, purposes)
    assert refused.value.path == (path,)
    assert await worker.clients.list() == []


async def test_the_purposes_that_are_named_can_be_had(worker: Worker) -> None:
    """A service may be registered with all of them; an emergency is not among them."""
    with pytest.raises(BadInput) as refused:
        await worker.clients.add("ok", SCOPES, ["FUN"])
    named = refused.value.message.removeprefix("The purposes are ").removesuffix(".").split(", ")
    assert set(named) == set(Purpose) - {Purpose.EMERGENCY}
    await worker.clients.add("ok", SCOPES, named)


async def test_rotation_replaces_the_secret_and_ends_the_tokens(worker: Worker) -> None:
    """As for a secret that leaked."""
    client_id, old = await worker.clients.add("Help desk", SCOPES, PURPOSES)
    async with worker.http() as http:
        token = (
            await http.post("/oauth/token", auth=(client_id, old), data={"grant_type": "client_credentials"})
        ).json()
        new = await worker.clients.rotate(client_id)
        assert await worker.clients.authenticate(client_id, old) is None
        assert await worker.clients.authenticate(client_id, new) is not None
        assert not (await worker.whose(token["access_token"])).authenticated
        again = await http.post("/oauth/token", auth=(client_id, new), data={"grant_type": "client_credentials"})
        assert (await worker.whose(again.json()["access_token"])).authenticated


async def test_rotation_with_overlap_lets_the_old_secret_run_out(worker: Worker, clock: Clock) -> None:
    """Both hold for that time."""
    client_id, old = await worker.clients.add("Help desk", SCOPES, PURPOSES)
    new = await worker.clients.rotate(client_id, overlap=timedelta(hours=1))
    assert await worker.clients.authenticate(client_id, old) is not None
    clock.ahead = timedelta(hours=1, seconds=1)
    assert await worker.clients.authenticate(client_id, old) is None
    assert await worker.clients.authenticate(client_id, new) is not None


async def test_a_third_secret_ends_the_oldest(worker: Worker) -> None:
    """At most two hold, however long the overlap."""
    client_id, first = await worker.clients.add("Help desk", SCOPES, PURPOSES)
    second = await worker.clients.rotate(client_id, overlap=timedelta(days=1))
    third = await worker.clients.rotate(client_id, overlap=timedelta(days=9))
    assert await worker.clients.authenticate(client_id, first) is None
    assert await worker.clients.authenticate(client_id, second) is not None
    assert await worker.clients.authenticate(client_id, third) is not None


async def test_rotation_does_not_prolong_a_secret(worker: Worker, clock: Clock) -> None:
    """One that ends in an hour ends then, whatever the overlap."""
    client_id, old = await worker.clients.add("Help desk", SCOPES, PURPOSES, lifetime=timedelta(hours=1))
    new = await worker.clients.rotate(client_id, overlap=timedelta(hours=9), lifetime=timedelta(hours=2))
    clock.ahead = timedelta(hours=1, seconds=1)
    assert await worker.clients.authenticate(client_id, old) is None
    assert await worker.clients.authenticate(client_id, new) is not None
    clock.ahead = timedelta(hours=2, seconds=1)
    assert await worker.clients.authenticate(client_id, new) is None


async def test_a_removed_service_is_gone_with_its_tokens(worker: Worker) -> None:
    """Its secret no longer holds, it is not listed, and what it still has in hand is refused."""
    client_id, secret = await worker.clients.add("Help desk", SCOPES, PURPOSES)
    async with worker.http() as http:
        token = await http.post("/oauth/token", auth=(client_id, secret), data={"grant_type": "client_credentials"})
    assert (await worker.whose(token.json()["access_token"])).authenticated
    await worker.clients.remove(client_id)
    assert await worker.clients.authenticate(client_id, secret) is None
    assert await worker.clients.list() == []
    assert not (await worker.whose(token.json()["access_token"])).authenticated


async def test_what_is_not_there_is_neither_rotated_nor_removed(worker: Worker) -> None:
    """Also not twice."""
    client_id, _ = await worker.clients.add("Help desk", SCOPES, PURPOSES)
    await worker.clients.remove(client_id)
    for unknown in (client_id, "cli_eu_unknown"):
        with pytest.raises(BadInput):
            await worker.clients.remove(unknown)
        with pytest.raises(BadInput):
            await worker.clients.rotate(unknown)


async def test_the_last_use_is_noted_once_a_minute(worker: Worker, clock: Clock) -> None:
    """Not at each request."""
    client_id, secret = await worker.clients.add("Help desk", SCOPES, PURPOSES)

    async def used() -> object:
        await worker.clients.authenticate(client_id, secret)
        await worker.clients.close()
        return (await worker.clients.list())[0].last_used_at

    first = await used()
    clock.ahead = timedelta(seconds=50)
    assert first is not None
    assert await used() == first
    clock.ahead = timedelta(seconds=70)
    assert await used() != first


async def test_a_use_that_cannot_be_noted_is_still_a_use(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    """The note is written beside the request, and its failure is not the caller's."""
    client_id, secret = await worker.clients.add("Help desk", SCOPES, PURPOSES)

    async def away(*_: object, **__: object) -> int:
        raise DatabaseUnavailable

    monkeypatch.setattr(worker.database, "update_one", away)
    assert await worker.clients.authenticate(client_id, secret) is not None
    await worker.clients.close()
