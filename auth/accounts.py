"""Which account an attempt is about, before anybody has proven anything."""

from __future__ import annotations

from auth.names import login_key
from models.database import Database
from models.errors import BadInput
from models.user import UserDocument


async def account_of(database: Database, login: str) -> str | None:
    """The id of the person whom `login` names, by one look-up; None where there is nobody."""
    try:
        name, key = login_key(login)
    except BadInput:
        return None
    row = await database.find_one(UserDocument, {name: key}, projection={"_id": 1})
    return None if row is None else str(row["_id"])
