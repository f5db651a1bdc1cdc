"""Services are changed while they run: their tokens never carry more than they have."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

from auth.client_keys import read_keys
from auth.registration import Registration, scopes_of
from models.base import now
from models.client import ClientDocument, ClientSecret
from models.errors import BadInput
from models.vocabulary import Purpose
from tests.integration.identity.service_keys import ServiceKey
from tests.integration.identity.workers import Start, Worker

SCOPES, PURPOSES = ["user.name:read", "user.contact:read"], ["SUPPORT"]


async def token(worker: Worker, auth: tuple[str, str], **form: str) -> str:
    """A token of a service."""
    async with worker.http() as http:
        answer = await http.post("/oauth/token", auth=auth, data={"grant_type": "client_credentials", **form})
    return str(answer.json()["access_token"])


@pytest.mark.parametrize(
    ("changes", "narrower"),
    [
        ({"scopes": ["user.name:read"]}, True),
        ({"scopes": ["user.name:read", "user.contact.email:read"]}, True),
        ({"scopes": [*SCOPES, "user.account:read"]}, False),
        ({"scopes": ["user.name:write", "user.contact:write"]}, True),
        ({"purposes": ["LEGAL"]}, True),
        ({"purposes": ["SUPPORT", "LEGAL"]}, False),
        ({"regions": ["us"]}, True),
        ({"regions": ["eu", "us"]}, False),
        ({"name": "Other", "owner": "Somebody else", "introspects": True}, False),
    ],
    ids=str,
)
async def test_a_token_never_carries_more_than_its_client_has_now(
    worker: Worker, changes: dict[str, Any], narrower: bool
) -> None:
    """What loses anything ends its tokens; what only gains keeps them."""
    auth = await worker.clients.add("Help desk", SCOPES, PURPOSES)
    before = await token(worker, auth)
    assert await worker.clients.change(auth[0], Registration.read(**changes)) is narrower
    assert (await worker.whose(before)).authenticated is not narrower
    caller = await worker.whose(await token(worker, auth, **({"region": "us"} if changes.get("regions") else {})))
    client = await worker.clients.find(auth[0])
    assert client is not None
    assert caller.shape.scopes == scopes_of(client)
    assert caller.purposes == set(client.purposes)
    stored = {name: sorted(value) if isinstance(value, list) else value for name, value in changes.items()}
    assert {name: getattr(client, name) for name in changes} == stored


async def test_a_token_made_while_its_client_is_narrowed_is_over(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is dated before the client was read."""
    auth = await worker.clients.add("Help desk", SCOPES, PURPOSES)
    genuine = worker.clients.find

    async def find(client_id: str) -> ClientDocument | None:
        found = await genuine(client_id)
        monkeypatch.undo()
        await worker.clients.change(client_id, Registration.read(scopes=["user.name:read"]))
        return found

    monkeypatch.setattr(worker.clients, "find", find)
    assert not (await worker.whose(await token(worker, auth))).authenticated


async def test_changes_at_the_same_moment_all_count(start: Start) -> None:
    """Of two that have read the same, one begins anew."""
    one, two = await start(), await start()
    client_id, _ = await one.clients.add("Help desk", SCOPES, PURPOSES)
    await asyncio.gather(
        one.clients.change(client_id, Registration.read(name="Desk")),
        two.clients.change(client_id, Registration.read(owner="Tools")),
        one.clients.rotate(client_id, overlap=timedelta(days=1)),
    )
    client = await one.clients.find(client_id)
    assert client is not None
    assert (client.name, client.owner, len(client.secrets), client.revision) == ("Desk", "Tools", 2, 4)


async def test_a_service_keeps_something_to_prove_itself_by(worker: Worker) -> None:
    """A secret or a key."""
    client_id, secret = await worker.clients.add("Help desk", SCOPES, PURPOSES)
    keys = read_keys(ServiceKey.make().jwks(), now())
    with pytest.raises(BadInput, match="neither"):
        await worker.clients.change(client_id, Registration(), drop_secrets=True)
    assert not await worker.clients.change(client_id, Registration(), keys=keys)
    assert await worker.clients.authenticate(client_id, secret) is not None
    assert await worker.clients.change(client_id, Registration(), drop_secrets=True)
    assert await worker.clients.authenticate(client_id, secret) is None
    with pytest.raises(BadInput, match="neither"):
        await worker.clients.change(client_id, Registration(), drop_keys=True)


async def test_a_service_from_before_there_were_regions_belongs_where_it_is(worker: Worker) -> None:
    """As the demo service does; its secret has no name, and its use is noted all the same."""
    secret = ClientSecret(hash=sha256(b"s").digest())
    await worker.database.insert(
        ClientDocument(id="old", name="Old", scopes=SCOPES, purposes=[Purpose.SUPPORT], secrets=[secret])
    )
    assert (await worker.whose(await token(worker, ("old", "s")))).shape.region == "eu"
    await worker.clients.change("old", Registration.read(owner="Tools"))
    await worker.clients.close()
    found = await worker.clients.find("old")
    assert found is not None
    assert (found.owner, found.revision, found.last_used_at is not None) == ("Tools", 1, True)
