"""Staff roles: given and taken with a reason, never by oneself to oneself, and never the last administrator's.

Whoever changes one must be administrator at the moment it is written, whatever their token says. A change is
durable before the tokens that said otherwise end: every worker refuses them within a second (`auth.revocations`),
and the next refresh reads the roles anew. An expired grant ends by itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from auth.names import login_key
from auth.reasons import read_reason
from auth.revocations import Revocations
from auth.role_holders import ends_of_administrators, holds, in_turn, leaves_none
from models.base import now as utc_now
from models.break_glass import BreakGlassDocument
from models.database import Database, Session
from models.database.encoding import plain
from models.errors import BadInput, FieldwardError
from models.ids import new_id, region_of
from models.role_change import RoleChangeDocument
from models.session import SessionDocument
from models.user import RoleGrant, UserDocument
from models.vocabulary import Role, RoleChange


class RoleProblem(StrEnum):
    """Why a role was neither given nor taken. Stable codes."""

    NOT_ADMINISTRATOR = "NOT_ADMINISTRATOR"
    NOT_FOUND = "NOT_FOUND"
    NOT_YOURSELF = "NOT_YOURSELF"
    NOT_HELD = "NOT_HELD"
    LAST_ADMINISTRATOR = "LAST_ADMINISTRATOR"
    NOT_IN_THE_FUTURE = "NOT_IN_THE_FUTURE"


MESSAGES: Final[Mapping[RoleProblem, str]] = {
    RoleProblem.NOT_ADMINISTRATOR: "You are not an administrator any more.",
    RoleProblem.NOT_FOUND: "There is no such person.",
    RoleProblem.NOT_YOURSELF: "Nobody changes their own roles: ask another administrator.",
    RoleProblem.NOT_HELD: "This person does not have this role.",
    RoleProblem.LAST_ADMINISTRATOR: "Nobody would be administrator any more: make somebody else one first, "
    "without an end.",
    RoleProblem.NOT_IN_THE_FUTURE: "The end of a role must lie ahead.",
}


class RoleRefused(FieldwardError):
    """A change of roles that is not made; nothing has changed."""

    def __init__(self, problem: RoleProblem) -> None:
        super().__init__(MESSAGES[problem], code=problem.value)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who was given a role, which may be over by now."""

    person: str
    username: str
    grant: RoleGrant


