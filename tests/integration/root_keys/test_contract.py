"""What every provider of root keys does, wherever it keeps them."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from io import StringIO
from typing import Final

import pytest

from graph import logs
from models.crypto.envelope import SealBroken
from models.crypto.roots import RootKeyMissing, RootKeysUnavailable, Wrapped
from models.crypto.wrapping import KeyKind, KeyName
from models.errors import BadInput
from tests.integration.root_keys.conftest import Installation

NAME: Final = KeyName(KeyKind.ENCRYPTION, "eu", 1)
SECRET: Final = b"0123456789 is the key of no one."


async def test_what_was_wrapped_is_unwrapped(installation: Installation) -> None:
    """By the root key in use, whose name is stored with it; wrapped twice it is not the same."""
    provider = installation.provider
    wrapped, again = await provider.wrap(NAME, SECRET), await provider.wrap(NAME, SECRET)
    assert wrapped.root == again.root == (await provider.versions()).current
    assert wrapped.blob != again.blob
    assert SECRET not in wrapped.blob
    assert [await provider.unwrap(NAME, each) for each in (wrapped, again)] == [SECRET, SECRET]


@pytest.mark.parametrize(
    "name",
    [
        replace(NAME, version=2),
        replace(NAME, region="us"),
        replace(NAME, kind=KeyKind.INDEX),
        replace(NAME, owner="usr_eu_1"),
    ],
    ids=["version", "region", "kind", "owner"],
)
async def test_under_another_name_it_does_not_open(installation: Installation, name: KeyName) -> None:
    """Each part of the name is bound, so a key does not become another by being moved in the key store."""
    wrapped = await installation.provider.wrap(NAME, SECRET)
    with pytest.raises(SealBroken):
        await installation.provider.unwrap(name, wrapped)


@pytest.mark.parametrize("at", [-1, -40, None])
async def test_what_was_changed_does_not_open(installation: Installation, at: int | None) -> None:
    """A byte changed in the tag or before it, or nothing there at all."""
    wrapped = await installation.provider.wrap(NAME, SECRET)
    changed = bytearray(wrapped.blob)
    if at is None:
        changed.clear()
    else:
        changed[at] ^= 1
    with pytest.raises(SealBroken):
        await installation.provider.unwrap(NAME, Wrapped(wrapped.root, bytes(changed)))


async def test_a_root_key_that_it_has_not_is_said(installation: Installation) -> None:
    """By its name; so is that of another provider."""
    wrapped = await installation.provider.wrap(NAME, SECRET)
    for root in (installation.unknown, "elsewhere"):
        with pytest.raises(RootKeyMissing) as caught:
            await installation.provider.unwrap(NAME, replace(wrapped, root=root))
        assert root in caught.value.message


async def test_after_a_rotation_both_unwrap(installation: Installation) -> None:
    """And the new one wraps."""
    provider = installation.provider
    before = await provider.wrap(NAME, SECRET)
    await installation.rotate()
    after = await provider.wrap(NAME, SECRET)
    versions = await provider.versions()
    assert before.root != after.root == versions.current
    assert versions.current in versions.alive
    assert [await provider.unwrap(NAME, each) for each in (before, after)] == [SECRET, SECRET]


async def test_a_retired_root_key_unwraps_no_longer(installation: Installation) -> None:
    """The one in use still does."""
    provider = installation.provider
    before = await provider.wrap(NAME, SECRET)
    await installation.rotate()
    after = await provider.wrap(NAME, SECRET)
    await installation.retire(before.root)
    assert before.root not in (await provider.versions()).alive
    assert await provider.unwrap(NAME, after) == SECRET
    with pytest.raises(RootKeyMissing) as caught:
        await provider.unwrap(NAME, before)
    assert before.root in caught.value.message


async def test_the_root_key_in_use_is_not_retired(installation: Installation) -> None:
    """Nor one that is not there."""
    provider = installation.provider
    before = await provider.versions()
    for root in (before.current, installation.unknown):
        with pytest.raises(BadInput):
            await provider.retire(root)
    assert await provider.versions() == before


async def test_a_provider_that_is_down_is_said(installation: Installation) -> None:
    """In all that is asked of it, without what was sent."""
    wrapped = await installation.provider.wrap(NAME, SECRET)
    down = installation.down()
    for work in (down.versions(), down.wrap(NAME, SECRET), down.unwrap(NAME, wrapped)):
        with pytest.raises(RootKeysUnavailable) as caught:
            await work
        assert caught.value.code == "KEYS_UNAVAILABLE"
        assert SECRET.decode() not in str(caught.value)


async def test_the_log_shows_nothing_of_it(installation: Installation) -> None:
    """Not even on DEBUG, where libraries would write down what is wrapped, or a line for each call."""
    written = StringIO()
    logs.configure(development=False, level="DEBUG", stream=written)
    try:
        await installation.provider.unwrap(NAME, await installation.provider.wrap(NAME, SECRET))
    finally:
        logs.configure(development=False)
    assert not any(name in written.getvalue() for name in ("boto", "http", SECRET.decode(), b64encode(SECRET).decode()))
