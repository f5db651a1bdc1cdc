"""Installations of each provider of root keys, ready to be used."""

from __future__ import annotations

import logging
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from moto.server import ThreadedMotoServer

from models.crypto.keyring import KeyringFile
from models.crypto.providers import root_keys
from models.crypto.roots import RootKeys
from tests.integration.root_keys.aws import (
    ACCOUNT,
    REGION,
    SECRET,
    Administration,
    Refusing,
    administration,
    delete,
    new_key,
)
from tests.integration.root_keys.fake_vault import KEY, MOUNT, TOKEN, FakeVault

ALIAS: Final = "alias/fieldward"
NOBODY: Final = "http://127.0.0.1:1"  # a port that nothing listens on


@dataclass
class Installation:
    """A provider, and what its operators do: elsewhere than here, where it is administered elsewhere."""

    provider: RootKeys
    rotate: Callable[[], Awaitable[object]]
    retire: Callable[[str], Awaitable[object]]
    unknown: str  # the name of a root key that it might have had, and has not
    down: Callable[[], RootKeys]  # the same provider, when it cannot be reached


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """The address of moto's server."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def aws(moto: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[pytest.MonkeyPatch]:
    """An environment in which AWS's library finds moto's server and nothing else."""
    nothing = str(tmp_path_factory.getbasetemp() / "no-such-file")
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {
            "AWS_ENDPOINT_URL": moto,
            "AWS_ACCESS_KEY_ID": "service",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": nothing,
            "AWS_SHARED_CREDENTIALS_FILE": nothing,
            "AWS_EC2_METADATA_DISABLED": "true",
        }.items():
            environment.setenv(name, value)
        environment.delenv("AWS_PROFILE", raising=False)
        yield environment


@pytest.fixture(scope="session")
def kms(aws: pytest.MonkeyPatch, moto: str) -> Administration:
    """KMS, for its administrators."""
    return administration(moto)


@pytest.fixture(scope="session")
def kms_provider(kms: Administration, tmp_path_factory: pytest.TempPathFactory) -> RootKeys:
    """The provider by the key that `ALIAS` points to; once, for making one takes a quarter of a second."""
    kms.create_alias(AliasName=ALIAS, TargetKeyId=new_key(kms))
    return provider_of(f"aws-kms://{ALIAS}", tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def refusing() -> Iterator[Refusing]:
    """Another KMS, which refuses all."""
    with Refusing() as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def vault() -> Iterator[FakeVault]:
    """A Vault with one key of one version."""
    with FakeVault() as server:
        yield server


def provider_of(keyring: str, folder: Path, **environment: str) -> RootKeys:
    """As the settings make it in development."""
    return root_keys(keyring, data_dir=folder / "data", environment=environment, production=False)


def vault_at(address: str, folder: Path) -> RootKeys:
    """The provider by Vault there."""
    return provider_of(f"vault://{MOUNT}/{KEY}", folder, VAULT_ADDR=address, VAULT_TOKEN=TOKEN)


@pytest.fixture
def file_installation(tmp_path: Path) -> Installation:
    """The local file."""
    provider = provider_of(str(tmp_path / "keys" / "root.json"), tmp_path)
    assert isinstance(provider, KeyringFile)
    provider.load_or_create()

    def down() -> RootKeys:
        (tmp_path / "keys" / "root.json").unlink()
        return provider

    return Installation(provider, provider.rotate, provider.retire, "7-00000000", down)


@pytest.fixture
def vault_installation(tmp_path: Path, vault: FakeVault) -> Installation:
    """Vault's transit engine."""
    provider = vault_at(vault.address, tmp_path)
    return Installation(provider, provider.rotate, provider.retire, "v7", lambda: vault_at(NOBODY, tmp_path))


@pytest.fixture
def kms_installation(
    tmp_path: Path, kms: Administration, kms_provider: RootKeys, monkeypatch: pytest.MonkeyPatch
) -> Installation:
    """AWS KMS, with an alias that its administrators let point to another key."""

    async def rotate() -> None:
        kms.update_alias(AliasName=ALIAS, TargetKeyId=new_key(kms))

    async def retire(arn: str) -> None:
        delete(arn)

    def down() -> RootKeys:
        monkeypatch.setenv("AWS_ENDPOINT_URL", NOBODY)
        return provider_of(f"aws-kms://{ALIAS}", tmp_path)

    unknown = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-4000-8000-000000000000"
    return Installation(kms_provider, rotate, retire, unknown, down)


@pytest.fixture(params=["file", "kms", "vault"])
def installation(request: pytest.FixtureRequest) -> Installation:
    """Each of them, for what all have to do."""
    made: Installation = request.getfixturevalue(f"{request.param}_installation")
    return made
