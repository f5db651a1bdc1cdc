"""Which account an attempt is about, before anybody has proven anything."""

from __future__ import annotations

from typing import Final

from auth.names import login_key
from models.database import Database
from models.errors import BadInput
from models.user import UserDocument

_LONGEST: Final = 256


async def account_of(database: Database, login: str) -> str:
    """The id of the person whom `login` names, so that user name and address count as one; where there is
    nobody, the name itself. Takes one look-up either way."""
    try:
        name, key = login_key(login)
    except BadInput:
        return login[:_LONGEST]
    row = await database.find_one(UserDocument, {name: key}, projection={"_id": 1})
    return key if row is None else str(row["_id"])
