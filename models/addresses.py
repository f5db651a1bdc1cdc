"""Where the two databases are, and as whom each is opened."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Addresses:
    """MongoDB addresses, each with a credential of its own and the name of its database. None shows in a repr."""

    api: str = field(repr=False)  # the main database, as the service uses it
    keystore: str = field(repr=False)  # the key store, as the service uses it
    migrator: str = field(repr=False)  # the main database, for indexes, validators and sealing what is stored
    keymaster: str = field(repr=False)  # the key store, for making and rotating keys
