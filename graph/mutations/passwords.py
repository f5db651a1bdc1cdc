"""New passwords: what is wrong with one, and what is stored of one that is fine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from auth.passwords import Passwords
from auth.screening import MIN_LENGTH_WITH_FACTOR, Problem, is_short
from graph.mutations.payload import Problems

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


def in_place_of(person: str, password: str, earlier: str | None) -> Mapping[str, Any]:
    """The row whose password may become `password`: it still has the hash `earlier`, and a factor if it needs one."""
    row: dict[str, Any] = {"_id": person, "password_hash": earlier}
    return {**row, "factor_kinds": {"$exists": True}} if is_short(password) else row


def stored(password: str, hashed: str) -> Mapping[str, Any]:
    """What is kept of a password: its hash, and whether it needs a second factor beside it."""
    return {"password_hash": hashed, "password_short": is_short(password)}
