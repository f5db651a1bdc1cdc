"""Whoever cannot be signed in costs the same work, whatever the reason."""

from __future__ import annotations

from typing import Any

import pytest
from beanie import Document
from pwdlib.hashers.argon2 import Argon2Hasher

from models.keystore.documents import DataKeyDocument
from models.vocabulary import UserStatus
from tests.integration.identity.workers import PASSWORD, Person, Worker
from tests.stores import keys_of


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The costs of all hashes that were verified, as their text names them."""
    seen: list[str] = []
    real = Argon2Hasher.verify

    def verify(self: Argon2Hasher, password: str | bytes, hash: str | bytes) -> bool:  # noqa: A002 - pwdlib's own
        seen.append(str(hash).split("$")[3])
        return real(self, password, hash)

    monkeypatch.setattr(Argon2Hasher, "verify", verify)
    return seen


async def test_one_hash_of_the_same_cost_whoever_it_is(worker: Worker, person: Person, hashes: list[str]) -> None:
    """A wrong password, nobody of that name, no name at all, no password, a foreign hash, a suspended account."""
    await person("Alice")
    await person("Bare", password=None)
    await person("Foreign", password=None, password_hash="$pbkdf2$not$ours")
    await person("Gone", status=UserStatus.SUSPENDED)
    hashes.clear()
    logins = [("alice", "wrong"), ("nobody", "wrong"), ("no name at all \0", "wrong"), ("a@people.example", "wrong")]
    logins += [("bare", "wrong"), ("foreign", "wrong"), ("gone", PASSWORD), ("gone", "wrong"), ("alice", "x" * 5000)]
    for login, password in logins:
        before = len(hashes)
        assert await worker.sessions.sign_in(login, password, ip=None, device=None) is None
        assert len(hashes) - before == 1, login
    assert len(set(hashes)) == 1


async def test_one_look_for_a_key_whoever_it_is(
    worker: Worker, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also the second time, when the key of somebody who is there would be at hand."""
    await person("Alice")
    await person("Bare", password=None)
    store, asked = keys_of(worker.database).database, []
    real = store.find

    async def find(document: type[Document], *arguments: Any, **options: Any) -> list[Any]:  # noqa: ANN401 - as the real one
        if document is DataKeyDocument:
            asked.append(document)
        return await real(document, *arguments, **options)

    monkeypatch.setattr(store, "find", find)
    for login in ("alice", "alice", "bare", "nobody", "nobody", "alice@people.example"):
        before = len(asked)
        await worker.sessions.sign_in(login, "wrong", ip=None, device=None)
        assert len(asked) - before == 1, login
