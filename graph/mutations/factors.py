"""Second factors of one's own account: enrol, confirm, remove."""

from __future__ import annotations

from collections.abc import Iterable

import strawberry

from auth.factors import ONE_TIME, PASSKEY, Enrolled
from auth.mail import Notice
from auth.throttle import Action
from graph.access import Opens, Rows, free, root
from graph.context import Info
from graph.messages import Cookie
from graph.mutations.factor_types import (
    ConfirmFactorPayload,
    EnrolTotpPayload,
    PasskeyChallengePayload,
    RecoveryCodesPayload,
    RemoveFactorPayload,
    name_of,
    refusals,
    refuse,
)
from graph.mutations.inputs import secret
from graph.mutations.payload import Problems
from graph.mutations.session import ACCESS_COOKIE
from models.vocabulary import Label

_OWN = (Label.UNIQUE_ID,)
_NAME = "What to call it; at most 100 characters."


@strawberry.input(description="Shows that an authenticator app has the secret.")
class ConfirmTotpInput:
    """A factor and its code."""

    factor_id: strawberry.ID = free("From `enrolTotp`.")
    code: str = secret("From the authenticator app.")
    name: str | None = free(_NAME, default=None)


@strawberry.input(description="The passkey that a browser has made.")
class ConfirmPasskeyInput:
    """A challenge, and what answers it."""

    challenge: str = secret("From `enrolPasskey`.")
    passkey: str = secret("JSON of what `navigator.credentials.create` gave.")
    name: str | None = free(_NAME, default=None)


@strawberry.input(description="A factor to be removed.")
class RemoveFactorInput:
    """One of one's own."""

    id: strawberry.ID = free("One of `me.factors`.")


@strawberry.type
class FactorMutation:
    """Root fields that change one's second factors."""

    @root(Opens(Rows.OWN, changes=_OWN, step_up=True, enrolling=True), "Begin to enrol an authenticator app.")
    async def enrol_totp(self, info: Info) -> EnrolTotpPayload:
        """Counts for nothing until it is confirmed, within 15 minutes."""
        problems, person = Problems(), _person(info)
        if person is None:
            refuse(problems, "NOT_A_PERSON")
            return EnrolTotpPayload(errors=problems.errors)
        made = await info.context.services.enrolment.begin_totp(person)
        return EnrolTotpPayload(factor_id=strawberry.ID(made.id), secret=made.secret, uri=made.uri)

    @root(Opens(Rows.OWN, changes=_OWN), "Confirm an authenticator app by a code.")
    async def confirm_totp(self, info: Info, input: ConfirmTotpInput) -> ConfirmFactorPayload:  # noqa: A002 - GraphQL's own word
        """From now on it is asked for; all other sessions end."""
        problems, person = Problems(), _person(info)
        name = name_of(input.name, problems)
        if person is None:
            refuse(problems, "NOT_A_PERSON")
        if problems or person is None:
            return ConfirmFactorPayload(errors=problems.errors)
        services, client, enrolled = info.context.services, info.context.client, None
        # Guessed here, a code would make a session a strong one just as in a step-up.
        async with services.throttle.attempt(
            Action.STEP_UP, account=person, network=client.ip, device=client.device_token
        ) as attempt:
            with refusals(problems, "code"):
                enrolled = await services.enrolment.confirm_totp(person, str(input.factor_id), input.code, name)
            if problems:
                attempt.failed()
        return await _confirmed(info, person, enrolled, ONE_TIME, problems)

    @root(Opens(Rows.OWN, changes=_OWN, step_up=True, enrolling=True), "Begin to enrol a passkey.")
    async def enrol_passkey(self, info: Info) -> PasskeyChallengePayload:
        """Counts for nothing until it is confirmed, within 15 minutes."""
        problems, person = Problems(), _person(info)
        if person is None:
            refuse(problems, "NOT_A_PERSON")
            return PasskeyChallengePayload(errors=problems.errors)
        made = await info.context.services.enrolment.begin_passkey(person, info.context.principal.session)
        return PasskeyChallengePayload(challenge=made.challenge, options=made.options)

    @root(Opens(Rows.OWN, changes=_OWN), "Confirm a passkey.")
    async def confirm_passkey(self, info: Info, input: ConfirmPasskeyInput) -> ConfirmFactorPayload:  # noqa: A002 - GraphQL's own word
        """From now on it is asked for; all other sessions end."""
        problems, person = Problems(), _person(info)
        name = name_of(input.name, problems)
        if person is None:
            refuse(problems, "NOT_A_PERSON")
        if problems or person is None:
            return ConfirmFactorPayload(errors=problems.errors)
        enrolment, enrolled = info.context.services.enrolment, None
        session = info.context.principal.session
        with refusals(problems, "passkey"):
            enrolled = await enrolment.confirm_passkey(person, session, input.challenge, input.passkey, name)
        return await _confirmed(info, person, enrolled, PASSKEY, problems)

    @root(Opens(Rows.OWN, changes=_OWN, step_up=True), "Remove a second factor, or the recovery codes.")
    async def remove_factor(self, info: Info, input: RemoveFactorInput) -> RemoveFactorPayload:  # noqa: A002 - GraphQL's own word
        """The last factor takes the recovery codes with it; all other sessions end."""
        problems, person, services = Problems(), _person(info), info.context.services
        if person is None:
            refuse(problems, "NOT_A_PERSON")
            return RemoveFactorPayload(errors=problems.errors)
        with refusals(problems, "id"):
            await services.enrolment.remove(person, str(input.id))
            await services.sessions.end_others(info.context.principal)
            services.outbox.notify(person, Notice.FACTOR_REMOVED)
        return RemoveFactorPayload(removed=not problems, errors=problems.errors)

    @root(Opens(Rows.OWN, changes=_OWN, step_up=True), "Make new recovery codes; the earlier ones work no more.")
    async def new_recovery_codes(self, info: Info) -> RecoveryCodesPayload:
        """For people who have a factor."""
        problems, person, services = Problems(), _person(info), info.context.services
        if person is None:
            refuse(problems, "NOT_A_PERSON")
            return RecoveryCodesPayload(errors=problems.errors)
        codes = None
        with refusals(problems):
            codes = list(await services.enrolment.new_codes(person))
            services.outbox.notify(person, Notice.RECOVERY_CODES_NEW)
        return RecoveryCodesPayload(recovery_codes=codes, errors=problems.errors)


def _person(info: Info) -> str | None:
    return info.context.principal.person


async def _confirmed(
    info: Info, person: str, enrolled: Enrolled | None, methods: Iterable[str], problems: Problems
) -> ConfirmFactorPayload:
    """End the other sessions, tell the person, and note on this session what it has just shown."""
    if enrolled is None:
        return ConfirmFactorPayload(errors=problems.errors)
    context, services = info.context, info.context.services
    principal = context.principal
    await services.sessions.end_others(principal)
    services.outbox.notify(person, Notice.FACTOR_ADDED)
    session = await services.sessions.step_up(principal, methods)
    by_cookie = principal.from_cookie and session is not None
    if session is not None and by_cookie:
        context.cookies.append(Cookie(ACCESS_COOKIE, session.access_token, session.expires_in))
    return ConfirmFactorPayload(
        factor_id=strawberry.ID(enrolled.id),
        recovery_codes=None if enrolled.recovery_codes is None else list(enrolled.recovery_codes),
        access_token=None if session is None or by_cookie else session.access_token,
        expires_in=None if session is None else session.expires_in,
    )
