"""HashiCorp Vault's transit engine: versions of a key, refusals, and how Vault is found. The Vault is a stand-in."""

from __future__ import annotations

import pickle
import socket
import ssl
from base64 import b64decode, b64encode
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from models.crypto import vault as provider_module
from models.crypto.envelope import SealBroken
from models.crypto.roots import RootKeyMissing, RootKeysUnavailable, RootVersions, Wrapped
from models.crypto.vault import VaultTransit
from models.crypto.wrapping import KeyKind, KeyName
from models.errors import BadInput, ConfigurationError
from tests.certificates import make_certificate
from tests.integration.root_keys.fake_vault import KEY, MOUNT, TOKEN, FakeVault

NAME: Final = KeyName(KeyKind.ENCRYPTION, "eu", 1)
SECRET: Final = b"0123456789 is the key of no one."
FORBIDDEN: Final = [SECRET.decode(), b64encode(SECRET).decode(), TOKEN]


def provider(vault: FakeVault, **other: str) -> VaultTransit:
    """The provider at that Vault, with something else than usual."""
    return made({"address": vault.address, **other})


def made(given: dict[str, str], *, require_tls: bool = False) -> VaultTransit:
    """The provider with these arguments."""
    return VaultTransit(
        given.get("mount", MOUNT),
        given.get("key", KEY),
        address=given.get("address", "https://vault.example:8200"),
        token=given.get("token", TOKEN),
        namespace=given.get("namespace"),
        require_tls=require_tls,
    )


async def refused(work: VaultTransit, saying: str) -> None:
    """It says that it cannot be used, why, and nothing that is secret."""
    for asked in (work.versions(), work.wrap(NAME, SECRET), work.unwrap(NAME, Wrapped("v1", b"vault:v1:AAAA"))):
        with pytest.raises(RootKeysUnavailable, match=saying) as caught:
            await asked
        assert caught.value.__context__ is None
        assert not any(secret in str(caught.value) for secret in FORBIDDEN)


async def test_versions_of_the_key_are_the_root_keys(vault: FakeVault) -> None:
    """From the least that Vault decrypts with to the latest, which wraps."""
    work = provider(vault)
    assert await work.versions() == RootVersions("v1", ("v1",))
    assert await work.rotate() == RootVersions("v2", ("v1", "v2"))
    assert await work.rotate() == RootVersions("v3", ("v1", "v2", "v3"))
    await work.retire("v1")
    assert await work.versions() == RootVersions("v3", ("v2", "v3"))


@pytest.mark.parametrize(("name", "saying"), [("v3", "in use"), ("v2", "oldest first"), ("v9", "no such")])
async def test_what_is_not_retired(vault: FakeVault, name: str, saying: str) -> None:
    """The one in use; one before which another is alive, which would go along; one that is not there."""
    work = provider(vault)
    await work.rotate()
    before = await work.rotate()
    with pytest.raises(BadInput, match=saying):
        await work.retire(name)
    assert await work.versions() == before


async def test_vault_sees_who_asks_and_for_what(vault: FakeVault) -> None:
    """The token, the namespace, and the header that Vault's agent may ask for."""
    await provider(vault, namespace="people/eu").versions()
    [seen] = vault.seen
    assert (seen["x-vault-token"], seen["x-vault-namespace"], seen["x-vault-request"]) == (TOKEN, "people/eu", "true")


async def test_the_name_is_the_associated_data(vault: FakeVault) -> None:
    """As it is framed everywhere, or what is stored would not open."""
    work = provider(vault)
    wrapped = await work.wrap(NAME, SECRET)
    sealed = b64decode(wrapped.blob.removeprefix(b"vault:v1:"))
    data = b"\0\0\0\x0aencryption" + b"\0\0\0\x02eu" + b"\0\0\0\0" + b"\0\0\0\x04\0\0\0\x01"
    assert AESGCM(vault.keys[1]).decrypt(sealed[:12], sealed[12:], data) == SECRET


async def test_a_sealed_vault_is_said(vault: FakeVault) -> None:
    """It works again when it is unsealed."""
    vault.sealed = True
    await refused(provider(vault), "sealed")
    vault.sealed = False
    await provider(vault).versions()


async def test_a_wrong_token_is_said(vault: FakeVault) -> None:
    """Without the token."""
    await refused(provider(vault, token="hvs.another"), "token is not valid")


@pytest.mark.parametrize(("denied", "work"), [("/rotate", "rotate"), ("/config", "retire")])
async def test_a_policy_that_does_not_allow_it_is_said(vault: FakeVault, denied: str, work: str) -> None:
    """The service itself needs neither rotation nor configuration, so its token may lack them."""
    await provider(vault).rotate()
    vault.denied = frozenset({denied})
    tried = provider(vault)
    with pytest.raises(RootKeysUnavailable, match="policy"):
        await (tried.rotate() if work == "rotate" else tried.retire("v1"))
    assert (await tried.versions()).alive == ("v1", "v2")


async def test_a_key_that_is_not_there_is_said(vault: FakeVault) -> None:
    """And not made by the first wrapping; so is an engine."""
    for other in ({"key": "nobody"}, {"mount": "elsewhere"}):
        work = provider(vault, **other)
        with pytest.raises(RootKeysUnavailable, match="no such key or transit engine"):
            await work.versions()
        with pytest.raises(RootKeysUnavailable):
            await work.wrap(NAME, SECRET)


