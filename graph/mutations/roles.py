"""Staff roles: given and taken by administrators, with a reason."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from datetime import datetime
from typing import ClassVar

import strawberry

from auth.mail import Notice
from auth.roles import RoleProblem, RoleRefused
from graph.access import Opens, Rows, free, root
from graph.context import Info
from graph.mutations.inputs import reason
from graph.mutations.payload import Problems, UserError
from graph.rows import row_as
from graph.types.user import User
from models.vocabulary import Label, Role

_OPENS = Opens(Rows.CHOSEN, changes=(Label.ROLES,), step_up=True)
_ERRORS = "What was wrong; empty when it was done."
_PATHS: Mapping[RoleProblem, tuple[str, ...]] = {
    RoleProblem.NOT_ADMINISTRATOR: (),
    RoleProblem.NOT_HELD: ("role",),
    RoleProblem.LAST_ADMINISTRATOR: ("role",),
    RoleProblem.NOT_IN_THE_FUTURE: ("expiresAt",),
}


@strawberry.input(description="A role to be given.")
class GrantRoleInput:
    """Given again, it takes the place of the earlier grant."""

    user: strawberry.ID = free("Whom; never yourself.")
    role: Role = free("Which.")
    reason: str = reason("Why: 10 to 500 characters.")
    expires_at: datetime | None = free("Until when it holds; null: until revoked.", default=None)


@strawberry.input(description="A role to be taken.")
class RevokeRoleInput:
    """At once."""

    user: strawberry.ID = free("From whom; never yourself.")
    role: Role = free("Which.")
    reason: str = reason("Why: 10 to 500 characters.")


@strawberry.type
class GrantRolePayload:
    """The person as they are now."""

    STRUCTURAL: ClassVar[str] = "holds a guarded row"

    user: User | None = None
    errors: list[UserError] = strawberry.field(description=_ERRORS, default_factory=list)


@strawberry.type
class RevokeRolePayload:
    """The person as they are now."""

    STRUCTURAL: ClassVar[str] = "holds a guarded row"

    user: User | None = None
    errors: list[UserError] = strawberry.field(description=_ERRORS, default_factory=list)


@strawberry.type
class RoleMutation:
    """Root fields that change who is staff."""

    @root(_OPENS, "Give somebody a role. Their access tokens end within a second; the next ones have it.")
    async def grant_role(self, info: Info, input: GrantRoleInput) -> GrantRolePayload:  # noqa: A002 - GraphQL's own word
        """The person is told."""
        roles, person, by = info.context.services.roles, str(input.user), info.context.principal.person or ""
        change = roles.grant(person, input.role, input.reason, by=by, expires_at=input.expires_at)
        problems = await _done(change)
        if problems:
            return GrantRolePayload(errors=problems.errors)
        info.context.services.outbox.notify(person, Notice.ROLE_GRANTED, role=input.role.value)
        return GrantRolePayload(user=await _reread(info, person))

    @root(_OPENS, "Take a role from somebody. Their access tokens end within a second.")
    async def revoke_role(self, info: Info, input: RevokeRoleInput) -> RevokeRolePayload:  # noqa: A002 - GraphQL's own word
        """The person is told."""
        roles, person, by = info.context.services.roles, str(input.user), info.context.principal.person or ""
        problems = await _done(roles.revoke(person, input.role, input.reason, by=by))
        if problems:
            return RevokeRolePayload(errors=problems.errors)
        info.context.services.outbox.notify(person, Notice.ROLE_REVOKED, role=input.role.value)
        return RevokeRolePayload(user=await _reread(info, person))


async def _done(change: Awaitable[None]) -> Problems:
    problems = Problems()
    try:
        with problems.at("reason"):
            await change
    except RoleRefused as refused:
        path = _PATHS.get(refused.problem, ("user",))
        problems.add(refused.problem.value, *path, message=refused.message)
    return problems


async def _reread(info: Info, person: str) -> User | None:
    access = info.context.access(info)
    if access is None or not access.root.positions:
        return None
    return row_as(User, await info.context.person(access, {"_id": person}))
