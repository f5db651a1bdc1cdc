"""Consent: the latest word of a person on a purpose that rests on it."""

from __future__ import annotations

from typing import ClassVar

import strawberry

from auth.purposes import PURPOSES, REGISTRY_VERSION
from graph.access import Opens, Rows, free, root
from graph.context import Info
from graph.mutations.payload import Problems, UserError
from models.base import now
from models.user import Consent
from models.vocabulary import Label, LawfulBasis, Purpose, Relation

_CHANGES = (Label.PRIVACY_PREFERENCES,)


@strawberry.input(description="The purpose that a choice is about.")
class ConsentInput:
    """One purpose at a time: consent is never bundled."""

    purpose: Purpose = free("A purpose whose lawful basis is CONSENT.")


@strawberry.type
class ConsentPayload:
    """What holds now."""

    STRUCTURAL: ClassVar[str] = "repeats the input"

    purpose: Purpose
    given: bool = False
    errors: list[UserError] = strawberry.field(description="Why not; empty when noted.", default_factory=list)


@strawberry.type
class ConsentMutation:
    """Root fields by which people choose."""

    @root(Opens(Rows.OWN, changes=_CHANGES), "Agree to a purpose; holds from the next request on.")
    async def give_consent(self, info: Info, input: ConsentInput) -> ConsentPayload:  # noqa: A002 - GraphQL's own word
        """To the notice as it stands now."""
        return await _note(info, input.purpose, given=True)

    @root(Opens(Rows.OWN, changes=_CHANGES), "Take an agreement back; holds from the next request on.")
    async def withdraw_consent(self, info: Info, input: ConsentInput) -> ConsentPayload:  # noqa: A002 - GraphQL's own word
        """As easy as giving it."""
        return await _note(info, input.purpose, given=False)


async def _note(info: Info, purpose: Purpose, *, given: bool) -> ConsentPayload:
    context, problems = info.context, Problems()
    access = context.admission.roots[str(info.path.key)]
    if PURPOSES[purpose].basis is not LawfulBasis.CONSENT:
        problems.add("NOT_BY_CONSENT", "purpose", message="This purpose does not rest on consent.")
        return ConsentPayload(purpose=purpose, errors=problems.errors)
    if context.principal.person is None:
        problems.add("NOT_A_PERSON", message="A service has no choices of its own.")
        return ConsentPayload(purpose=purpose, errors=problems.errors)
    choice = Consent(purpose=purpose, given=given, at=now(), notice_version=REGISTRY_VERSION)
    await context.services.writer.choose(
        access.grant, Relation.SELF, access.root.field.coordinate, context.principal.person, choice
    )
    return ConsentPayload(purpose=purpose, given=given)
