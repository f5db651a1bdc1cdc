"""Enrolling, using and removing second factors, on both databases."""

from __future__ import annotations

import pytest
from pyotp import TOTP

from auth.factors import FactorProblem, Proof, Proven
from auth.factors.enrolment import LIFETIME, MOST
from auth.factors.removal import Removal
from auth.revocations import Revocations
from auth.tickets import Ticket
from models.database import Database
from models.factor import FactorDocument
from models.ids import new_id
from models.ticket import TicketKind
from models.vocabulary import FactorKind
from tests.e2e.authenticator import Authenticator
from tests.integration.identity.desks import STEP, Desk, desk_on, refused
from tests.integration.identity.workers import ISSUER


@pytest.fixture
def desk(any_database: Database) -> Desk:
    """On either database."""
    return desk_on(any_database)


@pytest.fixture
def real(database: Database) -> Desk:
    """On the real one, where changes meet."""
    return desk_on(database)


async def test_an_app_counts_once_it_is_confirmed(desk: Desk) -> None:
    """Before that its codes prove nothing, and the account says nothing of it."""
    person = await desk.person()
    made = await desk.enrolment.begin_totp(person)
    app = TOTP(made.secret)
    assert await desk.code(person, app.at(desk.clock())) is None
    assert await desk.kinds(person) is None
    assert (await desk.factors.ask(person, "secret")).kinds == ()
    enrolled = await desk.enrolment.confirm_totp(person, made.id, app.at(desk.clock()), "Phone")
    assert (enrolled.id, len(enrolled.recovery_codes or ())) == (made.id, 10)
    assert await desk.kinds(person) == ["TOTP"]
    desk.clock.ahead += STEP
    assert await desk.code(person, app.at(desk.clock())) == Proven(person, FactorKind.TOTP, frozenset({"otp"}))
    assert (await desk.factors.ask(person, "secret")).kinds == (FactorKind.TOTP, FactorKind.RECOVERY_CODE)


async def test_the_code_that_confirms_is_used_up(desk: Desk) -> None:
    """As every code is; earlier ones that were never shown are over with it."""
    person = await desk.person()
    made = await desk.enrolment.begin_totp(person)
    app, now = TOTP(made.secret), desk.clock()
    await desk.enrolment.confirm_totp(person, made.id, app.at(now), None)
    assert await desk.code(person, app.at(now)) is None
    assert await desk.code(person, app.at(now - STEP)) is None
    assert await desk.code(person, app.at(now + STEP)) is not None
    assert await desk.code(person, app.at(now + STEP)) is None


async def test_a_wrong_code_confirms_nothing(desk: Desk) -> None:
    """And may be tried again, until the enrolment is too old."""
    person = await desk.person()
    made = await desk.enrolment.begin_totp(person)
    app = TOTP(made.secret)
    wrong = app.at(desk.clock() - 10 * STEP)
    assert await refused(desk.enrolment.confirm_totp(person, made.id, wrong, None)) is FactorProblem.WRONG_CODE
    desk.clock.ahead += LIFETIME + STEP
    late = desk.enrolment.confirm_totp(person, made.id, app.at(desk.clock()), None)
    assert await refused(late) is FactorProblem.NOT_FOUND
    assert await desk.stored(person) == []


async def test_an_enrolment_is_ones_own(desk: Desk) -> None:
    """And a new one takes the place of one that was not confirmed."""
    alice, mallory = await desk.person("alice"), await desk.person("mallory")
    first = await desk.enrolment.begin_totp(alice)
    code = TOTP(first.secret).at(desk.clock())
    assert await refused(desk.enrolment.confirm_totp(mallory, first.id, code, None)) is FactorProblem.NOT_FOUND
    await desk.enrolment.begin_totp(alice)
    assert await refused(desk.enrolment.confirm_totp(alice, first.id, code, None)) is FactorProblem.NOT_FOUND
    assert await desk.database.count(FactorDocument, {"person": alice}) == 1


async def test_codes_are_of_the_person(desk: Desk) -> None:
    """Somebody else's prove nothing."""
    alice, mallory = await desk.person("alice"), await desk.person("mallory")
    app, _, codes = await desk.app(alice)
    assert await desk.code(mallory, app.at(desk.clock())) is None
    assert codes is not None
    assert await desk.recover(mallory, codes[0]) is None
    assert await desk.recover(alice, codes[0]) is not None


async def test_recovery_codes_come_once_and_are_stored_as_hashes(desk: Desk) -> None:
    """With the first factor, of whatever kind."""
    person = await desk.person()
    await desk.passkey(person, Authenticator(ISSUER))
    [row] = await desk.database.find(FactorDocument, {"person": person, "kind": "RECOVERY_CODE"})
    assert {len(each) for each in row["code_hashes"]} == {32}
    _, _, codes = await desk.app(person)
    assert codes is None
    renewed = await desk.enrolment.new_codes(person)
    assert await desk.stored(person) == ["PASSKEY", "RECOVERY_CODE", "TOTP"]
    assert await desk.recover(person, renewed[3]) is not None
    assert await desk.recover(person, renewed[3]) is None
    again = await desk.enrolment.new_codes(person)
    assert await desk.recover(person, renewed[4]) is None
    assert await desk.recover(person, again[4].upper()) is not None


async def test_who_has_used_all_recovery_codes_gets_new_ones(desk: Desk) -> None:
    """With the next factor."""
    person = await desk.person()
    _, _, codes = await desk.app(person)
    for code in codes or ():
        assert await desk.recover(person, code) is not None
    _, _, more = await desk.app(person)
    assert len(more or ()) == 10
    assert await desk.stored(person) == ["RECOVERY_CODE", "TOTP", "TOTP"]


