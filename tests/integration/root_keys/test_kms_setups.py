"""AWS KMS: its keys and their states, and how AWS is found. Each makes a provider of its own, which takes a while."""

from __future__ import annotations

import socket
from typing import Final

import pytest

from models.crypto import kms as provider_module
from models.crypto.kms import AwsKms
from models.crypto.roots import RootKeysUnavailable
from models.crypto.wrapping import KeyKind, KeyName
from models.errors import ConfigurationError
from tests.integration.root_keys.aws import Administration, administration, new_key
from tests.integration.root_keys.conftest import NOBODY

NAME: Final = KeyName(KeyKind.ENCRYPTION, "eu", 1)
KEY: Final = b"0123456789 is the key of no one."
ROOT: Final = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-4333-8444-555555555555"

pytestmark = pytest.mark.slow


async def test_a_key_is_named_by_its_arn(kms: Administration) -> None:
    """Also when it is configured by its id."""
    arn = new_key(kms)
    provider = AwsKms(arn.rpartition("/")[2], require_tls=False)
    versions = await provider.versions()
    assert (versions.current, versions.alive) == (arn, (arn,))
    assert (await provider.wrap(NAME, KEY)).root == arn


async def test_an_earlier_key_of_another_region_unwraps(kms: Administration, moto: str) -> None:
    """It is asked where its ARN says it is, whatever is configured now and without a region in the environment."""
    first = new_key(kms)
    wrapped = await AwsKms(first, require_tls=False).wrap(NAME, KEY)
    second = new_key(administration(moto, "eu-west-1"))
    provider = AwsKms(second, require_tls=False)
    assert (await provider.wrap(NAME, KEY)).root == second
    assert await provider.unwrap(NAME, wrapped) == KEY


@pytest.mark.parametrize(
    ("ending", "state"), [("disable_key", "Disabled"), ("schedule_key_deletion", "PendingDeletion")]
)
async def test_a_key_that_wraps_no_longer_is_said(kms: Administration, ending: str, state: str) -> None:
    """When the provider is looked at, as at the start, and not only when it is needed."""
    arn = new_key(kms)
    provider = AwsKms(arn, require_tls=False)
    getattr(kms, ending)(KeyId=arn.rpartition("/")[2])
    with pytest.raises(RootKeysUnavailable, match=state):
        await provider.versions()


async def test_a_key_for_something_else_is_said(kms: Administration) -> None:
    """KMS has keys for signatures, too."""
    arn = new_key(kms, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    with pytest.raises(RootKeysUnavailable, match="not a symmetric one"):
        await AwsKms(arn, require_tls=False).versions()


async def test_no_credentials_are_said(kms: Administration, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name that AWS's library has for it."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(RootKeysUnavailable, match="NoCredentialsError"):
        await AwsKms(ROOT, require_tls=False).versions()


async def test_no_answer_is_said_in_time(aws: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setattr(provider_module, "DEADLINE", 0.05)
        with pytest.raises(RootKeysUnavailable, match="did not answer"):
            await AwsKms(ROOT, require_tls=False).versions()


@pytest.mark.usefixtures("aws")
def test_production_wants_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an endpoint that is not AWS's own, too."""
    with pytest.raises(ConfigurationError, match="AWS_ENDPOINT_URL"):
        AwsKms(ROOT, require_tls=True)
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    AwsKms(ROOT, require_tls=True)


@pytest.mark.usefixtures("aws")
def test_a_key_without_its_region_needs_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ARN has it."""
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    AwsKms(ROOT, require_tls=False)
    with pytest.raises(ConfigurationError, match="AWS_DEFAULT_REGION"):
        AwsKms("alias/fieldward", require_tls=False)


@pytest.mark.usefixtures("aws")
def test_a_profile_that_is_not_there_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """As any setting that does not hold."""
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(ConfigurationError, match="ProfileNotFound"):
        AwsKms(ROOT, require_tls=False)


async def test_nothing_listening_is_said(aws: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the key and the reason, for operators."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", NOBODY)
    with pytest.raises(RootKeysUnavailable, match=f"AWS KMS.*{ROOT}.*EndpointConnectionError") as caught:
        await AwsKms(ROOT, require_tls=False).wrap(NAME, KEY)
    assert caught.value.__context__ is None
