"""Passkeys on a database: whose they are, and what using them leaves."""

from __future__ import annotations

from json import loads

import pytest

from auth.factors import FactorProblem, FactorRefused, Proof, Proven
from auth.factors.enrolment import LIFETIME
from models.database import Database
from models.factor import FactorDocument
from models.user import UserDocument
from models.vocabulary import FactorKind
from tests.e2e.authenticator import Authenticator, decoded
from tests.integration.identity.desks import SESSION, Desk, desk_on
from tests.integration.identity.workers import ISSUER
from tests.stores import clear_row

CHALLENGE = "the secret of a ticket"


@pytest.fixture
def desk(any_database: Database) -> Desk:
    """On either database."""
    return desk_on(any_database)


async def test_a_passkey_says_whose_it_is(desk: Desk) -> None:
    """By its credential, and by the handle that the device keeps with it."""
    alice, device = await desk.person("alice"), Authenticator(ISSUER)
    await desk.passkey(alice, device)
    options = desk.factors.ask_anybody(CHALLENGE)
    assert await desk.whose(device.get(options), CHALLENGE) == Proven(
        alice, FactorKind.PASSKEY, frozenset({"hwk", "user"})
    )
    assert await desk.whose(device.get(options, handle=b"somebody else"), CHALLENGE) is None
    assert await desk.whose(device.get(options, handle=b""), CHALLENGE) is None
    assert await desk.whose(device.get(options), "another ticket") is None


async def test_an_unknown_passkey_proves_nobody(desk: Desk) -> None:
    """Nor does one that was removed."""
    alice, device = await desk.person("alice"), Authenticator(ISSUER)
    enrolled = await desk.passkey(alice, device)
    stranger = Authenticator(ISSUER)
    stranger.create((await desk.enrolment.begin_passkey(alice, SESSION)).options)
    options = desk.factors.ask_anybody(CHALLENGE)
    assert await desk.whose(stranger.get(options), CHALLENGE) is None
    await desk.enrolment.remove(alice, enrolled)
    assert await desk.whose(device.get(options), CHALLENGE) is None


async def test_as_a_second_factor_it_must_be_the_persons(desk: Desk) -> None:
    """Mallory's own key is good for Mallory only."""
    alice, mallory, device = await desk.person("alice"), await desk.person("mallory"), Authenticator(ISSUER)
    await desk.passkey(alice, Authenticator(ISSUER))
    await desk.passkey(mallory, device)
    options = desk.factors.ask_anybody(CHALLENGE)
    assert await desk.factors.prove(alice, Proof(passkey=device.get(options), challenge=CHALLENGE)) is None
    assert await desk.factors.prove(mallory, Proof(passkey=device.get(options), challenge=CHALLENGE)) is not None
    assert await desk.factors.prove(mallory, Proof(passkey=device.get(options))) is None


async def test_only_the_persons_own_keys_are_asked_for(desk: Desk) -> None:
    """With how to reach them; and a device with one of them makes no second."""
    alice, device = await desk.person("alice"), Authenticator(ISSUER)
    await desk.passkey(alice, device)
    await desk.passkey(await desk.person("mallory"), Authenticator(ISSUER))
    asked = await desk.factors.ask(alice, CHALLENGE)
    assert asked.kinds == (FactorKind.PASSKEY, FactorKind.RECOVERY_CODE)
    assert await desk.factors.prove(alice, Proof(passkey=device.get(asked.passkey_options or ""), challenge=CHALLENGE))
    again = await desk.enrolment.begin_passkey(alice, SESSION)
    with pytest.raises(AssertionError, match="has a key"):
        device.create(again.options)


async def test_the_counter_is_kept(desk: Desk) -> None:
    """And the moment of use; an answer that was used proves nothing."""
    alice, device = await desk.person("alice"), Authenticator(ISSUER)
    enrolled = await desk.passkey(alice, device)
    answer = device.get(desk.factors.ask_anybody(CHALLENGE))
    assert await desk.whose(answer, CHALLENGE) is not None
    assert await desk.whose(answer, CHALLENGE) is None
    row = await clear_row(desk.database, FactorDocument, {"_id": enrolled})
    assert (row["sign_count"], row["name"], row["last_used_at"] >= row["created_at"]) == (1, "Key", True)


async def test_an_enrolment_works_once_in_its_session_and_time(desk: Desk) -> None:
    """For whom it was begun."""
    alice, mallory, device = await desk.person("alice"), await desk.person("mallory"), Authenticator(ISSUER)

    async def attempt(person: str, session: str | None, ahead: bool = False) -> str | None:
        begun = await desk.enrolment.begin_passkey(alice, SESSION)
        answer = device.create(begun.options)
        desk.clock.ahead += LIFETIME if ahead else LIFETIME * 0
        try:
            await desk.enrolment.confirm_passkey(person, session, begun.challenge, answer, None)
            await desk.enrolment.confirm_passkey(person, session, begun.challenge, answer, None)
        except FactorRefused as refused:
            return refused.problem
        return None

    ended = FactorProblem.CHALLENGE_ENDED
    assert await attempt(mallory, SESSION) == ended
    assert await attempt(alice, "ses_2") == ended
    assert await attempt(alice, None) == ended
    assert await attempt(alice, SESSION, ahead=True) == ended
    assert await desk.database.count(FactorDocument, {}) == 0
    assert await attempt(alice, SESSION) == ended  # the second time
    assert await desk.database.count(FactorDocument, {"kind": "PASSKEY"}) == 1


async def test_a_key_that_somebody_has_cannot_be_enrolled_again(desk: Desk) -> None:
    """With the same answer as one that does not verify."""
    alice, mallory, device = await desk.person("alice"), await desk.person("mallory"), Authenticator(ISSUER)
    await desk.passkey(alice, device)
    begun = await desk.enrolment.begin_passkey(mallory, SESSION)
    stolen = device.attested(device.keys[0], decoded(loads(begun.options)["challenge"]))
    with pytest.raises(FactorRefused) as refused:
        await desk.enrolment.confirm_passkey(mallory, SESSION, begun.challenge, stolen, None)
    assert refused.value.problem is FactorProblem.BAD_PASSKEY
    row = await desk.database.find_one(UserDocument, {"_id": mallory})
    assert row is not None
    assert "factor_kinds" not in row