async def test_there_are_no_recovery_codes_without_a_factor(desk: Desk) -> None:
    """They would be another password."""
    person = await desk.person()
    assert await refused(desk.enrolment.new_codes(person)) is FactorProblem.NO_FACTORS
    assert await desk.stored(person) == []


async def test_the_last_factor_takes_the_codes_with_it(desk: Desk) -> None:
    """One of two does not."""
    person = await desk.person()
    _, app, codes = await desk.app(person)
    key = await desk.passkey(person, Authenticator(ISSUER))
    assert await desk.kinds(person) == ["PASSKEY", "TOTP"]
    assert await desk.enrolment.remove(person, app) == {FactorKind.PASSKEY}
    assert (await desk.kinds(person), await desk.stored(person)) == (["PASSKEY"], ["PASSKEY", "RECOVERY_CODE"])
    assert await desk.enrolment.remove(person, key) == frozenset()
    assert (await desk.kinds(person), await desk.stored(person)) == (None, [])
    assert codes is not None
    assert await desk.recover(person, codes[0]) is None


async def test_what_is_not_ones_own_cannot_be_removed(desk: Desk) -> None:
    """Nor what is not there; the answer is the same."""
    alice, mallory = await desk.person("alice"), await desk.person("mallory")
    _, app, _ = await desk.app(alice)
    assert await refused(desk.enrolment.remove(mallory, app)) is FactorProblem.NOT_FOUND
    assert await refused(desk.enrolment.remove(mallory, "fac_eu_nothing")) is FactorProblem.NOT_FOUND
    assert await desk.kinds(alice) == ["TOTP"]


@pytest.mark.parametrize(("short", "problem"), [(True, FactorProblem.PASSWORD_TOO_SHORT), (False, None), (None, None)])
async def test_a_short_password_keeps_its_factor(real: Desk, short: bool | None, problem: FactorProblem | None) -> None:
    """The last one; nothing is changed by the attempt."""
    person = await real.person(password_short=short)
    _, first, _ = await real.app(person)
    _, second, _ = await real.app(person)
    assert await refused(real.enrolment.remove(person, first)) is None
    assert await refused(real.enrolment.remove(person, second)) is problem
    kept = problem is not None
    assert await real.kinds(person) == (["TOTP"] if kept else None)
    assert await real.stored(person) == (["RECOVERY_CODE", "TOTP"] if kept else [])


async def test_what_an_operator_removes_takes_along_what_was_begun(desk: Desk) -> None:
    """By whoever holds a foreign factor: a step-up, a passkey, another address. A reset is the owner's way back."""
    person, other = await desk.person(), await desk.person("mallory")
    _, app, codes = await desk.app(person)
    await desk.app(other)
    begun = {kind: await desk.tickets.issue(Ticket(kind, person), LIFETIME) for kind in TicketKind}
    removed = await Removal(desk.database, Revocations(desk.database)).remove(person, app, "Somebody else's factor")
    assert [each.kind for each in removed.factors] == [FactorKind.TOTP, FactorKind.RECOVERY_CODE]
    assert (await desk.kinds(person), await desk.stored(person)) == (None, [])
    assert (await desk.kinds(other), await desk.stored(other)) == (["TOTP"], ["RECOVERY_CODE", "TOTP"])
    left = {kind for kind, secret in begun.items() if await desk.tickets.look_at(kind, secret) is not None}
    assert left == {TicketKind.PASSKEY_SIGN_IN, TicketKind.EMAIL_VERIFICATION, TicketKind.PASSWORD_RESET}
    assert await desk.recover(person, (codes or ())[0]) is None


async def test_there_are_only_so_many(desk: Desk) -> None:
    """Each more is one more to guess."""
    person = await desk.person()
    rows = [FactorDocument(id=f"fac_{n}", person=person, kind=FactorKind.TOTP, confirmed=True) for n in range(MOST)]
    for row in rows:
        await desk.database.insert(row)
    assert await refused(desk.app(person)) is FactorProblem.TOO_MANY_FACTORS


async def test_nobody_has_no_factors(desk: Desk) -> None:
    """A deleted account cannot be given one."""
    gone = new_id("usr", "eu")
    assert await refused(desk.enrolment.begin_totp(gone)) is FactorProblem.NOT_FOUND
    assert await refused(desk.enrolment.begin_passkey(gone, None)) is FactorProblem.NOT_FOUND
    assert await desk.code(gone, "123456") is None
    assert await desk.recover(gone, "abcd") is None


async def test_no_secret_shows(desk: Desk) -> None:
    """In what is handed about."""
    person = await desk.person()
    made, begun = await desk.enrolment.begin_totp(person), await desk.enrolment.begin_passkey(person, "ses_1")
    enrolled = await desk.enrolment.confirm_totp(person, made.id, TOTP(made.secret).at(desk.clock()), None)
    asked = await desk.factors.ask(person, begun.challenge)
    proof = Proof("codeqx", "recoveryqx", "passkeyqx", "challengeqx")
    assert enrolled.recovery_codes is not None
    shown = "".join(map(repr, (made, begun, enrolled, asked, proof)))
    secrets = (
        made.secret,
        made.uri,
        begun.challenge,
        begun.options,
        *enrolled.recovery_codes,
        "codeqx",
        "recoveryqx",
        "passkeyqx",
        "challengeqx",
    )
    assert [each for each in secrets if each in shown] == []
