"""Emergency access: opened by staff for themselves, ended, and reviewed by somebody else."""

from __future__ import annotations

from typing import ClassVar

import strawberry

from auth.break_glass import BreakGlassProblem, BreakGlassRefused, Opened
from auth.mail import Notice
from auth.sessions import Session
from graph.access import Opens, Rows, free, root
from graph.break_glass import read_one
from graph.context import Info, Services
from graph.messages import Cookie
from graph.mutations.inputs import reason
from graph.mutations.payload import Problems, UserError
from graph.mutations.session import ACCESS_COOKIE
from graph.types.break_glass import BreakGlassGrant
from models.vocabulary import Label, ReviewVerdict

_PATHS = {BreakGlassProblem.BAD_MINUTES: ("minutes",), BreakGlassProblem.NOT_FOUND: ("id",)}


@strawberry.input(description="Emergency access to be opened.")
class BreakGlassInput:
    """Why, and for how long."""

    justification: str = reason("Why it is needed: 10 to 500 characters, which reviewers read.")
    minutes: int = free("How long, 1 to 60.")


@strawberry.input(description="What a reviewer says of an emergency access that has ended.")
class ReviewBreakGlassInput:
    """Never one's own."""

    id: strawberry.ID = free("One of `breakGlassGrants`.")
    verdict: ReviewVerdict = free("What was found.")
    note: str = reason("What was looked at: 10 to 500 characters.")


@strawberry.type
class BreakGlassPayload:
    """A token of this session with the purpose EMERGENCY, until it is over. The refresh token goes on holding.

    With cookies, the token is set as HttpOnly cookie and does not show here.
    """

    STRUCTURAL: ClassVar[str] = "holds a guarded row"

    access_token: str | None = strawberry.field(default=None, description="Bearer token; see `expiresIn`.")
    expires_in: int | None = strawberry.field(default=None, description="Seconds the access token holds.")
    grant: BreakGlassGrant | None = strawberry.field(default=None, description="The record that reviewers see.")
    errors: list[UserError] = strawberry.field(description="Why not; empty when opened.", default_factory=list)


@strawberry.type
class EndBreakGlassPayload:
    """A token of this session without the purpose EMERGENCY."""

    STRUCTURAL: ClassVar[str] = "no personal data"

    access_token: str | None = strawberry.field(default=None, description="Bearer token; see `expiresIn`.")
    expires_in: int | None = strawberry.field(default=None, description="Seconds the access token holds.")
    errors: list[UserError] = strawberry.field(description="Why not; empty when ended.", default_factory=list)


@strawberry.type
class ReviewBreakGlassPayload:
    """The emergency access with its review."""

    STRUCTURAL: ClassVar[str] = "holds a guarded row"

    grant: BreakGlassGrant | None = strawberry.field(default=None, description="As it is kept.")
    errors: list[UserError] = strawberry.field(description="Why not; empty when noted.", default_factory=list)


@strawberry.type
class BreakGlassMutation:
    """Root fields for emergencies."""

    @root(
        Opens(Rows.OWN, changes=(Label.BREAK_GLASS,), step_up=True),
        "Open emergency access for this session: a new token carries the purpose EMERGENCY until the time is over. "
        "Everybody with the role ADMIN or SECURITY is told, and somebody else reviews it.",
    )
    async def break_glass(self, info: Info, input: BreakGlassInput) -> BreakGlassPayload:  # noqa: A002 - GraphQL's own word
        """Told and logged without the justification: that is read in the review."""
        context, problems = info.context, Problems()
        services, principal = context.services, context.principal
        try:
            with problems.at("justification"):
                opened = await services.break_glass.open(principal, input.justification, input.minutes)
        except BreakGlassRefused as refused:
            _refuse(problems, refused)
        if problems:
            return BreakGlassPayload(errors=problems.errors)
        _announce(services, principal.person or "", opened)
        return BreakGlassPayload(
            access_token=_token(info, opened.session),
            expires_in=opened.session.expires_in,
            grant=await read_one(info, opened.id),
        )

    @root(Opens(Rows.NONE), "Give the emergency access of this session back; its tokens that carry EMERGENCY end.")
    async def end_break_glass(self, info: Info) -> EndBreakGlassPayload:
        """As easy as it can be: no step-up."""
        problems = Problems()
        try:
            session = await info.context.services.break_glass.end(info.context.principal)
        except BreakGlassRefused as refused:
            _refuse(problems, refused)
            return EndBreakGlassPayload(errors=problems.errors)
        return EndBreakGlassPayload(access_token=_token(info, session), expires_in=session.expires_in)

    @root(
        Opens(Rows.CHOSEN, changes=(Label.BREAK_GLASS_REVIEW,), step_up=True),
        "Review an emergency access that has ended. Nobody reviews their own, and nothing is reviewed twice.",
    )
    async def review_break_glass(self, info: Info, input: ReviewBreakGlassInput) -> ReviewBreakGlassPayload:  # noqa: A002 - GraphQL's own word
        """It leaves the list of what waits, and is kept."""
        context, problems = info.context, Problems()
        try:
            with problems.at("note"):
                await context.services.break_glass.review(
                    str(input.id), context.principal.person or "", input.verdict, input.note
                )
        except BreakGlassRefused as refused:
            _refuse(problems, refused)
        if problems:
            return ReviewBreakGlassPayload(errors=problems.errors)
        return ReviewBreakGlassPayload(grant=await read_one(info, str(input.id)))


def _announce(services: Services, person: str, opened: Opened) -> None:
    """Tell all who may review; when the database is away just now, as soon as it is back."""
    details = {"who": person, "until": f"{opened.until:%Y-%m-%d %H:%M} UTC"}

    async def tell() -> None:
        for reviewer in await services.break_glass.reviewers():
            services.outbox.notify(reviewer, Notice.BREAK_GLASS_OPENED, **details)

    services.outbox.run(tell)


def _refuse(problems: Problems, refused: BreakGlassRefused) -> None:
    problems.add(refused.problem.value, *_PATHS.get(refused.problem, ()), message=refused.message)


def _token(info: Info, session: Session) -> str | None:
    """The access token, or None when it is set as a cookie because the caller came with one."""
    if not info.context.principal.from_cookie:
        return session.access_token
    info.context.cookies.append(Cookie(ACCESS_COOKIE, session.access_token, session.expires_in))
    return None
