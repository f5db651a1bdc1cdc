"""Signing in, staying signed in, signing out."""

from __future__ import annotations

from typing import ClassVar, Final

import strawberry

from auth.devices import DEVICE_COOKIE, DEVICE_LIFETIME
from auth.issuing import SecondFactorWanted, Session
from auth.throttle import Action
from graph.access import Opens, Rows, free, root
from graph.context import Info
from graph.messages import Cookie
from graph.mutations.factor_types import SecondFactorChallenge, challenge_of, refuse
from graph.mutations.inputs import secret
from graph.mutations.payload import Problems, UserError
from graph.rows import row_as
from graph.types.user import User

ACCESS_COOKIE: Final = "fieldward_access"
REFRESH_COOKIE: Final = "fieldward_refresh"
_REFRESH_AGE: Final = 7 * 24 * 3600


@strawberry.type
class SignInPayload:
    """Tokens, and the person who has just signed in, read as themself under ACCOUNT.

    With cookies, the tokens are set as HttpOnly cookies and do not show here.
    """

    STRUCTURAL: ClassVar[str] = "holds a guarded row"

    access_token: str | None = strawberry.field(default=None, description="Bearer token; see `expiresIn`.")
    refresh_token: str | None = strawberry.field(default=None, description="For `refreshSession`.")
    expires_in: int | None = strawberry.field(default=None, description="Seconds the access token holds.")
    device_token: str | None = strawberry.field(
        default=None, description="Shows at the next sign-in that this device is known; opens nothing."
    )
    session: strawberry.ID | None = strawberry.field(
        default=None, description="Which of `me.sessions` this is; for `endSession`."
    )
    user: User | None = None
    second_factor: SecondFactorChallenge | None = strawberry.field(
        default=None, description="What is still needed; for `completeSignIn`."
    )
    errors: list[UserError] = strawberry.field(description="Why not; empty when signed in.", default_factory=list)


@strawberry.type
class SignOutPayload:
    """How many sessions ended."""

    STRUCTURAL: ClassVar[str] = "no personal data"

    ended: int = 0
    errors: list[UserError] = strawberry.field(description="Why not; empty when signed out.", default_factory=list)


@strawberry.input(description="Who is signing in.")
class SignInInput:
    """A name or address, and the password."""

    login: str = secret("User name or email address.")
    password: str = secret("The password.")
    device_token: str | None = secret("From an earlier sign-in on this device; not needed with cookies.")
    cookie: bool = free("Set HttpOnly cookies instead of answering with tokens.", default=False)


@strawberry.input(description="A session to go on with.")
class RefreshSessionInput:
    """A refresh token, unless a cookie holds it."""

    refresh_token: str | None = secret("From `signIn`; not needed with cookies.")


@strawberry.input(description="One of `me.sessions`.")
class EndSessionInput:
    """A session of the person who is signed in."""

    id: strawberry.ID = free("Which one.")


