"""What becomes of open sessions: proven anew, given more purposes, ended one by one or together."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from auth.principal import NOBODY
from auth.revocations import KEPT
from auth.sessions import Session
from models.session import RevocationDocument, SessionDocument
from models.user import RoleGrant, UserDocument
from models.vocabulary import Purpose, Role, UserStatus
from tests.integration.identity.workers import Clock, Person, Worker

MINUTE = timedelta(minutes=1)
TOTP = {"$set": {"factor_kinds": ["TOTP"]}}


async def test_signing_out_ends_this_session_only(worker: Worker, person: Person) -> None:
    """Its refresh token and its access tokens; the other device goes on."""
    await person()
    here, there = await worker.sign_in(), await worker.sign_in()
    assert await worker.sessions.sign_out(here.principal, everywhere=False) == 1
    assert await worker.sessions.refresh(here.refresh_token) is None
    assert not (await worker.whose(here.access_token)).authenticated
    assert await worker.sessions.refresh(there.refresh_token) is not None
    assert (await worker.whose(there.access_token)).authenticated


async def test_signing_out_everywhere_ends_all_sessions_of_this_person(worker: Worker, person: Person) -> None:
    """And nobody else's; signing in again works at once."""
    await person()
    await person("Bob")
    here, there, other = await worker.sign_in(), await worker.sign_in(), await worker.sign_in("bob")
    assert await worker.sessions.sign_out(here.principal, everywhere=True) == 2
    for session in (here, there):
        assert await worker.sessions.refresh(session.refresh_token) is None
        assert not (await worker.whose(session.access_token)).authenticated
    assert (await worker.whose(other.access_token)).authenticated
    assert (await worker.whose((await worker.sign_in()).access_token)).authenticated


async def test_nobody_has_nothing_to_sign_out_of(worker: Worker) -> None:
    """No session ends."""
    assert await worker.sessions.sign_out(NOBODY, everywhere=True) == 0


async def test_one_session_is_ended_from_another(worker: Worker, person: Person) -> None:
    """By its id, and only that one."""
    await person()
    here, there, third = await worker.sign_in(), await worker.sign_in(), await worker.sign_in()
    assert await worker.sessions.end_one(here.principal, there.principal.session or "")
    assert await worker.sessions.refresh(there.refresh_token) is None
    assert not (await worker.whose(there.access_token)).authenticated
    for session in (here, third):
        assert (await worker.whose(session.access_token)).authenticated
    assert not await worker.sessions.end_one(here.principal, there.principal.session or "")


async def test_nobody_ends_the_session_of_somebody_else(worker: Worker, person: Person) -> None:
    """Nor revokes anything by naming it."""
    alice = await person()
    await person("Bob")
    hers, his = await worker.sign_in(), await worker.sign_in("bob")
    for name in (hers.principal.session or "", alice, "", "$ne"):
        assert not await worker.sessions.end_one(his.principal, name)
    assert not await worker.sessions.end_one(NOBODY, hers.principal.session or "")
    assert (await worker.whose(hers.access_token)).authenticated
    assert await worker.sessions.refresh(hers.refresh_token) is not None


async def test_all_others_end_and_this_one_goes_on(worker: Worker, person: Person) -> None:
    """With the very tokens it has."""
    await person()
    await person("Bob")
    here, there, third, his = [await worker.sign_in(each) for each in ("alice", "alice", "alice", "bob")]
    assert await worker.sessions.end_others(here.principal) == 2
    for session in (there, third):
        assert await worker.sessions.refresh(session.refresh_token) is None
        assert not (await worker.whose(session.access_token)).authenticated
    for session in (here, his):
        assert (await worker.whose(session.access_token)).authenticated
        assert await worker.sessions.refresh(session.refresh_token) is not None
    assert await worker.sessions.end_others(here.principal) == await worker.sessions.end_others(NOBODY) == 0


async def test_sessions_that_were_quiet_end_without_a_word_to_the_workers(
    worker: Worker, person: Person, clock: Clock
) -> None:
    """Nothing of theirs could still hold; what was stepped up lately counts as used."""
    await person()
    quiet, stepped = await worker.sign_in(), await worker.sign_in()
    clock.ahead = KEPT + MINUTE
    lately = await worker.sessions.step_up(stepped.principal, ["otp"])
    assert lately is not None
    here = await worker.sign_in()
    assert await worker.sessions.end_others(here.principal) == 2
    assert await worker.sessions.refresh(quiet.refresh_token) is None
    assert not (await worker.whose(lately.access_token)).authenticated
    rows = await worker.database.find(RevocationDocument, {})
    assert [row["_id"] for row in rows] == [stepped.principal.session]


@pytest.mark.parametrize(
    ("more", "then"),
    [
        (frozenset({"otp"}), frozenset({"pwd", "otp", "mfa"})),
        (frozenset({"hwk", "user"}), frozenset({"pwd", "hwk", "user", "mfa"})),
        (frozenset({"pwd"}), frozenset({"pwd"})),
    ],
    ids=lambda methods: "+".join(sorted(methods)),
)
async def test_a_step_up_makes_the_same_session_stronger(
    more: frozenset[str], then: frozenset[str], worker: Worker, person: Person, clock: Clock
) -> None:
    """From now on, and after each refresh; the refresh token stays."""
    alice = await person()
    session = await worker.sign_in()
    await worker.database.update_one(UserDocument, {"_id": alice}, TOTP)
    clock.ahead = 4 * MINUTE
    stepped = await worker.sessions.step_up(session.principal, more)
    assert stepped is not None
    caller = await worker.whose(stepped.access_token)
    assert (caller.session, caller.methods, stepped.refresh_token) == (session.principal.session, then, "")
    began, proven = session.principal.authenticated_at, caller.authenticated_at
    assert began is not None
    assert proven is not None
    assert proven - began >= 4 * MINUTE
    clock.ahead = 9 * MINUTE
    refreshed = await worker.sessions.refresh(session.refresh_token)
    assert refreshed is not None
    assert (refreshed.principal.methods, refreshed.principal.authenticated_at) == (then, proven)


