"""Emergency access: on record before it is lent, over in time, reviewed by somebody else, once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, Final

import pytest

from auth.break_glass import OPENERS, BreakGlass, BreakGlassProblem, BreakGlassRefused
from auth.principal import Principal
from auth.roles import Roles
from auth.rules import RULES
from auth.sessions import Session
from models.base import now
from models.break_glass import BreakGlassDocument
from models.importing.rejection import Refused
from models.user import UserDocument
from models.vocabulary import Access, Label, Outcome, Purpose, ReviewVerdict, Role
from models.writer import Writer
from tests.integration.identity.workers import Clock, Person, Worker

WHY: Final = "Caller is in danger, address needed"
SUPPORT: Final = [{"role": "SUPPORT"}]
OVER: Final = timedelta(minutes=11)
GOOD: Final = ReviewVerdict.JUSTIFIED


@pytest.fixture
def glass(worker: Worker) -> BreakGlass:
    """Emergency access at that worker."""
    return BreakGlass(worker.database, worker.sessions, clock=worker.clock)


@pytest.fixture
async def session(worker: Worker, person: Person) -> Session:
    """A member of the support staff, signed in."""
    await person(roles=SUPPORT)
    return await worker.sign_in()


async def records(worker: Worker) -> list[dict[str, Any]]:
    """All there are, oldest first."""
    return await worker.database.find(BreakGlassDocument, {}, sort=[("_id", 1)])


async def refusal(attempt: Any) -> BreakGlassProblem:  # noqa: ANN401 - a coroutine of any result
    """Why something was refused."""
    with pytest.raises(BreakGlassRefused) as refused:
        await attempt
    return refused.value.problem


async def purposes(worker: Worker, token: str) -> frozenset[Purpose]:
    """Those of a token that holds."""
    principal = await worker.whose(token)
    assert principal.authenticated, principal.problem
    return principal.purposes


async def test_it_lends_the_purpose_for_a_time(
    worker: Worker, session: Session, glass: BreakGlass, clock: Clock
) -> None:
    """Every token of the session carries it until then, and none after."""
    assert Purpose.EMERGENCY not in session.principal.purposes
    opened = await glass.open(session.principal, WHY, 10)
    assert Purpose.EMERGENCY in await purposes(worker, opened.session.access_token)
    assert opened.until == pytest.approx(clock() + timedelta(minutes=10), abs=timedelta(seconds=20))
    renewed = await worker.sessions.refresh(session.refresh_token)
    assert renewed is not None
    assert Purpose.EMERGENCY in renewed.principal.purposes
    clock.ahead = OVER
    assert not (await worker.whose(opened.session.access_token)).authenticated
    after = await worker.sessions.refresh(renewed.refresh_token)
    assert after is not None
    assert Purpose.EMERGENCY not in after.principal.purposes


async def test_no_token_outlives_it(session: Session, glass: BreakGlass) -> None:
    """One of two minutes gives tokens of at most two."""
    opened = await glass.open(session.principal, WHY, 2)
    assert 0 < opened.session.expires_in <= 120


async def test_no_other_session_has_it(worker: Worker, session: Session, glass: BreakGlass) -> None:
    """Neither one that is there nor one that comes later."""
    other = await worker.sign_in()
    await glass.open(session.principal, WHY, 10)
    renewed = await worker.sessions.refresh(other.refresh_token)
    assert renewed is not None
    for each in (renewed, await worker.sign_in()):
        assert Purpose.EMERGENCY not in each.principal.purposes


async def test_it_goes_with_the_role(worker: Worker, session: Session, glass: BreakGlass) -> None:
    """Whoever is no staff any more has nothing to lend."""
    await glass.open(session.principal, WHY, 10)
    await worker.database.update_one(UserDocument, {"_id": session.person}, {"$set": {"roles": []}})
    renewed = await worker.sessions.refresh(session.refresh_token)
    assert renewed is not None
    assert Purpose.EMERGENCY not in renewed.principal.purposes


async def test_it_ends_with_any_role(worker: Worker, session: Session, glass: BreakGlass) -> None:
    """Having the role again does not bring it back; the record says when it was over."""
    await glass.open(session.principal, WHY, 10)
    roles = Roles(worker.database, worker.revocations, clock=worker.clock)
    await roles.revoke(session.person, Role.SUPPORT, WHY, by=None)
    await roles.grant(session.person, Role.SUPPORT, WHY, by=None)
    renewed = await worker.sessions.refresh(session.refresh_token)
    assert renewed is not None
    assert renewed.principal.shape.roles == {Role.SUPPORT}
    assert Purpose.EMERGENCY not in renewed.principal.purposes
    [row] = await records(worker)
    assert row["ended_at"] < row["expires_at"]


async def test_it_is_on_record(worker: Worker, session: Session, glass: BreakGlass, clock: Clock) -> None:
    """Who, why, in which session, since when and until when; nobody has reviewed it."""
    opened = await glass.open(session.principal, f" {WHY}\n", 10)
    [row] = await records(worker)
    assert row == {
        "_id": opened.id,
        "person": session.person,
        "session": session.principal.session,
        "justification": WHY,
        "opened_at": row["opened_at"],
        "expires_at": row["opened_at"] + timedelta(minutes=10),
    }


async def test_the_record_stays_when_the_person_goes(worker: Worker, session: Session, glass: BreakGlass) -> None:
    """Deleting one's account does not take the proof along."""
    await glass.open(session.principal, WHY, 10)
    documents = [BreakGlassDocument]
    writer = Writer(worker.database, documents)

    class Allowed:
        def allows(self, *_: object) -> bool:
            return True

    await writer.delete(Allowed(), None, "", session.person)  # type: ignore[arg-type]  # stands for a grant
    assert [row["person"] for row in await records(worker)] == [session.person]


