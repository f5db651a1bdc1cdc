"""Proving oneself by a second factor: to sign in, to sign in without a password, and once more in between."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import strawberry

from auth.factors import Proof, Proven
from auth.mail import Notice
from auth.principal import Principal
from auth.sessions import PASSWORD
from auth.throttle import Action
from auth.tickets import Ticket
from graph.access import Opens, Rows, free, root
from graph.context import Context, Info
from graph.mutations.factor_types import (
    BeginStepUpPayload,
    PasskeyChallengePayload,
    one_proof,
    optional_secret,
    refuse,
)
from graph.mutations.inputs import secret
from graph.mutations.passwords import stored_password
from graph.mutations.payload import Problems
from graph.mutations.session import SignInPayload, signed_in
from models.errors import Unauthenticated
from models.ticket import TicketKind
from models.vocabulary import FactorKind

LIFETIME: Final = timedelta(minutes=5)
TRIES: Final = 5
_COOKIE: Final = "Set HttpOnly cookies instead of answering with tokens."
_CODE: Final = "From the authenticator app."
_RECOVERY: Final = "One of the recovery codes; it is used up."
_PASSKEY: Final = "JSON of what `navigator.credentials.get` gave."


@strawberry.input(description="The second step of a sign-in: exactly one of the proofs.")
class CompleteSignInInput:
    """A challenge, and what answers it."""

    challenge: str = secret("From `signIn`.")
    code: str | None = optional_secret(_CODE)
    recovery_code: str | None = optional_secret(_RECOVERY)
    passkey: str | None = optional_secret(_PASSKEY)
    device_token: str | None = optional_secret("From an earlier sign-in on this device; not needed with cookies.")
    cookie: bool = free(_COOKIE, default=False)


@strawberry.input(description="A passkey that says by itself whose it is.")
class PasskeySignInInput:
    """A challenge, and what answers it."""

    challenge: str = secret("From `beginPasskeySignIn`.")
    passkey: str = secret(_PASSKEY)
    cookie: bool = free(_COOKIE, default=False)


@strawberry.input(description="What shows once more that it is the signed-in person: exactly one of the proofs.")
class StepUpInput:
    """The password, or for people with a second factor that factor."""

    password: str | None = optional_secret("The password; not enough for people with a second factor.")
    code: str | None = optional_secret(_CODE)
    recovery_code: str | None = optional_secret(_RECOVERY)
    challenge: str | None = optional_secret("From `beginStepUp`; needed with `passkey`.")
    passkey: str | None = optional_secret(_PASSKEY)


@strawberry.type
class SecondStepMutation:
    """Root fields that take a second factor."""

    @root(Opens(Rows.SUBJECT), "Sign in, second step.")
    async def complete_sign_in(self, info: Info, input: CompleteSignInInput) -> SignInPayload:  # noqa: A002 - GraphQL's own word
        """One answer for all that does not prove the person."""
        context, problems = info.context, Problems()
        proof = Proof(input.code, input.recovery_code, input.passkey, input.challenge)
        if not one_proof(problems, proof):
            return SignInPayload(errors=problems.errors)
        device = input.device_token or context.client.device_token
        proven = await _second_factor(context, input.challenge, proof, device, problems)
        if proven is None:
            return SignInPayload(errors=problems.errors)
        client = context.client
        session = await context.services.sessions.complete(
            input.challenge, ip=client.ip, device=client.user_agent, methods=proven.methods
        )
        if session is None:
            refuse(problems, "CHALLENGE_ENDED", "challenge")
            return SignInPayload(errors=problems.errors)
        return await signed_in(info, session, by_cookie=input.cookie)

    @root(Opens(Rows.PUBLIC), "Begin to sign in by a passkey alone.")
    async def begin_passkey_sign_in(self, info: Info) -> PasskeyChallengePayload:
        """The same for everybody: nobody is named yet."""
        services = info.context.services
        async with services.throttle.attempt(Action.CHALLENGE, account=None, network=info.context.client.ip):
            challenge = await services.tickets.issue(Ticket(TicketKind.PASSKEY_SIGN_IN), LIFETIME)
        return PasskeyChallengePayload(challenge=challenge, options=services.factors.ask_anybody(challenge))

    @root(Opens(Rows.SUBJECT), "Sign in by a passkey alone.")
    async def sign_in_with_passkey(self, info: Info, input: PasskeySignInInput) -> SignInPayload:  # noqa: A002 - GraphQL's own word
        """One answer for an unknown passkey and one that does not hold."""
        services, client, problems = info.context.services, info.context.client, Problems()
        async with services.throttle.attempt(Action.PASSKEY, account=None, network=client.ip) as attempt:
            ticket = await services.tickets.redeem(TicketKind.PASSKEY_SIGN_IN, input.challenge)
            proof = Proof(passkey=input.passkey, challenge=input.challenge)
            proven = None if ticket is None else await services.factors.whose(proof)
            if proven is None:
                attempt.failed()
        if proven is None:
            problems.add("BAD_CREDENTIALS", message="This passkey cannot sign in here. Begin again.")
            return SignInPayload(errors=problems.errors)
        session = await services.sessions.start(
            {"_id": proven.person}, ip=client.ip, device=client.user_agent, methods=proven.methods
        )
        return await signed_in(info, session, by_cookie=input.cookie)

    @root(Opens(Rows.NONE), "See what a step-up needs.")
    async def begin_step_up(self, info: Info) -> BeginStepUpPayload:
        """The kinds of factors the signed-in person has; none: their password will do."""
        services, principal = info.context.services, info.context.principal
        if principal.person is None:
            problems = Problems()
            refuse(problems, "NOT_A_PERSON")
            return BeginStepUpPayload(errors=problems.errors)
        ticket = Ticket(TicketKind.STEP_UP, principal.person, session=principal.session)
        async with services.throttle.attempt(Action.CHALLENGE, account=None, network=info.context.client.ip):
            challenge = await services.tickets.issue(ticket, LIFETIME)
        asked = await services.factors.ask(principal.person, challenge)
        return BeginStepUpPayload(challenge=challenge, kinds=list(asked.kinds), passkey_options=asked.passkey_options)

    @root(Opens(Rows.SUBJECT), "Confirm that it is still you, before something that needs it.")
    async def step_up(self, info: Info, input: StepUpInput) -> SignInPayload:  # noqa: A002 - GraphQL's own word
        """The same session, with a new access token; whoever has a second factor shows that."""
        context, problems = info.context, Problems()
        principal = context.principal
        if principal.person is None:
            raise Unauthenticated("Sign in first.")
        proof = Proof(input.code, input.recovery_code, input.passkey, input.challenge)
        if not one_proof(problems, proof, input.password):
            return SignInPayload(errors=problems.errors)
        if input.password is not None:
            methods = await _by_password(context, principal.person, input.password, problems)
        else:
            methods = await _again(context, principal, principal.person, proof, problems)
        session = await context.services.sessions.step_up(principal, methods) if methods else None
        if session is None:
            if not problems:
                raise Unauthenticated("This session has ended. Sign in again.")
            return SignInPayload(errors=problems.errors)
        return await signed_in(info, session, by_cookie=principal.from_cookie, goes_on=True)


async def _second_factor(
    context: Context, challenge: str, proof: Proof, device: str | None, problems: Problems
) -> Proven | None:
    """Whom the proof proves to be the one whose password was right; None with a failure noted."""
    services, kind = context.services, TicketKind.SECOND_FACTOR
    ticket = await services.tickets.look_at(kind, challenge)
    if ticket is None or ticket.person is None:
        refuse(problems, "CHALLENGE_ENDED", "challenge")
        return None
    async with services.throttle.attempt(
        Action.SECOND_FACTOR, account=ticket.person, network=context.client.ip, device=device
    ) as attempt:
        unspent = await services.tickets.attempt(kind, challenge, TRIES)
        proven = None if unspent is None else await services.factors.prove(ticket.person, proof)
        if proven is None:
            attempt.failed()
    if proven is None:
        refuse(problems, "CHALLENGE_ENDED" if unspent is None else "WRONG_CODE")
        return None
    _tell_of_recovery(context, proven)
    return proven


async def _by_password(context: Context, person: str, password: str, problems: Problems) -> frozenset[str]:
    """The methods that the password proves; none, with a failure noted, when it is wrong or not enough."""
    services = context.services
    row = await stored_password(services.database, person)
    if row is not None and row.get("factor_kinds"):
        refuse(problems, "SECOND_FACTOR_REQUIRED")
        return frozenset()
    async with services.throttle.attempt(
        Action.PASSWORD, account=person, network=context.client.ip, device=context.client.device_token
    ) as attempt:
        verified = await services.passwords.verify(password, (row or {}).get("password_hash"))
        if not verified:
            attempt.failed()
    if not verified:
        problems.add("WRONG_PASSWORD", "password", message="This is not your password.")
        return frozenset()
    return PASSWORD


async def _again(
    context: Context, principal: Principal, person: str, proof: Proof, problems: Problems
) -> frozenset[str]:
    """The methods that a second factor proves; none, with a failure noted, when it does not."""
    services = context.services
    if proof.passkey is not None:
        ticket = await services.tickets.redeem(TicketKind.STEP_UP, proof.challenge or "")
        if ticket is None or (ticket.person, ticket.session) != (person, principal.session):
            refuse(problems, "CHALLENGE_ENDED", "challenge")
            return frozenset()
    async with services.throttle.attempt(
        Action.STEP_UP, account=person, network=context.client.ip, device=context.client.device_token
    ) as attempt:
        proven = await services.factors.prove(person, proof)
        if proven is None:
            attempt.failed()
    if proven is None:
        refuse(problems, "WRONG_CODE")
        return frozenset()
    _tell_of_recovery(context, proven)
    return proven.methods


def _tell_of_recovery(context: Context, proven: Proven) -> None:
    if proven.kind is FactorKind.RECOVERY_CODE:
        context.services.outbox.notify(proven.person, Notice.RECOVERY_CODE_USED)
