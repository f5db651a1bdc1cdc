"""The keys of a region, unwrapped: key-encryption keys, and the peppers of blind indexes."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from models.crypto.blind_index import BlindIndex, Pepper
from models.crypto.envelope import KEY_BYTES, DataKey, DataKeys, SealBroken
from models.crypto.roots import RootKeys, Wrapped
from models.crypto.secrecy import KeyHolder
from models.crypto.wrapping import KeyKind, KeyName, WrappingKey, wrapping_version_of
from models.database import Raw


class UnknownKey(SealBroken):
    """Something was wrapped or sealed with a version that is not known here: perhaps not yet."""


class Ring(KeyHolder):
    """All keys of `region` that are alive. The newest key-encryption key wraps, each unwraps what it has wrapped."""

    __slots__ = ("_indexes", "_peppers", "_wrapping", "newest", "region")

    def __init__(self, region: str, wrapping: Iterable[WrappingKey], peppers: Iterable[Pepper]) -> None:
        self.region = region
        self._wrapping = {key.version: key for key in wrapping}
        self._peppers = tuple(peppers)
        self._indexes: dict[tuple[str, str], BlindIndex] = {}
        self.newest = self._wrapping[max(self._wrapping)]

    def index(self, collection: str, path: str, normalise: Callable[[str], str]) -> BlindIndex:
        """The blind index of one field, by all peppers that are alive."""
        index = self._indexes.get((collection, path))
        if index is None:
            index = BlindIndex(self.region, collection, path, self._peppers, normalise)
            self._indexes[collection, path] = index
        return index

    @property
    def pepper_versions(self) -> tuple[int, ...]:
        """The versions of the peppers that are alive, oldest first."""
        return tuple(sorted(pepper.version for pepper in self._peppers))

    def wrapping(self, version: int) -> WrappingKey:
        """The key-encryption key of that version. Raises `UnknownKey`."""
        try:
            return self._wrapping[version]
        except KeyError:
            raise UnknownKey from None

    def wraps(self, person: str, version: int) -> tuple[DataKey, bytes]:
        """A new data key for `person`, ready and wrapped by the newest key-encryption key."""
        return self.newest.new_data_key(KeyName(KeyKind.DATA, self.region, version, person))

    def unwraps(self, row: Raw) -> DataKeys:
        """The data keys in a stored row (`DataKeyDocument`). Raises `UnknownKey`, `SealBroken`."""
        return DataKeys(
            self.wrapping(wrapping_version_of(each["wrapped"])).data_key(
                KeyName(KeyKind.DATA, self.region, each["v"], row["_id"]), each["wrapped"]
            )
            for each in row["keys"]
        )


def key_name(row: Mapping[str, Any]) -> KeyName:
    """The name that a stored key of a region (`KeyDocument`) was wrapped under."""
    return KeyName(KeyKind(row["kind"]), row["region"], row["version"])


def key_id(kind: KeyKind, region: str, version: int) -> str:
    """The identifier of a stored key of a region."""
    return f"{kind.value}:{region}:{version}"


async def unwrapped_ring(region: str, rows: Iterable[Raw], roots: RootKeys) -> Ring:
    """The ring in the stored keys `rows` of `region`.

    Raises `RootKeysUnavailable`, `RootKeyMissing`, and `SealBroken` for a key that was changed.
    """
    kept = list(rows)
    wrapping = [
        WrappingKey(await roots.unwrap(key_name(row), Wrapped(row["root"], row["wrapped"])), row["version"])
        for row in kept
        if row["kind"] == KeyKind.ENCRYPTION
    ]
    by_version = {key.version: key for key in wrapping}
    peppers = []
    for row in kept:
        if row["kind"] == KeyKind.INDEX:
            key = by_version.get(wrapping_version_of(row["wrapped"]))
            if key is None:
                raise UnknownKey
            peppers.append(Pepper(key.unwrap(key_name(row), row["wrapped"]), row["version"]))
    return Ring(region, wrapping, peppers)


def new_secret() -> bytes:
    """32 bytes from the system's random source."""
    return secrets.token_bytes(KEY_BYTES)