@pytest.mark.parametrize("minutes", [0, -1, 61, 100_000])
async def test_it_lasts_an_hour_at_most(worker: Worker, session: Session, glass: BreakGlass, minutes: int) -> None:
    """Nothing is stored for more, or for nothing."""
    assert await refusal(glass.open(session.principal, WHY, minutes)) is BreakGlassProblem.BAD_MINUTES
    assert await records(worker) == []


@pytest.mark.parametrize("words", ["", "because", " " * 40, "x" * 501, "nul\x00 and something else"])
async def test_it_needs_a_justification(worker: Worker, session: Session, glass: BreakGlass, words: str) -> None:
    """In words."""
    with pytest.raises(Refused):
        await glass.open(session.principal, words, 10)
    assert await records(worker) == []


async def test_it_is_opened_once(worker: Worker, session: Session, glass: BreakGlass, clock: Clock) -> None:
    """Again when it is over: on a record of its own."""
    await glass.open(session.principal, WHY, 10)
    assert await refusal(glass.open(session.principal, WHY, 10)) is BreakGlassProblem.ALREADY_OPEN
    clock.ahead = OVER
    await glass.open(session.principal, WHY, 10)
    assert len(await records(worker)) == 2


@pytest.mark.parametrize(
    "fields",
    [
        {"roles": []},
        {"roles": [{"role": "ADMIN"}, {"role": "ANALYST"}]},
        {"roles": [{"role": "SUPPORT", "expires_at": now() - timedelta(hours=1)}]},
        {"status": "SUSPENDED"},
    ],
    ids=["none", "other roles", "expired", "suspended"],
)
async def test_whoever_has_lost_the_role_opens_nothing(
    worker: Worker, session: Session, glass: BreakGlass, fields: dict[str, Any]
) -> None:
    """Whatever their token says."""
    await worker.database.update_one(UserDocument, {"_id": session.person}, {"$set": fields})
    assert await refusal(glass.open(session.principal, WHY, 10)) is BreakGlassProblem.ROLE_ENDED
    assert await records(worker) == []


def test_those_who_open_are_those_whom_the_rules_permit() -> None:
    """One list is read by the policy, the other one when it is opened."""
    permits = [rule for rule in RULES if rule.access is Access.WRITE and rule.outcome is not Outcome.DENIED]
    assert set(OPENERS) == {it.who for it in permits if isinstance(it.who, Role) and Label.BREAK_GLASS in it.covers}


async def test_a_session_that_has_ended_lends_nothing(worker: Worker, session: Session, glass: BreakGlass) -> None:
    """Its record says that it was over at once."""
    await worker.sessions.end_all(session.person)
    assert await refusal(glass.open(session.principal, WHY, 10)) is BreakGlassProblem.SESSION_ENDED
    [row] = await records(worker)
    assert row["ended_at"] == row["opened_at"]


