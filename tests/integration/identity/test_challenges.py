"""A sign-in in two steps: the password gives a challenge, and only the challenge with a factor a session."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from auth.issuing import SecondFactorWanted
from auth.sessions import CHALLENGE_LIFETIME
from models.session import SessionDocument
from models.ticket import TicketDocument
from models.user import UserDocument
from models.vocabulary import FactorKind, UserStatus
from tests.integration.identity.workers import PASSWORD, Clock, Person, Worker

KINDS = [FactorKind.TOTP, FactorKind.PASSKEY]
OTP = ["otp"]


async def challenged(worker: Worker) -> SecondFactorWanted:
    """What Alice gets for her password."""
    wanted = await worker.sessions.sign_in("alice", PASSWORD, ip="203.0.113.7", device="Browser")
    assert isinstance(wanted, SecondFactorWanted)
    return wanted


async def test_a_password_alone_opens_nothing(worker: Worker, person: Person) -> None:
    """It gives a challenge, which does not show in a repr, and leaves no session and no trace of a sign-in."""
    alice = await person(factor_kinds=KINDS)
    wanted = await challenged(worker)
    assert (wanted.person, wanted.kinds) == (alice, frozenset(KINDS))
    assert wanted.challenge not in repr(wanted)
    assert wanted.challenge not in repr(await worker.database.find(TicketDocument, {}))
    assert await worker.database.count(SessionDocument, {}) == 0
    assert await worker.database.count(UserDocument, {"login_count": 0}) == 1
    assert await worker.sessions.sign_in("alice", "wrong", ip=None, device=None) is None


async def test_a_factor_completes_the_sign_in_once(worker: Worker, person: Person) -> None:
    """With what both steps have proven; of many who try at the same moment one succeeds."""
    alice = await person(factor_kinds=KINDS)
    wanted = await challenged(worker)
    many = (worker.sessions.complete(wanted.challenge, ip=None, device=None, methods=OTP) for _ in range(5))
    sessions = [each for each in await asyncio.gather(*many) if each is not None]
    assert [(each.person, each.principal.methods) for each in sessions] == [(alice, frozenset({"pwd", "otp", "mfa"}))]
    assert await worker.database.count(SessionDocument, {}) == 1
    assert await worker.sessions.complete(wanted.challenge, ip=None, device=None, methods=OTP) is None


async def test_a_challenge_does_not_wait_for_long(worker: Worker, person: Person, clock: Clock) -> None:
    """Five minutes; and an invented one is none."""
    await person(factor_kinds=KINDS)
    wanted = await challenged(worker)
    clock.ahead = CHALLENGE_LIFETIME + timedelta(seconds=1)
    for challenge in (wanted.challenge, "", "x" * 43):
        assert await worker.sessions.complete(challenge, ip=None, device=None, methods=OTP) is None


async def test_what_ends_all_sessions_ends_challenges(worker: Worker, person: Person) -> None:
    """A new password is not passed by with the old one's challenge, nor `end_others`."""
    alice = await person(factor_kinds=KINDS)
    here = await worker.sessions.start({"_id": alice}, ip=None, device=None, methods=["hwk", "user"])
    first = await challenged(worker)
    await worker.sessions.end_others(here.principal)
    second = await challenged(worker)
    await worker.sessions.end_all(alice)
    for wanted in (first, second):
        assert await worker.sessions.complete(wanted.challenge, ip=None, device=None, methods=OTP) is None


async def test_a_sign_in_that_is_being_completed_does_not_outlive_a_new_password(
    worker: Worker, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its session is stored after the others have ended, and finds its challenge gone."""
    alice = await person(factor_kinds=KINDS)
    wanted = await challenged(worker)
    genuine = worker.sessions._store

    async def store(*arguments: Any) -> object:  # noqa: ANN401 - passes on whatever came
        await worker.sessions.end_all(alice)
        return await genuine(*arguments)

    monkeypatch.setattr(worker.sessions, "_store", store)
    assert await worker.sessions.complete(wanted.challenge, ip=None, device=None, methods=OTP) is None
    assert await worker.database.count(SessionDocument, {}) == 0


async def test_a_factor_enrolled_during_a_sign_in_is_not_passed_by(
    worker: Worker, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account had none when it was read."""
    alice = await person()
    genuine = worker.passwords.verify

    async def slow(password: str, stored: str | None) -> object:
        verified = await genuine(password, stored)
        await worker.database.update_one(UserDocument, {"_id": alice}, {"$set": {"factor_kinds": ["TOTP"]}})
        return verified

    monkeypatch.setattr(worker.passwords, "verify", slow)
    assert await worker.sessions.sign_in("alice", PASSWORD, ip=None, device=None) is None
    assert await worker.database.count(SessionDocument, {}) == 0


@pytest.mark.parametrize(
    "change", [{"$inc": {"password_changes": 1}}, {"$set": {"status": UserStatus.SUSPENDED.value}}]
)
async def test_an_account_that_changes_during_the_first_step_gives_no_challenge(
    change: dict[str, dict[str, Any]], worker: Worker, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The password that was verified is no longer the one, or the account is closed."""
    alice = await person(factor_kinds=KINDS)
    genuine = worker.passwords.verify

    async def slow(password: str, stored: str | None) -> object:
        verified = await genuine(password, stored)
        await worker.database.update_one(UserDocument, {"_id": alice}, change)
        return verified

    monkeypatch.setattr(worker.passwords, "verify", slow)
    assert await worker.sessions.sign_in("alice", PASSWORD, ip=None, device=None) is None
    assert await worker.database.count(TicketDocument, {}) == 0


async def test_an_account_closed_between_the_steps_stays_closed(worker: Worker, person: Person) -> None:
    """The challenge is used up."""
    alice = await person(factor_kinds=KINDS)
    wanted = await challenged(worker)
    await worker.database.update_one(UserDocument, {"_id": alice}, {"$set": {"status": UserStatus.SUSPENDED.value}})
    assert await worker.sessions.complete(wanted.challenge, ip=None, device=None, methods=OTP) is None
    assert await worker.database.count(SessionDocument, {}) == 0