async def test_step_ups_at_the_same_moment_add_up(worker: Worker, person: Person) -> None:
    """None takes away what another has proven."""
    alice = await person()
    session = await worker.sign_in()
    await worker.database.update_one(UserDocument, {"_id": alice}, TOTP)
    await asyncio.gather(*(worker.sessions.step_up(session.principal, [each]) for each in ("otp", "hwk", "user")))
    refreshed = await worker.sessions.refresh(session.refresh_token)
    assert refreshed is not None
    assert refreshed.principal.methods == {"pwd", "otp", "hwk", "user", "mfa"}


async def test_what_a_factor_has_proven_goes_with_the_last_factor(worker: Worker, person: Person) -> None:
    """Else a session would stay strong for weeks, and a password would be enough to make it recent."""
    alice = await person()
    session = await worker.sign_in()
    await worker.database.update_one(UserDocument, {"_id": alice}, TOTP)
    strong = await worker.sessions.step_up(session.principal, ["otp"])
    assert strong is not None
    await worker.database.update_one(UserDocument, {"_id": alice}, {"$unset": {"factor_kinds": ""}})
    refreshed = await worker.sessions.refresh(session.refresh_token)
    stepped = await worker.sessions.step_up(strong.principal, ["pwd"])
    assert refreshed is not None
    assert stepped is not None
    assert (refreshed.principal.methods, stepped.principal.methods) == (frozenset({"pwd"}), frozenset({"pwd"}))


async def extended(worker: Worker, session: Session, minutes: int) -> Session | None:
    """That session with one more purpose for so long."""
    await worker.sessions.extend(session.principal, Purpose.LEGAL, worker.clock() + minutes * MINUTE)
    return await worker.sessions.renew(session.principal)


async def test_a_session_that_is_over_gets_nothing_more(worker: Worker, person: Person) -> None:
    """Ended meanwhile, of a suspended person, or no session at all."""
    alice = await person()
    ended, suspended = await worker.sign_in(), await worker.sign_in()
    await worker.sessions.sign_out(ended.principal, everywhere=False)
    assert await worker.sessions.step_up(ended.principal, ["otp"]) is None
    assert await worker.sessions.step_up(NOBODY, ["otp"]) is None
    await worker.database.update_one(UserDocument, {"_id": alice}, {"$set": {"status": UserStatus.SUSPENDED.value}})
    assert await worker.sessions.step_up(suspended.principal, ["otp"]) is None
    assert await extended(worker, suspended, 1) is None


async def test_an_extra_purpose_holds_until_its_end(worker: Worker, person: Person, clock: Clock) -> None:
    """On every token of this session and of no other, none of which outlives it."""
    await person(roles=[RoleGrant(role=Role.SUPPORT)])
    session, other = await worker.sign_in(), await worker.sign_in()
    usual = session.principal.purposes
    longer = await extended(worker, session, 7)
    assert longer is not None
    assert (await worker.whose(longer.access_token)).purposes == usual | {Purpose.LEGAL}
    assert longer.refresh_token == ""
    clock.ahead = 4 * MINUTE
    refreshed = await worker.sessions.refresh(session.refresh_token)
    elsewhere = await worker.sessions.refresh(other.refresh_token)
    assert refreshed is not None
    assert elsewhere is not None
    assert refreshed.principal.purposes == usual | {Purpose.LEGAL}
    assert refreshed.expires_in <= 180
    assert elsewhere.principal.purposes == usual
    clock.ahead = 8 * MINUTE
    assert not (await worker.whose(refreshed.access_token)).authenticated
    later = await worker.sessions.refresh(refreshed.refresh_token)
    assert later is not None
    assert (later.principal.purposes, later.expires_in) == (usual, 300)


async def test_an_extra_purpose_is_given_back(worker: Worker, person: Person) -> None:
    """The tokens that carry it are over, the session goes on; giving it again replaces its end."""
    await person(roles=[RoleGrant(role=Role.SUPPORT)])
    session = await worker.sign_in()
    await extended(worker, session, 50)
    shorter = await extended(worker, session, 3)
    assert shorter is not None
    (row,) = await worker.database.find(SessionDocument, {})
    assert len(row["extra_purposes"]) == 1
    without = await worker.sessions.retract(shorter.principal, Purpose.LEGAL)
    assert without is not None
    assert not (await worker.whose(shorter.access_token)).authenticated
    assert (await worker.whose(without.access_token)).purposes == session.principal.purposes
    assert await worker.sessions.refresh(session.refresh_token) is not None


async def test_an_extra_purpose_goes_with_the_last_role(worker: Worker, person: Person) -> None:
    """It was given to staff."""
    alice = await person(roles=[RoleGrant(role=Role.SUPPORT)])
    session = await worker.sign_in()
    await extended(worker, session, 50)
    await worker.database.update_one(UserDocument, {"_id": alice}, {"$set": {"roles": []}})
    refreshed = await worker.sessions.refresh(session.refresh_token)
    assert refreshed is not None
    assert Purpose.LEGAL not in refreshed.principal.purposes
