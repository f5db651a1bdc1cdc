"""What `FIELDWARD_KEYRING` may say."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from models.crypto import kms
from models.crypto.keyring import KeyringFile
from models.crypto.providers import root_keys
from models.crypto.roots import RootKeys
from models.crypto.vault import VaultTransit
from models.errors import ConfigurationError

VAULT: Final = {"VAULT_ADDR": "https://vault.example:8200", "VAULT_TOKEN": "hvs.the-token-of-no-one"}
ARN: Final = "arn:aws:kms:eu-central-1:123456789012"
UUID: Final = "11111111-2222-4333-8444-555555555555"


def made(keyring: str, environment: Mapping[str, str] = {}, *, production: bool = True) -> RootKeys:
    """The provider, with a data folder that is not there."""
    return root_keys(keyring, data_dir=Path("/nowhere/data"), environment=environment, production=production)


@pytest.mark.parametrize("path", ["/etc/fieldward/root.json", "keys/root.json", "root.json", "./a:b"])
def test_a_path_is_a_file(path: str) -> None:
    """It is neither read nor made yet."""
    assert isinstance(made(path), KeyringFile)


def test_a_path_in_the_data_folder_is_refused_when_it_is_used() -> None:
    """The data folder comes along."""
    provider = made("/nowhere/data/root.json")
    assert isinstance(provider, KeyringFile)
    with pytest.raises(ConfigurationError, match="inside the data folder"):
        provider.load()


@pytest.mark.parametrize(
    "key",
    [UUID, f"mrk-{'0' * 32}", "alias/fieldward", "alias/people/eu", f"{ARN}:key/{UUID}", f"{ARN}:alias/fieldward"],
)
def test_keys_of_aws(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By each of the ways to name one that KMS knows; production wants TLS."""
    asked: list[tuple[str, bool]] = []
    monkeypatch.setattr(kms, "AwsKms", lambda key, *, require_tls: asked.append((key, require_tls)))
    for production in (True, False):
        made(f"aws-kms://{key}", production=production)
    assert asked == [(key, True), (key, False)]


@pytest.mark.parametrize("place", ["transit/fieldward", "team/transit/fieldward", "a.b-c_d/e.f"])
def test_keys_of_vault(place: str) -> None:
    """The last part is the key, what is before it the engine."""
    assert isinstance(made(f"vault://{place}", VAULT), VaultTransit)


@pytest.mark.parametrize(
    "keyring",
    [
        *(
            "",
            " ",
            "file:///etc/root.json",
            "gcp-kms://x",
            "aws-kms:key",
            "aws-kms:/key",
            "AWS-KMS://key",
            "Vault://a/b",
        ),
        *("aws-kms://", "aws-kms://alias/", "aws-kms://a b", "aws-kms://key?x=1", f"aws-kms://{ARN}", "aws-kms://../x"),
        *("vault://", "vault:transit/key", "vault://transit", "vault://transit/", "vault:///key", "vault://a/../key"),
        *(
            "vault://a//key",
            "vault://a/key?x=1",
            "vault://a/key#x",
            "vault://a/ke y",
            "vault://a/key\n",
            "aws-kms://k\n",
        ),
    ],
)
def test_anything_else_is_refused(keyring: str) -> None:
    """The setting is named. A slip of the pen never becomes a file of that name."""
    with pytest.raises(ConfigurationError, match="FIELDWARD_KEYRING"):
        made(keyring, VAULT)


@pytest.mark.parametrize("missing", ["VAULT_ADDR", "VAULT_TOKEN"])
def test_vault_needs_an_address_and_a_token(missing: str) -> None:
    """An empty one is none."""
    with pytest.raises(ConfigurationError, match=f"FIELDWARD_KEYRING.*{missing}"):
        made("vault://transit/fieldward", {**VAULT, missing: ""})


def test_production_wants_tls_of_vault() -> None:
    """Development does not."""
    plain = {**VAULT, "VAULT_ADDR": "http://127.0.0.1:8200"}
    made("vault://transit/fieldward", plain, production=False)
    with pytest.raises(ConfigurationError, match="https://"):
        made("vault://transit/fieldward", plain)


def test_vaults_other_names_are_read(tmp_path: Path) -> None:
    """The authority and the namespace: each is refused where it does not hold."""
    with pytest.raises(ConfigurationError, match="VAULT_CACERT"):
        made("vault://transit/fieldward", {**VAULT, "VAULT_CACERT": str(tmp_path / "missing.pem")})
    with pytest.raises(ConfigurationError, match="VAULT_NAMESPACE"):
        made("vault://transit/fieldward", {**VAULT, "VAULT_NAMESPACE": "a b"})


def test_without_aws_library_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    for name in [name for name in sys.modules if name.startswith(("boto3", "models.crypto.kms"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(ConfigurationError, match=r"FIELDWARD_KEYRING.*pip install 'fieldward\[aws\]'"):
        made("aws-kms://alias/fieldward")
