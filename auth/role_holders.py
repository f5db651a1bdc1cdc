"""Who holds which role, and the turn in which roles change.

What is done by a role is checked again in the transaction that does it: a token says what was so up to a second ago.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from models.bookkeeping import MarkerDocument
from models.database import Database, Raw, Session
from models.errors import Conflict
from models.user import UserDocument
from models.vocabulary import Role, UserStatus

_TURN: Final = "administrators"
_NOT_SUSPENDED: Final = {"status": {"$ne": UserStatus.SUSPENDED.value}}


async def in_turn(database: Database, work: Callable[[Session | None], Awaitable[None]]) -> None:
    """Run `work`, which changes roles or rests on one, whole or not at all.

    NOTE: the turn is written before anything is read. Of two transactions that overlap, the server lets one
    write it; the other starts anew and sees what the first has left.
    """
    await _make_turn(database)

    async def taken(transaction: Session | None) -> None:
        turn = {"$inc": {"times": 1}}
        await database.update_one(MarkerDocument, {"_id": _TURN}, turn, session=transaction)
        await work(transaction)

    await database.run_in_transaction(taken)


async def _make_turn(database: Database) -> None:
    """The row must be there: two transactions that make it at once would not wait for each other."""
    if await database.find_one(MarkerDocument, {"_id": _TURN}) is None:
        try:
            await database.insert(MarkerDocument(id=_TURN))
        except Conflict:
            return  # somebody else was as quick


async def holders(database: Database, roles: Iterable[Role], now: datetime) -> Sequence[str]:
    """The ids of the people who hold one of `roles` now and can sign in."""
    return await _holding(database, None, {}, roles, now)


async def holds(
    database: Database, transaction: Session | None, person: str, roles: Iterable[Role], now: datetime
) -> bool:
    """Whether this person holds one of `roles` now and can sign in."""
    return bool(await _holding(database, transaction, {"_id": person}, roles, now))


async def ends_of_administrators(
    database: Database, transaction: Session | None, now: datetime
) -> Mapping[str, Sequence[datetime | None]]:
    """Until when each administrator is one (None: for good), by id."""
    having = {"roles.role": Role.ADMIN.value, **_NOT_SUSPENDED}
    rows = await database.find(UserDocument, having, projection={"roles": 1}, session=transaction)
    return {row["_id"]: _ends(row, now) for row in rows}


def leaves_none(ends: Mapping[str, Sequence[datetime | None]], person: str, then: Iterable[datetime | None]) -> bool:
    """Whether a change leaves nobody to administer, or nobody for good where there was somebody.

    `ends`: until when each administrator is one (None: for good); `then`: what `person` has afterwards.
    """
    before = [end for each in ends.values() for end in each]
    after = [end for other, each in ends.items() if other != person for end in each] + list(then)
    return bool(before) and (not after or (None in before and None not in after))


async def _holding(
    database: Database, transaction: Session | None, whose: Raw, roles: Iterable[Role], now: datetime
) -> Sequence[str]:
    wanted = {role.value for role in roles}
    having = {**whose, "roles.role": {"$in": sorted(wanted)}, **_NOT_SUSPENDED}
    rows = await database.find(UserDocument, having, projection={"roles": 1}, session=transaction)
    return [row["_id"] for row in rows if any(each["role"] in wanted and _holds(each, now) for each in row["roles"])]


def _ends(row: Mapping[str, Any], now: datetime) -> list[datetime | None]:
    return [it.get("expires_at") for it in row["roles"] if it["role"] == Role.ADMIN and _holds(it, now)]


def _holds(grant: Mapping[str, Any], now: datetime) -> bool:
    return grant.get("expires_at") is None or bool(grant["expires_at"] > now)
