"""Worlds whose keys are rotated."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from models.embedded import Embedded
from tests.integration.rotation.world import World, world_of


@pytest.fixture
async def world(mongod: Embedded) -> AsyncIterator[World]:
    """Some dozen people in a real MongoDB, and nobody else at it."""
    async with world_of(mongod.admin_url, f"test_{uuid4().hex}") as made:
        yield made
