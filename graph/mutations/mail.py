"""What goes by a link in a mail: proving an address, and choosing a new password."""

from __future__ import annotations

from typing import ClassVar, Final

import strawberry

from auth.addresses import Proof
from auth.names import spelling
from auth.screening import Problem
from auth.throttle import Action
from graph.access import Opens, Rows, root
from graph.context import Info
from graph.mutations.inputs import secret
from graph.mutations.passwords import TOO_SHORT_WITH_FACTOR
from graph.mutations.payload import Problems, UserError

_ERRORS: Final = "What was wrong; empty when it was done."
_BAD_LINK: Final = "This link was used before, or it is too old. Ask for a new one."


@strawberry.type
class RequestEmailVerificationPayload:
    """Whether the wish was noted; a mail follows when the address is not proven yet."""

    STRUCTURAL: ClassVar[str] = "no personal data"

    requested: bool = False
    errors: list[UserError] = strawberry.field(description=_ERRORS, default_factory=list)


@strawberry.type
class VerifyEmailPayload:
    """Whether the address is proven, and in use from now on."""

    STRUCTURAL: ClassVar[str] = "no personal data"

    verified: bool = False
    errors: list[UserError] = strawberry.field(description=_ERRORS, default_factory=list)


@strawberry.type
class RequestPasswordResetPayload:
    """The same whether there is such an account or not; a mail follows when there is."""

    STRUCTURAL: ClassVar[str] = "no personal data"

    requested: bool = True
    errors: list[UserError] = strawberry.field(description=_ERRORS, default_factory=list)


@strawberry.type
class ResetPasswordPayload:
    """Whether the password is new; all sessions have ended then, and nobody is signed in by it."""

    STRUCTURAL: ClassVar[str] = "no personal data"

    reset: bool = False
    errors: list[UserError] = strawberry.field(description=_ERRORS, default_factory=list)


@strawberry.input(description="A link from a mail.")
class VerifyEmailInput:
    """The part of the link after `#verify=`."""

    token: str = secret("The part of the link after `#verify=`.")


@strawberry.input(description="Whose password is lost.")
class RequestPasswordResetInput:
    """A name or address."""

    login: str = secret("User name or email address.")


@strawberry.input(description="A link from a mail, and a new password.")
class ResetPasswordInput:
    """The part of the link after `#reset=`."""

    token: str = secret("The part of the link after `#reset=`.")
    new_password: str = secret("15 to 128 characters of any kind; at least 8 with a second factor.")


@strawberry.type
class MailMutation:
    """Root fields around links in mails."""

    @root(Opens(Rows.NONE), "Ask for a mail with a link that proves one's email address.")
    async def request_email_verification(self, info: Info) -> RequestEmailVerificationPayload:
        """Nothing is sent to an address that is proven."""
        services, person = info.context.services, info.context.principal.person
        if person is None:
            problems = Problems()
            problems.add("NOT_A_PERSON", message="A service has no email address of its own.")
            return RequestEmailVerificationPayload(errors=problems.errors)
        await count_mail(info, person)
        services.addresses.ask(person)
        return RequestEmailVerificationPayload(requested=True)

    @root(Opens(Rows.PUBLIC), "Prove an email address by the link that was sent there.")
    async def verify_email(self, info: Info, input: VerifyEmailInput) -> VerifyEmailPayload:  # noqa: A002 - GraphQL's own word
        """A new address takes the place of the earlier one."""
        services, problems = info.context.services, Problems()
        async with services.throttle.attempt(Action.VERIFY, account=None, network=info.context.client.ip) as attempt:
            proof = await services.addresses.prove(input.token)
            if proof is Proof.UNKNOWN:
                attempt.failed()
        if proof is Proof.UNKNOWN:
            problems.add("BAD_LINK", "token", message=_BAD_LINK)
        if proof is Proof.TAKEN:
            problems.add("TAKEN", "token", message="Another account has this address by now.")
        return VerifyEmailPayload(verified=proof is Proof.PROVEN, errors=problems.errors)

    @root(Opens(Rows.PUBLIC), "Ask for a mail with a link to choose a new password.")
    async def request_password_reset(
        self,
        info: Info,
        input: RequestPasswordResetInput,  # noqa: A002 - GraphQL's own word
    ) -> RequestPasswordResetPayload:
        """Whether there is such an account is looked up after the answer."""
        services = info.context.services
        account = spelling(input.login)
        async with services.throttle.attempt(Action.RESET, account=account, network=info.context.client.ip):
            services.recovery.ask(input.login)
        return RequestPasswordResetPayload()

    @root(Opens(Rows.PUBLIC), "Choose a new password by the link from a mail.")
    async def reset_password(self, info: Info, input: ResetPasswordInput) -> ResetPasswordPayload:  # noqa: A002 - GraphQL's own word
        """A second factor is asked for at the next sign-in as before."""
        services, problems = info.context.services, Problems()
        async with services.throttle.attempt(Action.PASSWORD, account=None, network=info.context.client.ip) as attempt:
            reset = await services.recovery.reset(input.token, input.new_password)
            if not reset.done and not reset.problems:
                attempt.failed()
        for code in reset.problems:
            shorter = reset.second_factor and code == Problem.TOO_SHORT
            problems.add(code, "newPassword", message=TOO_SHORT_WITH_FACTOR if shorter else None)
        if not reset.done and not reset.problems:
            problems.add("BAD_LINK", "token", message=_BAD_LINK)
        return ResetPasswordPayload(reset=reset.done, errors=problems.errors)


async def count_mail(info: Info, person: str) -> None:
    """Count a link that is about to be mailed for `person`; raises `RateLimited` when there were too many."""
    async with info.context.services.throttle.attempt(Action.VERIFY, account=person, network=None) as attempt:
        attempt.failed()
