"""Validators on collections: what MongoDB refuses to store, whoever writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from motor.motor_asyncio import AsyncIOMotorCollection, AsyncIOMotorDatabase
from pymongo import errors as driver

Raw = dict[str, Any]
_EXISTS_ALREADY: Final = 48


async def put_validator(
    database: AsyncIOMotorDatabase[Raw], collection: str, validator: Mapping[str, Any], *, strict: bool
) -> None:
    """Make the collection if need be, and put `validator` in the place of the one it had."""
    try:
        await database.command("create", collection)
    except driver.OperationFailure as error:
        if error.code != _EXISTS_ALREADY:
            raise
    level = "strict" if strict else "moderate"
    await database.command(
        "collMod", collection, validator=dict(validator), validationLevel=level, validationAction="error"
    )


async def has_violation(rows: AsyncIOMotorCollection[Raw], validator: Mapping[str, Any]) -> bool:
    """Whether a stored row is one that `validator` would refuse."""
    return await rows.find_one({"$nor": [dict(validator)]}, {"_id": 1}) is not None