class Roles:
    """The roles of the people in `database`. `by` is the person who changes one; None: an operator, by command."""

    def __init__(
        self, database: Database, revocations: Revocations, *, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._database, self._revocations, self._clock = database, revocations, clock

    async def grant(
        self, person: str, role: Role, reason: str, *, by: str | None, expires_at: datetime | None = None
    ) -> None:
        """Give `person` a role, in the place of an earlier grant of it. Raises `RoleRefused`, and `Refused`
        for a reason that is none."""
        now, reason = self._clock(), read_reason(reason)
        if person == by:
            raise RoleRefused(RoleProblem.NOT_YOURSELF)
        if expires_at is not None and expires_at <= now:
            raise RoleRefused(RoleProblem.NOT_IN_THE_FUTURE)
        given = RoleGrant(role=role, expires_at=expires_at, reason=reason, granted_by=by, granted_at=now)
        noted = RoleChangeDocument(
            id=_new_id(person),
            person=person,
            role=role,
            change=RoleChange.GRANTED,
            reason=reason,
            by=by,
            at=now,
            expires_at=expires_at,
        )

        async def work(transaction: Session | None) -> None:
            await self._keep_an_administrator(transaction, person, role, now, [expires_at])
            if not await self._drop(transaction, person, role):
                raise RoleRefused(RoleProblem.NOT_FOUND)
            push = {"$push": {"roles": plain(given)}}
            await self._database.update_one(UserDocument, {"_id": person}, push, session=transaction)
            await self._database.insert(noted, session=transaction)

        await self._change(person, by, work)

    async def revoke(self, person: str, role: Role, reason: str, *, by: str | None) -> None:
        """Take a role from `person`. Raises `RoleRefused`, and `Refused` for a reason that is none."""
        now, reason = self._clock(), read_reason(reason)
        if person == by:
            raise RoleRefused(RoleProblem.NOT_YOURSELF)
        change = RoleChange.REVOKED
        noted = RoleChangeDocument(
            id=_new_id(person), person=person, role=role, change=change, reason=reason, by=by, at=now
        )

        async def work(transaction: Session | None) -> None:
            await self._keep_an_administrator(transaction, person, role, now, [])
            held = {"_id": person, "roles.role": role.value}
            if await self._database.find_one(UserDocument, held, projection={"_id": 1}, session=transaction) is None:
                raise RoleRefused(await self._why_not_held(transaction, person))
            await self._drop(transaction, person, role)
            await self._end_emergencies(transaction, person, now)
            await self._database.insert(noted, session=transaction)

        await self._change(person, by, work)

    async def resign(self, person: str) -> None:
        """Take all roles from somebody who is about to go. Raises `RoleRefused` for the last administrator."""
        now = self._clock()

        async def work(transaction: Session | None) -> None:
            await self._keep_an_administrator(transaction, person, Role.ADMIN, now, [])
            none: dict[str, list[Any]] = {"roles": []}
            await self._database.update_one(UserDocument, {"_id": person}, {"$set": none}, session=transaction)

        if await self._database.find_one(UserDocument, {"_id": person, "roles.role": {"$exists": True}}):
            await self._change(person, None, work)

    async def list(self, role: Role | None = None) -> Sequence[Holder]:
        """Every grant that is stored, of one role or of all, by user name; expired ones too."""
        wanted = {"roles.role": role.value if role else {"$exists": True}}
        rows = await self._database.find(UserDocument, wanted, projection={"username": 1, "roles": 1})
        return [
            Holder(row["_id"], row["username"], grant)
            for row in sorted(rows, key=lambda row: str(row["username"]))
            for grant in map(RoleGrant.model_validate, row["roles"])
            if role in (None, grant.role)
        ]

    async def find(self, name: str) -> str | None:
        """The id of the person with this id, user name or email address."""
        try:
            field, key = ("_id", name) if region_of(name, "usr") else login_key(name)
        except BadInput:
            return None
        row = await self._database.find_one(UserDocument, {field: key}, projection={"_id": 1})
        return None if row is None else str(row["_id"])

    async def _change(self, person: str, by: str | None, work: Callable[[Session | None], Awaitable[None]]) -> None:
        """Run `work` whole or not at all, while `by` is administrator; then end the tokens of `person`."""

        async def allowed(transaction: Session | None) -> None:
            if by is not None and not await holds(self._database, transaction, by, [Role.ADMIN], self._clock()):
                raise RoleRefused(RoleProblem.NOT_ADMINISTRATOR)
            await work(transaction)

        try:
            await in_turn(self._database, allowed)
        except RoleRefused as refused:
            # What was taken, and failed to end its tokens, is asked for again.
            if refused.problem is RoleProblem.NOT_HELD:
                await self._revocations.revoke(person)
            raise
        await self._revocations.revoke(person)

    async def _drop(self, transaction: Session | None, person: str, role: Role) -> bool:
        pull = {"$pull": {"roles": {"role": role.value}}}
        return bool(await self._database.update_one(UserDocument, {"_id": person}, pull, session=transaction))

    async def _end_emergencies(self, transaction: Session | None, person: str, now: datetime) -> None:
        """What was lent to a member of staff goes with any role of theirs."""
        lent = {"person": person, "extra_purposes.0": {"$exists": True}}
        given_back: dict[str, list[str]] = {"extra_purposes": []}
        for row in await self._database.find(SessionDocument, lent, projection={"_id": 1}, session=transaction):
            mine = {"_id": row["_id"]}
            await self._database.update_one(SessionDocument, mine, {"$set": given_back}, session=transaction)
        still = {"person": person, "ended_at": None, "expires_at": {"$gt": now}}
        over = {"$set": {"ended_at": now}}
        while await self._database.update_one(BreakGlassDocument, still, over, session=transaction):
            continue

    async def _why_not_held(self, transaction: Session | None, person: str) -> RoleProblem:
        there = await self._database.find_one(UserDocument, {"_id": person}, projection={"_id": 1}, session=transaction)
        return RoleProblem.NOT_HELD if there else RoleProblem.NOT_FOUND

    async def _keep_an_administrator(
        self, transaction: Session | None, person: str, role: Role, now: datetime, then: Iterable[datetime | None]
    ) -> None:
        """Raise `RoleRefused` where somebody is needed. `then`: the ends of what `person` has of it afterwards."""
        if role is not Role.ADMIN:
            return
        if leaves_none(await ends_of_administrators(self._database, transaction, now), person, then):
            raise RoleRefused(RoleProblem.LAST_ADMINISTRATOR)


def _new_id(person: str) -> str:
    return new_id("rch", region_of(person, "usr") or "")
