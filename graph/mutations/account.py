"""Accounts: register, update, delete, change the password."""

from __future__ import annotations

from typing import Any, ClassVar

import strawberry

from auth.mail import Notice
from auth.roles import RoleRefused
from auth.throttle import Action
from graph.access import Opens, Rows, root
from graph.context import Context, Info
from graph.gate import RootAccess
from graph.mutations.inputs import RegisterInput, UpdateUserInput, changes, secret
from graph.mutations.mail import count_mail
from graph.mutations.passwords import in_place_of, screen, stored, stored_password
from graph.mutations.payload import Problems, UserError
from graph.rows import row_as
from graph.types.user import User
from models.ids import new_id
from models.user import UserDocument
from models.uses import Use
from models.vocabulary import Label, Relation
from models.writer import Change

_ERRORS = "What was wrong; empty when it was done."
_NOT_FOUND = "There is no such account, or its data may not be changed for this purpose now."


@strawberry.type
class RegisterPayload:
    """The new person, read as themself."""

    STRUCTURAL: ClassVar[str] = "holds a guarded row"

    user: User | None = None
    errors: list[UserError] = strawberry.field(description=_ERRORS, default_factory=list)


@strawberry.type
class UpdateUserPayload:
    """The person as they are now."""

    STRUCTURAL: ClassVar[str] = "holds a guarded row"

    user: User | None = None
    pending_email: bool = strawberry.field(
        default=False, description="Whether a new address was given: it is in use once the link sent there is opened."
    )
    errors: list[UserError] = strawberry.field(description=_ERRORS, default_factory=list)


@strawberry.type
class DeleteUserPayload:
    """Whether the account is gone."""

    STRUCTURAL: ClassVar[str] = "no personal data"

    deleted: bool = False
    errors: list[UserError] = strawberry.field(description=_ERRORS, default_factory=list)


@strawberry.type
class ChangePasswordPayload:
    """Whether the password was changed; all sessions end then, this one too."""

    STRUCTURAL: ClassVar[str] = "no personal data"

    changed: bool = False
    errors: list[UserError] = strawberry.field(description=_ERRORS, default_factory=list)


@strawberry.input(description="The account that is signed in, to be deleted.")
class DeleteUserInput:
    """Asks for the password once more."""

    password: str = secret("The current password.")


@strawberry.input(description="A new password for the account that is signed in.")
class ChangePasswordInput:
    """Asks for the old password too."""

    current_password: str = secret("The current password.")
    new_password: str = secret("15 to 128 characters of any kind; 8 are enough for people with a second factor.")


