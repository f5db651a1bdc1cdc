"""The two databases of a region together: people's data, sealed, and the keys to it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from models.crypto.roots import RootKeys
from models.database import Database
from models.keystore.journal import Journal
from models.keystore.keys import Keys
from models.sealing import Sealer


@asynccontextmanager
async def sealing(
    main: Database, keystore: Database, roots: RootKeys, region: str, *, journal: Journal | None = None
) -> AsyncGenerator[Keys, None]:
    """Within this context `main` seals what is written and opens what may be read, by the keys in `keystore`.

    `journal` is where destroyed keys are noted apart from both.

    Raises `ConfigurationError` where the region has no keys yet, and what the provider of root keys raises.
    """
    keys = Keys(keystore, roots, region, journal=journal)
    await keys.start()
    main.sealing = Sealer(keys)
    try:
        yield keys
    finally:
        main.sealing = None
        await keys.stop()
