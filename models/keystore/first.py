"""The first keys of a region: made once, before anything is sealed."""

from __future__ import annotations

from contextlib import suppress

from models.crypto.roots import RootKeys, Wrapped
from models.crypto.wrapping import KeyKind, KeyName, WrappingKey
from models.database import Database
from models.errors import Conflict
from models.keystore.documents import KeyDocument, StateDocument
from models.keystore.ring import key_id, key_name, new_secret


async def has_keys(keystore: Database, region: str) -> bool:
    """Whether the key store knows the region: then its root key must be there, and is never made anew."""
    return await keystore.find_one(StateDocument, {"_id": region}) is not None


async def make_first_keys(keystore: Database, roots: RootKeys, region: str, *, sealed: bool) -> None:
    """Make the first key-encryption key, the first pepper and the state of `region`, unless they are there.

    `sealed`: there is nothing yet that was stored in the clear. Of several that begin at once one wins, and each
    may be interrupted. Raises what the provider of root keys raises.
    """
    if await has_keys(keystore, region):
        return
    # NOTE: no new key is held in a variable here, as a traceback may show those.
    name = KeyName(KeyKind.ENCRYPTION, region, 1)
    await add_key(keystore, name, await roots.wrap(name, new_secret()))
    row = await keystore.find_one(KeyDocument, {"_id": key_id(KeyKind.ENCRYPTION, region, 1)})
    if row is not None:  # the one that won
        wrapping = WrappingKey(await roots.unwrap(key_name(row), Wrapped(row["root"], row["wrapped"])), 1)
        pepper = KeyName(KeyKind.INDEX, region, 1)
        await add_key(keystore, pepper, Wrapped("", wrapping.wrap(pepper, new_secret())))
    # Last: whoever finds the state finds the keys as well.
    with suppress(Conflict):
        await keystore.insert(StateDocument(id=region, sealed=sealed))


async def add_key(keystore: Database, name: KeyName, wrapped: Wrapped) -> None:
    """Store a key of a region, unless there is one of that name: made by another process, or before an interruption."""
    with suppress(Conflict):
        await keystore.insert(
            KeyDocument(
                id=key_id(name.kind, name.region, name.version),
                kind=name.kind,
                region=name.region,
                version=name.version,
                wrapped=wrapped.blob,
                root=wrapped.root or None,
            )
        )