@strawberry.type
class SessionMutation:
    """Root fields that begin and end sessions."""

    @root(Opens(Rows.SUBJECT), "Sign in.")
    async def sign_in(self, info: Info, input: SignInInput) -> SignInPayload:  # noqa: A002 - GraphQL's own word
        """One answer for an unknown name and a wrong password."""
        services, client = info.context.services, info.context.client
        device = input.device_token or client.device_token
        async with services.throttle.attempt(
            Action.SIGN_IN, login=input.login, network=client.ip, device=device
        ) as attempt:
            session = await services.sessions.sign_in(
                input.login, input.password, ip=client.ip, device=client.user_agent
            )
            if session is None:
                attempt.failed()
        problems = Problems()
        if session is None:
            problems.add("BAD_CREDENTIALS", message="This name and password do not belong together.")
            return SignInPayload(errors=problems.errors)
        if isinstance(session, SecondFactorWanted):
            refuse(problems, "SECOND_FACTOR_REQUIRED")
            asked = await services.factors.ask(session.person, session.challenge)
            return SignInPayload(second_factor=challenge_of(session.challenge, asked), errors=problems.errors)
        return await signed_in(info, session, by_cookie=input.cookie)

    @root(Opens(Rows.SUBJECT), "Get a new access token.")
    async def refresh_session(
        self,
        info: Info,
        input: RefreshSessionInput | None = None,  # noqa: A002 - GraphQL's own word
    ) -> SignInPayload:
        """From a refresh token, or the cookie that holds one."""
        services, client = info.context.services, info.context.client
        given = input.refresh_token if input else None
        token = given or client.refresh_token
        async with services.throttle.attempt(Action.REFRESH, account=None, network=client.ip) as attempt:
            session = await services.sessions.refresh(token, ip=client.ip) if token else None
            if session is None:
                attempt.failed()
        if session is None:
            problems = Problems()
            problems.add("SESSION_ENDED", message="This session has ended. Sign in again.")
            return SignInPayload(errors=problems.errors)
        return await signed_in(info, session, by_cookie=given is None, goes_on=True)

    @root(Opens(Rows.NONE), "Sign out.")
    async def sign_out(self, info: Info, everywhere: bool | None = False) -> SignOutPayload:
        """This session, or all of the person's."""
        ended = await info.context.services.sessions.sign_out(info.context.principal, everywhere=bool(everywhere))
        _forget(info)
        return SignOutPayload(ended=ended)

    @root(Opens(Rows.NONE), "Sign out on one device.")
    async def end_session(self, info: Info, input: EndSessionInput) -> SignOutPayload:  # noqa: A002 - GraphQL's own word
        """This device or another; a session of somebody else is none of the caller's."""
        principal, problems = info.context.principal, Problems()
        if not await info.context.services.sessions.end_one(principal, str(input.id)):
            problems.add("NOT_FOUND", "id", message="You have no such session.")
            return SignOutPayload(errors=problems.errors)
        if input.id == principal.session:
            _forget(info)
        return SignOutPayload(ended=1)

    @root(Opens(Rows.NONE), "Sign out everywhere but here.")
    async def end_other_sessions(self, info: Info) -> SignOutPayload:
        """This session goes on, with the tokens it has."""
        return SignOutPayload(ended=await info.context.services.sessions.end_others(info.context.principal))


def _forget(info: Info) -> None:
    """Take the session's cookies from the browser."""
    info.context.cookies += [Cookie(ACCESS_COOKIE, None), Cookie(REFRESH_COOKIE, None)]


async def signed_in(info: Info, session: Session, *, by_cookie: bool, goes_on: bool = False) -> SignInPayload:
    """The answer that holds a session, or sets its cookies; a refresh token that goes on holding is not repeated.

    NOTE: a device is made known by a sign-in only, never by a session that `goes_on`: with a new device at each
    refresh, whoever has found a session could guess its owner's codes and password without end.
    """
    context = info.context
    access = context.access(info)
    wants_user = access is not None and bool(access.root.positions)
    user = await context.person(access, {"_id": session.person}) if access is not None and wants_user else None
    device = None if goes_on else context.services.throttle.devices.issue(session.person)
    if by_cookie:
        if device is not None:
            context.cookies.append(Cookie(DEVICE_COOKIE, device, int(DEVICE_LIFETIME.total_seconds())))
        context.cookies.append(Cookie(ACCESS_COOKIE, session.access_token, session.expires_in))
        if session.refresh_token:
            context.cookies.append(Cookie(REFRESH_COOKIE, session.refresh_token, _REFRESH_AGE))
    return SignInPayload(
        access_token=None if by_cookie else session.access_token,
        refresh_token=None if by_cookie else session.refresh_token or None,
        expires_in=session.expires_in,
        device_token=None if by_cookie else device,
        session=None if session.principal.session is None else strawberry.ID(session.principal.session),
        user=row_as(User, user),
    )