async def test_nobody_and_services_have_no_session(glass: BreakGlass, session: Session) -> None:
    """So there is nothing to lend to."""
    for caller in (Principal(shape=session.principal.shape), Principal(shape=session.principal.shape, id="usr_eu_x")):
        assert await refusal(glass.open(caller, WHY, 10)) is BreakGlassProblem.SESSION_ENDED
        assert await refusal(glass.end(caller)) is BreakGlassProblem.NOT_OPEN


async def test_it_is_given_back(worker: Worker, session: Session, glass: BreakGlass) -> None:
    """The tokens that carry it end; the session goes on without it."""
    opened = await glass.open(session.principal, WHY, 10)
    ended = await glass.end(opened.session.principal)
    assert not (await worker.whose(opened.session.access_token)).authenticated
    assert Purpose.EMERGENCY not in await purposes(worker, ended.access_token)
    [row] = await records(worker)
    assert row["ended_at"] is not None
    assert await refusal(glass.end(ended.principal)) is BreakGlassProblem.NOT_OPEN


async def test_one_is_not_ended_from_another_session(worker: Worker, session: Session, glass: BreakGlass) -> None:
    """Each session gives back its own."""
    await glass.open(session.principal, WHY, 10)
    other = await worker.sign_in()
    assert await refusal(glass.end(other.principal)) is BreakGlassProblem.NOT_OPEN


async def test_it_is_reviewed_when_it_is_over(
    worker: Worker, session: Session, glass: BreakGlass, clock: Clock
) -> None:
    """By somebody else, once."""
    opened = await glass.open(session.principal, WHY, 10)
    assert await refusal(glass.review(opened.id, "usr_eu_x", GOOD, WHY)) is BreakGlassProblem.STILL_OPEN
    clock.ahead = OVER
    assert await refusal(glass.review(opened.id, session.person, GOOD, WHY)) is BreakGlassProblem.NOT_YOURSELF
    assert await refusal(glass.review("bgl_eu_x", "usr_eu_x", GOOD, WHY)) is BreakGlassProblem.NOT_FOUND
    with pytest.raises(Refused):
        await glass.review(opened.id, "usr_eu_x", GOOD, "fine")
    await glass.review(opened.id, "usr_eu_x", ReviewVerdict.NOT_JUSTIFIED, "Asked the caller: no danger")
    [row] = await records(worker)
    said = {"reviewed_by": "usr_eu_x", "verdict": "NOT_JUSTIFIED", "note": "Asked the caller: no danger"}
    assert row.items() >= said.items()
    assert await refusal(glass.review(opened.id, "usr_eu_y", GOOD, WHY)) is BreakGlassProblem.ALREADY_REVIEWED
    assert (await records(worker)) == [row]


async def test_one_that_was_given_back_is_reviewed_at_once(session: Session, glass: BreakGlass) -> None:
    """It need not run out first."""
    opened = await glass.open(session.principal, WHY, 60)
    await glass.end(opened.session.principal)
    await glass.review(opened.id, "usr_eu_x", GOOD, WHY)


async def test_of_two_reviews_at_once_one_counts(
    worker: Worker, session: Session, glass: BreakGlass, clock: Clock
) -> None:
    """The other is told so."""
    opened = await glass.open(session.principal, WHY, 10)
    clock.ahead = OVER
    reviews = [glass.review(opened.id, f"usr_eu_{n}", GOOD, WHY) for n in range(5)]
    results = await asyncio.gather(*reviews, return_exceptions=True)
    refused = [it.problem for it in results if isinstance(it, BreakGlassRefused)]
    assert refused == [BreakGlassProblem.ALREADY_REVIEWED] * 4


async def test_those_who_review_are_those_who_hold_the_roles(glass: BreakGlass, person: Person) -> None:
    """Now, and who can sign in."""
    admin = await person("ann", roles=[{"role": "ADMIN"}])
    officer = await person("bob", roles=[{"role": "SECURITY"}, {"role": "ADMIN"}])
    await person("past", roles=[{"role": "ADMIN", "expires_at": now() - timedelta(hours=1)}, *SUPPORT])
    await person("shut", roles=[{"role": "SECURITY"}], status="SUSPENDED")
    await person("help", roles=SUPPORT)
    assert sorted(await glass.reviewers()) == sorted([admin, officer])