@pytest.mark.parametrize("changes", [{"cipher": "rsa-4096"}, {"cipher": "aes128-gcm96"}, {"derived": True}])
async def test_a_key_of_another_kind_is_refused(vault: FakeVault, changes: dict[str, object]) -> None:
    """It would bind nothing, be shorter than promised, or want what is not given."""
    for name, value in changes.items():
        setattr(vault, name, value)
    with pytest.raises(RootKeysUnavailable, match="aes256-gcm96"):
        await provider(vault).versions()


async def test_a_vault_that_binds_nothing_is_refused(vault: FakeVault) -> None:
    """Older ones ignore associated data, and say so."""
    vault.ignores_associated_data = True
    with pytest.raises(RootKeysUnavailable, match="Vault 1\\.13"):
        await provider(vault).wrap(NAME, SECRET)


@pytest.mark.parametrize("status", [307, 429, 500, 502])
async def test_other_answers_are_said_by_their_status(vault: FakeVault, status: int) -> None:
    """A redirection is not followed: it would take the token along."""
    vault.status = status
    await refused(provider(vault), f"status {status}")


async def test_a_version_that_is_gone_is_not_taken_for_what_was_changed(vault: FakeVault) -> None:
    """Vault answers both with one status."""
    work = provider(vault)
    wrapped = await work.wrap(NAME, SECRET)
    await work.rotate()
    with pytest.raises(SealBroken):
        await work.unwrap(replace(NAME, version=2), wrapped)
    await work.retire("v1")
    with pytest.raises(RootKeyMissing, match="v1"):
        await work.unwrap(replace(NAME, version=2), wrapped)


async def test_a_version_under_anothers_name_does_not_open(vault: FakeVault) -> None:
    """The name that is stored and the one in what Vault returned are the same."""
    work = provider(vault)
    wrapped = await work.wrap(NAME, SECRET)
    await work.rotate()
    with pytest.raises(SealBroken):
        await work.unwrap(NAME, replace(wrapped, root="v2"))


async def test_what_is_not_32_bytes_is_no_key(vault: FakeVault) -> None:
    """Somebody else may encrypt under the same key."""
    work = provider(vault)
    with pytest.raises(SealBroken):
        await work.unwrap(NAME, await work.wrap(NAME, SECRET[:-1]))


async def test_what_is_no_vault_is_said() -> None:
    """Nothing that listens."""
    await refused(
        VaultTransit(MOUNT, KEY, address="http://127.0.0.1:1", token=TOKEN, require_tls=False), "ConnectError"
    )


async def test_no_answer_is_said_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes the connection and says nothing."""
    monkeypatch.setattr(provider_module, "DEADLINE", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        await refused(made({"address": f"http://127.0.0.1:{silent.getsockname()[1]}"}), "did not answer")


async def test_the_environments_proxy_is_not_used(vault: FakeVault, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would see token and key where there is no TLS."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    await provider(vault).versions()


async def test_over_tls_with_an_authority_of_ones_own(tmp_path: Path) -> None:
    """And not without it."""
    authority = make_certificate(tmp_path / "vault.pem")
    offering = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    offering.load_cert_chain(authority)
    with FakeVault(tls=offering) as vault:
        trusting = VaultTransit(MOUNT, KEY, address=vault.address, token=TOKEN, authority=authority, require_tls=True)
        assert await trusting.unwrap(NAME, await trusting.wrap(NAME, SECRET)) == SECRET
        with pytest.raises(RootKeysUnavailable, match="ConnectError"):
            await made({"address": vault.address}, require_tls=True).versions()


@pytest.mark.parametrize(
    ("changes", "saying"),
    [
        ({"address": "http://vault.example:8200"}, "https://"),
        ({"address": "vault.example:8200"}, "VAULT_ADDR"),
        ({"address": "https://"}, "VAULT_ADDR"),
        ({"address": "https://vault.example:82000"}, "VAULT_ADDR"),
        ({"address": f"https://me:{TOKEN}@vault.example"}, "VAULT_ADDR"),
        ({"address": f"https://vault.example?token={TOKEN}"}, "VAULT_ADDR"),
        ({"token": f"{TOKEN}\r\nX-Other: 1"}, "VAULT_TOKEN"),
        ({"token": f"{TOKEN} "}, "VAULT_TOKEN"),
        ({"token": f"{TOKEN}é"}, "VAULT_TOKEN"),
        ({"namespace": "a\nb"}, "VAULT_NAMESPACE"),
    ],
)
def test_settings_that_do_not_hold_stop_the_start(changes: dict[str, str], saying: str) -> None:
    """In production, with the setting's name and without the token."""
    with pytest.raises(ConfigurationError, match=saying) as caught:
        made(changes, require_tls=True)
    assert TOKEN not in str(caught.value)


def test_an_authority_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    """A file that is not there, and one that has no certificate."""
    (tmp_path / "empty.pem").write_text("nothing")
    for name in ("missing.pem", "empty.pem"):
        with pytest.raises(ConfigurationError, match=f"VAULT_CACERT.*{name}"):
            VaultTransit(
                MOUNT, KEY, address="https://vault.example", token=TOKEN, authority=tmp_path / name, require_tls=True
            )


def test_it_prints_nothing() -> None:
    """Nor does it go into a cache or a queue."""
    assert repr(made({})) == "VaultTransit()"
    with pytest.raises(TypeError, match="not copied or pickled"):
        pickle.dumps(made({}))
