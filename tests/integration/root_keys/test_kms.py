"""AWS KMS: what it refuses, and what is left to its administrators."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from models.crypto.envelope import SealBroken
from models.crypto.kms import AwsKms
from models.crypto.roots import RootKeyMissing, RootKeys, RootKeysUnavailable, Wrapped
from models.crypto.wrapping import KeyKind, KeyName
from models.errors import BadInput
from tests.integration.root_keys.aws import Refusing

NAME: Final = KeyName(KeyKind.ENCRYPTION, "eu", 1)
KEY: Final = b"0123456789 is the key of no one."
ROOT: Final = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-4333-8444-555555555555"


@pytest.fixture(scope="module")
def refused(aws: pytest.MonkeyPatch, refusing: Refusing) -> AwsKms:
    """A provider that gets nothing but refusals; once, for making one takes a quarter of a second."""
    with aws.context() as elsewhere:
        elsewhere.setenv("AWS_ENDPOINT_URL", refusing.address)
        return AwsKms(ROOT, require_tls=False)


async def test_which_key_wraps_is_configured(kms_provider: RootKeys) -> None:
    """Rotation and retirement say what to do at KMS instead; nothing changes."""
    before = await kms_provider.versions()
    with pytest.raises(BadInput, match="FIELDWARD_KEYRING"):
        await kms_provider.rotate()
    with pytest.raises(BadInput, match="disable"):
        await kms_provider.retire(before.current)
    assert await kms_provider.versions() == before


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("InvalidCiphertextException", SealBroken),
        ("IncorrectKeyException", SealBroken),
        ("DisabledException", RootKeyMissing),
        ("NotFoundException", RootKeyMissing),
        ("AccessDeniedException", RootKeysUnavailable),
        ("ExpiredTokenException", RootKeysUnavailable),
        ("KMSInvalidStateException", RootKeysUnavailable),
        ("KMSInternalException", RootKeysUnavailable),
        ("what was sent", RootKeysUnavailable),
    ],
)
async def test_refusals_of_unwrapping(
    refusing: Refusing, refused: AwsKms, code: str, expected: type[Exception]
) -> None:
    """What was changed, what is gone and what cannot be used now are three things. None repeats KMS's message."""
    refusing.code = code
    with pytest.raises(expected) as caught:
        await refused.unwrap(NAME, Wrapped(ROOT, b"blob"))
    assert caught.value.__context__ is None
    assert "was sent" not in str(caught.value)


@pytest.mark.parametrize("code", ["AccessDeniedException", "DisabledException", "NotFoundException"])
async def test_refusals_of_wrapping(refusing: Refusing, refused: AwsKms, code: str) -> None:
    """Without the key in use nothing can be done; the key is named."""
    refusing.code = code
    for work in (refused.wrap(NAME, KEY), refused.versions()):
        with pytest.raises(RootKeysUnavailable, match=ROOT):
            await work


@pytest.mark.parametrize(("owner", "more"), [("", {}), ("usr_eu_1", {"fieldward:owner": "usr_eu_1"})])
async def test_the_name_is_the_encryption_context(
    refusing: Refusing, refused: AwsKms, owner: str, more: dict[str, str]
) -> None:
    """In these words, or what is stored would not open; KMS takes no empty values."""
    refusing.code = "AccessDeniedException"
    context = {"fieldward:kind": "encryption", "fieldward:region": "eu", "fieldward:version": "1", **more}
    name = replace(NAME, owner=owner)
    for work in (refused.wrap(name, KEY), refused.unwrap(name, Wrapped(ROOT, b"blob"))):
        with pytest.raises(RootKeysUnavailable):
            await work
        assert refusing.asked[-1]["EncryptionContext"] == context


@pytest.mark.parametrize("root", ["1-c5b2fe01", "v1", f"{ROOT}?", ROOT.replace("eu-central-1", "evil.example/")])
async def test_what_names_no_key_of_aws_is_not_asked_for(
    refusing: Refusing, refused: AwsKms, monkeypatch: pytest.MonkeyPatch, root: str
) -> None:
    """It is that of another provider, or somebody made it up."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", refusing.address)
    refusing.asked.clear()
    with pytest.raises(RootKeyMissing):
        await refused.unwrap(NAME, Wrapped(root, b"blob"))
    assert refusing.asked == []


def test_it_prints_nothing(kms_provider: RootKeys) -> None:
    """Neither key nor credentials."""
    assert repr(kms_provider) == "AwsKms()"
