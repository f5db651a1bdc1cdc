"""New passwords: what is wrong with one, and what is stored of one that is fine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from auth.passwords import Passwords
from auth.screening import MIN_LENGTH_WITH_FACTOR, Problem, is_short
from graph.mutations.payload import Problems
from models.database import Database, Raw
from models.user import UserDocument
from models.uses import Use

TOO_SHORT_WITH_FACTOR: Final = f"This password is too short: use at least {MIN_LENGTH_WITH_FACTOR} characters."


def screen(
    passwords: Passwords,
    password: str,
    problems: Problems,
    path: str,
    *,
    personal: Sequence[str] = (),
    second_factor: bool = False,
) -> None:
    """Note what is wrong with a new password; it may be shorter for people with a `second_factor`."""
    for code in passwords.problems(password, personal=personal, second_factor=second_factor):
        shorter = second_factor and code == Problem.TOO_SHORT
        problems.add(code, path, message=TOO_SHORT_WITH_FACTOR if shorter else None)


def in_place_of(person: str, password: str, changes: int | None) -> Mapping[str, Any]:
    """The row whose password may become `password`: it has not changed since, and has a factor if it needs one."""
    row: dict[str, Any] = {"_id": person, "password_changes": changes}
    return {**row, "factor_kinds": {"$exists": True}} if is_short(password) else row


def stored(password: str, hashed: str) -> Mapping[str, Any]:
    """The change that keeps a password: its hash, and whether it needs a second factor beside it."""
    kept = {"password_hash": hashed, "password_short": is_short(password)}
    return {"$set": kept, "$inc": {"password_changes": 1}}


async def stored_password(database: Database, person: str, *more: str) -> Raw | None:
    """The row of `person` with the hash of their password, opened, their factors, and what else is named, sealed."""
    wanted = ("password_hash", "password_changes", "factor_kinds", *more)
    row = await database.find_one(UserDocument, {"_id": person}, projection=dict.fromkeys(wanted, 1))
    return row if row is not None and await database.opened(Use.PASSWORD, UserDocument, row) else None