@strawberry.type
class AccountMutation:
    """Root fields that change accounts."""

    @root(Opens(Rows.SUBJECT), "Make an account.")
    async def register(self, info: Info, input: RegisterInput) -> RegisterPayload:  # noqa: A002 - GraphQL's own word
        """Exactly one of two registrations of one name or address at the same moment wins."""
        context, problems = info.context, Problems()
        wanted = changes("RegisterInput", input, problems)
        personal = [text for text in (input.username, input.email, input.full_name) if isinstance(text, str)]
        screen(context.services.passwords, input.password, problems, "password", personal=personal)
        if problems:
            return RegisterPayload(errors=problems.errors)
        async with context.services.throttle.attempt(Action.REGISTER, account=None, network=context.client.ip):
            user = _new_user(context, wanted, await context.services.passwords.hash(input.password))
            with problems.at():
                await context.services.writer.register(user)
        if problems:
            return RegisterPayload(errors=problems.errors)
        context.services.addresses.ask(user.id)
        return RegisterPayload(user=await _reread(info, user.id))

    @root(Opens(Rows.CHOSEN), "Change personal data.")
    async def update_user(self, info: Info, input: UpdateUserInput) -> UpdateUserPayload:  # noqa: A002 - GraphQL's own word
        """Each given field needs its own right to write."""
        context, problems = info.context, Problems()
        access = _admitted(info)
        person = str(input.id) if input.id else context.principal.person
        wanted = changes("UpdateUserInput", input, problems)
        if person is None:
            problems.add("MISSING", "id", message="Say whose account to change.")
        if problems:
            return UpdateUserPayload(errors=problems.errors)
        target = person or ""
        relation = access.relation or Relation.OTHER
        new_email = next((change.values for change in wanted if change.by_proof), None)
        by_another = new_email is not None and target != context.principal.person
        # An address is the way back into an account: whoever could change that of staff could have their powers.
        if by_another and await context.services.addresses.is_of_staff(target):
            problems.add("NOT_FOUND", "id", message=_NOT_FOUND)
            return UpdateUserPayload(errors=problems.errors)
        if new_email is not None:
            await count_mail(info, target)
        with problems.at():
            if not await context.services.writer.change(access.grant, relation, target, wanted):
                problems.add("NOT_FOUND", "id", message=_NOT_FOUND)
        if problems:
            return UpdateUserPayload(errors=problems.errors)
        if new_email is not None:
            await context.services.addresses.propose(
                target,
                new_email["email"],
                by=context.principal.person,
                session=context.principal.session,
            )
        return UpdateUserPayload(user=await _reread(info, target), pending_email=new_email is not None)

    @root(
        Opens(Rows.OWN, changes=(Label.UNIQUE_ID,), step_up=True),
        "Delete the account that is signed in, with everything stored for it.",
    )
    async def delete_user(self, info: Info, input: DeleteUserInput) -> DeleteUserPayload:  # noqa: A002 - GraphQL's own word
        """Rows are removed at once; sessions end everywhere."""
        context, problems, person = info.context, Problems(), info.context.principal.person or ""
        await _prove(context, person, input.password, problems, "password")
        if problems:
            return DeleteUserPayload(errors=problems.errors)
        try:
            await context.services.roles.resign(person)
        except RoleRefused as refused:
            problems.add("LAST_ADMINISTRATOR", message=refused.message)
            return DeleteUserPayload(errors=problems.errors)
        access = _admitted(info)
        deleted = await context.services.writer.delete(
            access.grant, Relation.SELF, access.root.field.coordinate, person
        )
        # After the row is gone: a token refreshed in between ends as well.
        await context.services.sessions.end_all(person)
        return DeleteUserPayload(deleted=deleted)

    @root(
        Opens(Rows.OWN, changes=(Label.UNIQUE_ID,), step_up=True),
        "Change the password of the account that is signed in.",
    )
    async def change_password(self, info: Info, input: ChangePasswordInput) -> ChangePasswordPayload:  # noqa: A002 - GraphQL's own word
        """Ends every session: whoever knew the old password is out."""
        context, problems, person = info.context, Problems(), info.context.principal.person or ""
        row = await _prove(context, person, input.current_password, problems, "currentPassword")
        if not problems:
            await context.services.database.opened(Use.SCREENING, UserDocument, row)
        personal = [str(row[key]) for key in ("username", "email", "full_name") if key in row]
        has_factor, passwords = bool(row.get("factor_kinds")), context.services.passwords
        screen(passwords, input.new_password, problems, "newPassword", personal=personal, second_factor=has_factor)
        if problems:
            return ChangePasswordPayload(errors=problems.errors)
        # Only in the place of the password that was proven: of two changes at once one wins.
        proven = in_place_of(person, input.new_password, row.get("password_changes"))
        new = stored(input.new_password, await passwords.hash(input.new_password))
        changed = await context.services.database.update_one(UserDocument, proven, new)
        if not changed:
            problems.add("WRONG_PASSWORD", "currentPassword", message="This is no longer your password.")
            return ChangePasswordPayload(errors=problems.errors)
        await context.services.sessions.end_all(person)
        await context.services.recovery.cancel(person)
        context.services.outbox.notify(person, Notice.PASSWORD_CHANGED)
        return ChangePasswordPayload(changed=True)


def _new_user(context: Context, wanted: list[Change], password_hash: str) -> UserDocument:
    fields: dict[str, Any] = {}
    for change in wanted:
        for path, value in change.values.items():
            outer, _, inner = path.partition(".")
            if inner:
                fields.setdefault(outer, {})[inner] = value
            else:
                fields[path] = value
    settings = fields.get("preferences")
    if settings is not None:
        fields["preferences"] = {name: value for name, value in settings.items() if value is not None}
    fields = {path: value for path, value in fields.items() if value is not None}
    return UserDocument(id=new_id("usr", context.services.region), password_hash=password_hash, **fields)


async def _prove(context: Context, person: str, password: str, problems: Problems, path: str) -> dict[str, Any]:
    """Check the caller's own password once more; the row holds what a new password must not repeat."""
    row = await stored_password(context.services.database, person, "username", "email", "full_name")
    client = context.client
    async with context.services.throttle.attempt(
        Action.PASSWORD, account=person, network=client.ip, device=client.device_token
    ) as attempt:
        proven = await context.services.passwords.verify(password, (row or {}).get("password_hash"))
        if not proven:
            attempt.failed()
    if not proven:
        problems.add("WRONG_PASSWORD", path, message="This is not your password.")
    return row or {}


def _admitted(info: Info) -> RootAccess:
    access = info.context.access(info)
    if access is None:
        raise RuntimeError("a mutation is never closed: its denials refuse the operation")
    return access


async def _reread(info: Info, person: str) -> User | None:
    access = _admitted(info)
    return row_as(User, await info.context.person(access, {"_id": person})) if access.root.positions else None
