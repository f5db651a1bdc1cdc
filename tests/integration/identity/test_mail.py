"""Links in mails: how long they hold, for whom, and what is done before an answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from auth.addresses import LIFETIME, MOST, RESET_WAIT, Addresses, Proof
from auth.mail import Outbox
from auth.mail.letters import Letters, read_sender
from auth.recovery import Recovery
from auth.tickets import Ticket, Tickets
from graph.app import create_app
from graph.commands.migrating import migrate
from graph.settings import load_settings
from models.base import now
from models.database import Database
from models.embedded import Embedded
from models.names import normalise_email
from models.ticket import TicketDocument, TicketKind
from models.user import UserDocument
from models.vocabulary import FactorKind, UserStatus
from tests.e2e.mailbox import token_of
from tests.integration.identity.workers import PASSWORD, Clock, Person, Worker
from tests.integration.reading.world import Recorder
from tests.stores import clear_row, two_databases

ADDRESS, NEW = "alice@people.example", "alice@elsewhere.example"
NEW_PASSWORD = "a-quiet-harbour-at-dawn"
CHOOSE, WAITS = "Choose a new password", "A new password has to wait"
STAFF = "usr_eu_01m0stgb9pbc0kw5x7y2x8qjxs"
ASK = "mutation ($l: String!) { requestPasswordReset(input: {login: $l}) { requested errors { code } } }"


@dataclass
class Mails:
    """Recovery and addresses on a worker's database, and what they have mailed."""

    recovery: Recovery
    addresses: Addresses
    outbox: Outbox
    sent: list[EmailMessage] = field(default_factory=list)

    async def send(self, message: EmailMessage) -> None:
        """As a mail server would."""
        self.sent.append(message)

    async def link(self) -> str:
        """The token of the one mail that holds a link, once all is done."""
        await self.outbox.settled()
        (mail,) = (each for each in self.sent if "#" in each.get_content())
        self.sent.clear()
        return token_of(mail)

    async def in_force(self, person: str, email: str, *, by: str | None) -> None:
        """Propose an address and follow the link; what was mailed until then is forgotten."""
        await self.addresses.propose(person, email, by=by)
        assert await self.addresses.prove(await self.link()) is Proof.PROVEN
        await self.outbox.settled()
        self.sent.clear()

    async def subjects(self, address: str) -> list[str]:
        """What was written to `address`, once all is done."""
        await self.outbox.settled()
        return [str(mail["Subject"]) for mail in self.sent if mail["To"] == address]


@pytest.fixture
async def mails(worker: Worker) -> AsyncIterator[Mails]:
    """The parts, wired as in the application."""
    database, tickets = worker.database, Tickets(worker.database, clock=worker.clock)
    letters = Letters(read_sender("no-reply@users.example"), "https://users.example/account")
    made: Mails

    class Post:
        async def send(self, message: EmailMessage) -> None:
            await made.send(message)

    outbox = Outbox(database, Post(), letters, pauses=(), spread=(0.0, 0.0))
    recovery = Recovery(database, tickets, outbox, worker.passwords, worker.sessions, clock=worker.clock)
    made = Mails(recovery, Addresses(database, tickets, outbox, clock=worker.clock), outbox)
    yield made
    await outbox.stop()


@pytest.fixture
async def alice(person: Person) -> str:
    """Somebody with an address that is not proven."""
    return await person(email=ADDRESS)


async def stored(worker: Worker, person: str) -> dict[str, Any]:
    """A person's row, opened."""
    return await clear_row(worker.database, UserDocument, {"_id": person})


async def test_a_link_holds_for_half_an_hour(mails: Mails, worker: Worker, clock: Clock, alice: str) -> None:
    """Each kind."""
    mails.addresses.ask(alice)
    proving = await mails.link()
    mails.recovery.ask("Alice")
    resetting = await mails.link()
    clock.ahead = LIFETIME - timedelta(seconds=5)
    assert (await mails.recovery.reset(resetting, "short")).problems
    clock.ahead = LIFETIME + timedelta(seconds=5)
    late = await mails.recovery.reset(resetting, NEW_PASSWORD)
    assert (late.done, late.problems) == (False, ())
    assert await mails.addresses.prove(proving) is Proof.UNKNOWN
    assert "email_verified" not in await stored(worker, alice) or not (await stored(worker, alice))["email_verified"]


async def test_a_link_is_stored_as_a_hash(mails: Mails, worker: Worker, alice: str) -> None:
    """A copy of the database opens nothing."""
    mails.recovery.ask(ADDRESS)
    token = await mails.link()
    (ticket,) = await worker.database.find(TicketDocument, {"person": alice})
    assert token not in str(ticket)


@pytest.mark.parametrize("login", ["Alice", "alice", ADDRESS, ADDRESS.upper()])
async def test_a_reset_is_asked_for_by_name_or_address(login: str, mails: Mails, alice: str) -> None:
    """In any spelling that signs in."""
    mails.recovery.ask(login)
    assert await mails.subjects(ADDRESS) == ["Choose a new password"]


@pytest.mark.parametrize("login", ["Bob", "bob@people.example", "", "@", "\ud800", "x" * 100_000])
async def test_what_names_nobody_is_written_to_nobody(login: str, mails: Mails, alice: str) -> None:
    """And nothing fails."""
    mails.recovery.ask(login)
    await mails.outbox.settled()
    assert mails.sent == []


async def test_nobody_gets_more_links_than_a_few_at_a_time(mails: Mails, clock: Clock, alice: str) -> None:
    """Later there may be more."""
    for _ in range(MOST + 3):
        mails.recovery.ask("Alice")
        await mails.outbox.settled()
    assert len(mails.sent) == MOST


async def test_a_reset_proves_the_address(mails: Mails, worker: Worker, alice: str) -> None:
    """Whoever reads its mails is the only one who gets in from now on."""
    mails.recovery.ask("Alice")
    assert (await mails.recovery.reset(await mails.link(), NEW_PASSWORD)).done
    assert (await stored(worker, alice))["email_verified"]


async def test_a_reset_leaves_second_factors_and_then_proves_nothing(mails: Mails, worker: Worker, alice: str) -> None:
    """A shorter password is fine for as long as there is a factor. Whose factor it is does not show by a mail:
    with another's address and a passkey of one's own nobody gets that address called proven."""
    await worker.database.update_one(UserDocument, {"_id": alice}, {"$set": {"factor_kinds": [FactorKind.TOTP.value]}})
    mails.recovery.ask("Alice")
    assert (await mails.recovery.reset(await mails.link(), "qz-harbour")).done
    row = await stored(worker, alice)
    assert (row["factor_kinds"], row.get("email_verified", False), row["password_short"]) == (["TOTP"], False, True)


async def test_a_factor_that_goes_meanwhile_takes_the_short_password_with_it(
    mails: Mails, worker: Worker, alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the check of the password and its storing."""
    await worker.database.update_one(UserDocument, {"_id": alice}, {"$set": {"factor_kinds": [FactorKind.TOTP.value]}})
    mails.recovery.ask("Alice")
    token, hash_it = await mails.link(), worker.passwords.hash

    async def slowly(password: str) -> str:
        await worker.database.update_one(UserDocument, {"_id": alice}, {"$unset": {"factor_kinds": ""}})
        return await hash_it(password)

    monkeypatch.setattr(worker.passwords, "hash", slowly)
    assert not (await mails.recovery.reset(token, "qz-harbour")).done
    assert await worker.passwords.verify(PASSWORD, (await stored(worker, alice))["password_hash"])


async def test_of_resets_at_once_one_wins(mails: Mails, worker: Worker, alice: str) -> None:
    """All sessions end with it, and the person is told once."""
    mails.recovery.ask("Alice")
    token = await mails.link()
    passwords = [f"{NEW_PASSWORD}-{number}" for number in range(4)]
    done = await asyncio.gather(*(mails.recovery.reset(token, password) for password in passwords))
    assert sum(each.done for each in done) == 1
    won = passwords[[each.done for each in done].index(True)]
    assert await worker.passwords.verify(won, (await stored(worker, alice))["password_hash"])
    assert await mails.subjects(ADDRESS) == ["Your password was reset"]


async def test_a_reset_ends_what_was_begun_before(mails: Mails, worker: Worker, alice: str) -> None:
    """Other links, a change of address that somebody else may have asked for, a sign-in half done."""
    await mails.addresses.propose(alice, NEW)
    changing = await mails.link()
    tickets = Tickets(worker.database)
    challenge = await tickets.issue(Ticket(TicketKind.SECOND_FACTOR, alice), LIFETIME)
    links = []
    for _ in range(2):
        mails.recovery.ask("Alice")
        links.append(await mails.link())
    assert (await mails.recovery.reset(links[0], NEW_PASSWORD)).done
    assert not (await mails.recovery.reset(links[1], PASSWORD)).done
    assert await mails.addresses.prove(changing) is Proof.UNKNOWN
    assert await tickets.look_at(TicketKind.SECOND_FACTOR, challenge) is None


async def end_by_change(mails: Mails, worker: Worker, person: str) -> None:
    """As `changePassword` does after storing the new hash."""
    await worker.sessions.end_all(person)
    await mails.recovery.cancel(person)


async def end_by_reset(mails: Mails, worker: Worker, person: str) -> None:
    """As the owner does who has lost the password."""
    mails.recovery.ask("Alice")
    assert (await mails.recovery.reset(await mails.link(), NEW_PASSWORD)).done


@pytest.mark.parametrize("end", [end_by_change, end_by_reset])
async def test_an_ended_session_proposes_no_address(
    end: Callable[[Mails, Worker, str], Awaitable[None]], mails: Mails, worker: Worker, alice: str
) -> None:
    """Its token still holds for a moment at other workers: whoever stole it must not get the account back by a link."""
    session = (await worker.sign_in()).principal.session
    await mails.addresses.propose(alice, NEW, session=session)
    token = await mails.link()
    assert await Tickets(worker.database, clock=worker.clock).look_at(TicketKind.EMAIL_CHANGE, token) is not None
    await end(mails, worker, alice)
    mails.sent.clear()
    await mails.addresses.propose(alice, NEW, session=session)
    assert await mails.addresses.prove(await mails.link()) is Proof.UNKNOWN
    assert (await stored(worker, alice))["email"] == ADDRESS


async def test_a_reset_ends_sessions_before_what_they_have_begun(
    mails: Mails, worker: Worker, alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other way round, a session could begin something in between."""
    session = (await worker.sign_in()).principal.session
    end_all = worker.sessions.end_all

    async def slowly(person: str) -> int:
        await mails.addresses.propose(alice, NEW, session=session)
        return await end_all(person)

    mails.recovery.ask("Alice")
    token = await mails.link()
    monkeypatch.setattr(worker.sessions, "end_all", slowly)
    assert (await mails.recovery.reset(token, NEW_PASSWORD)).done
    assert await mails.addresses.prove(await mails.link()) is Proof.UNKNOWN


async def test_who_proposes_the_address_they_have_proves_it(mails: Mails, worker: Worker, alice: str) -> None:
    """Nobody is told that it is another one."""
    await mails.addresses.propose(alice, ADDRESS.title())
    assert await mails.addresses.prove(await mails.link()) is Proof.PROVEN
    assert (await stored(worker, alice))["email"] == ADDRESS.title()
    assert await mails.subjects(ADDRESS) == []


async def test_a_mailbox_of_the_same_key_is_another_one(mails: Mails, worker: Worker, alice: str) -> None:
    """What counts as one address here may be two for the world: whoever has the earlier one is told."""
    lookalike = ADDRESS.replace("l", "\uff4c", 1)  # a wide l
    assert normalise_email(lookalike)[1] == ADDRESS
    await mails.addresses.propose(alice, lookalike)
    assert await mails.addresses.prove(await mails.link()) is Proof.PROVEN
    assert "The email address of your account was changed" in await mails.subjects(ADDRESS)


async def test_an_address_is_proven_as_long_as_it_is_the_one(mails: Mails, worker: Worker, alice: str) -> None:
    """A link to an earlier address proves nothing of the present one."""
    mails.addresses.ask(alice)
    token = await mails.link()
    await worker.database.update_one(UserDocument, {"_id": alice}, {"$set": {"email": NEW}})
    assert await mails.addresses.prove(token) is Proof.UNKNOWN
    assert not (await stored(worker, alice))["email_verified"]


async def test_a_first_address_waits_for_its_proof_too(mails: Mails, worker: Worker, person: Person) -> None:
    """Somebody who was imported without one."""
    bob = await person("Bob")
    await mails.addresses.propose(bob, NEW)
    token = await mails.link()
    assert "email" not in await stored(worker, bob)
    assert await mails.addresses.prove(token) is Proof.PROVEN
    row = await stored(worker, bob)
    assert (row["email"], row["email_verified"]) == (NEW, True)


async def test_of_two_accounts_one_gets_an_address(mails: Mails, worker: Worker, alice: str, person: Person) -> None:
    """Both hold a link that proves it."""
    bob, tokens = await person("Bob"), []
    for one in (alice, bob):
        await mails.addresses.propose(one, NEW)
        tokens.append(await mails.link())
    proofs = await asyncio.gather(*map(mails.addresses.prove, tokens))
    assert sorted(proofs) == [Proof.PROVEN, Proof.TAKEN]
    owners = await worker.database.find(UserDocument, {"email": NEW})
    assert len(owners) == 1


async def test_a_new_address_ends_the_links_that_the_old_one_has(mails: Mails, worker: Worker, alice: str) -> None:
    """And the old one is told, last of all."""
    mails.recovery.ask("Alice")
    resetting = await mails.link()
    await mails.addresses.propose(alice, NEW)
    assert await mails.subjects(ADDRESS) == ["A new email address was asked for"]
    assert await mails.addresses.prove(await mails.link()) is Proof.PROVEN
    assert await worker.database.find(TicketDocument, {"person": alice}) == []
    assert not (await mails.recovery.reset(resetting, NEW_PASSWORD)).done
    assert await mails.subjects(ADDRESS) == ["The email address of your account was changed"]


@pytest.mark.parametrize("by", [STAFF, None])
@pytest.mark.parametrize("email", [ADDRESS, None])
async def test_an_address_from_others_opens_no_password_for_a_week(
    by: str | None, email: str | None, mails: Mails, worker: Worker, clock: Clock, person: Person
) -> None:
    """Else whoever may correct addresses, of staff or a service, would own every account."""
    alice = await person(**({} if email is None else {"email": email}))
    await mails.in_force(alice, NEW, by=by)
    assert (await stored(worker, alice))["email"] == NEW
    for ahead in (timedelta(), RESET_WAIT - timedelta(seconds=5)):
        clock.ahead = ahead
        for login in ("Alice", NEW):
            mails.recovery.ask(login)
            assert await mails.subjects(NEW) == [WAITS]
            assert "#" not in mails.sent.pop().get_content()
    clock.ahead = RESET_WAIT + timedelta(seconds=5)
    mails.recovery.ask(NEW)
    assert (await mails.recovery.reset(await mails.link(), NEW_PASSWORD)).done


async def test_an_address_of_ones_own_wish_opens_one_at_once(mails: Mails, alice: str) -> None:
    """Whoever wishes it has just proven who they are."""
    await mails.in_force(alice, NEW, by=alice)
    mails.recovery.ask(NEW)
    assert (await mails.recovery.reset(await mails.link(), NEW_PASSWORD)).done


@pytest.mark.parametrize("email", [ADDRESS, NEW])
async def test_the_person_ends_the_wait(email: str, mails: Mails, worker: Worker, alice: str) -> None:
    """By their own address again, or by proposing the same one themselves."""
    await mails.in_force(alice, NEW, by=STAFF)
    await mails.in_force(alice, email, by=alice)
    assert "reset_from" not in await stored(worker, alice)
    mails.recovery.ask("Alice")
    assert await mails.subjects(email) == [CHOOSE]


async def test_others_end_no_wait(mails: Mails, worker: Worker, clock: Clock, alice: str) -> None:
    """Confirming the address once more leaves it; a further one begins anew."""
    await mails.in_force(alice, NEW, by=STAFF)
    first = (await stored(worker, alice))["reset_from"]
    clock.ahead = timedelta(days=1)
    await mails.in_force(alice, NEW, by=STAFF)
    assert (await stored(worker, alice))["reset_from"] == first
    await mails.in_force(alice, "alice@third.example", by=None)
    assert (await stored(worker, alice))["reset_from"] >= first + timedelta(days=1)


async def test_confirming_somebodys_address_begins_no_wait(mails: Mails, worker: Worker, alice: str) -> None:
    """It stays the same mailbox."""
    await mails.in_force(alice, ADDRESS, by=STAFF)
    assert "reset_from" not in await stored(worker, alice)


async def test_an_address_that_waits_gets_no_more_mails_than_links(mails: Mails, clock: Clock, alice: str) -> None:
    """Nobody's mailbox is filled."""
    await mails.in_force(alice, NEW, by=STAFF)
    for _ in range(MOST + 3):
        mails.recovery.ask("Alice")
        await mails.outbox.settled()
    assert await mails.subjects(NEW) == [WAITS] * MOST


async def test_no_link_passes_by_a_wait(mails: Mails, worker: Worker, clock: Clock, alice: str) -> None:
    """Nor one that was sent before it began."""
    mails.recovery.ask("Alice")
    token, later = await mails.link(), worker.clock() + timedelta(minutes=1)
    await worker.database.update_one(UserDocument, {"_id": alice}, {"$set": {"reset_from": later}})
    assert not (await mails.recovery.reset(token, NEW_PASSWORD)).done
    assert await worker.passwords.verify(PASSWORD, (await stored(worker, alice))["password_hash"])
    clock.ahead = timedelta(minutes=2)
    assert (await mails.recovery.reset(token, NEW_PASSWORD)).done


async def test_the_earlier_address_learns_of_the_wait(mails: Mails, alice: str) -> None:
    """It is the time in which whoever reads it can object."""
    await mails.addresses.propose(alice, NEW, by=STAFF)
    assert await mails.addresses.prove(await mails.link()) is Proof.PROVEN
    assert await mails.subjects(ADDRESS) == ["The email address of your account was changed"]
    (told,) = (mail for mail in mails.sent if mail["To"] == ADDRESS)
    assert f"For {RESET_WAIT.days} days no new password" in told.get_content().replace("\n", " ")


@pytest.mark.parametrize(("by", "proof"), [(STAFF, Proof.UNKNOWN), (None, Proof.UNKNOWN), ("alice", Proof.PROVEN)])
async def test_who_is_given_a_role_meanwhile_keeps_their_address(
    by: str | None, proof: Proof, mails: Mails, worker: Worker, alice: str
) -> None:
    """The address of staff is changed by themselves only."""
    await mails.addresses.propose(alice, NEW, by=alice if by == "alice" else by)
    token = await mails.link()
    await worker.database.update_one(UserDocument, {"_id": alice}, {"$set": {"roles": [{"role": "ADMIN"}]}})
    assert await mails.addresses.prove(token) is proof
    assert (await stored(worker, alice))["email"] == (NEW if proof is Proof.PROVEN else ADDRESS)


@pytest.mark.parametrize("status", [UserStatus.SUSPENDED, None])
async def test_a_link_does_nothing_for_who_is_suspended_or_gone(
    status: UserStatus | None, mails: Mails, worker: Worker, alice: str
) -> None:
    """Nor does one go out, and nothing is left of the wish."""
    await mails.addresses.propose(alice, NEW)
    token = await mails.link()
    mails.sent.clear()
    if status is None:
        await worker.database.delete_one(UserDocument, {"_id": alice})
    else:
        await worker.database.update_one(UserDocument, {"_id": alice}, {"$set": {"status": status.value}})
    assert await mails.addresses.prove(token) is Proof.UNKNOWN
    for ask in (mails.recovery.ask, mails.addresses.ask):
        ask(alice if ask == mails.addresses.ask else "Alice")
    await mails.addresses.propose(alice, NEW)
    await mails.outbox.settled()
    assert mails.sent == []
    assert await worker.database.find(TicketDocument, {"person": alice}) == []


@pytest.fixture
async def recorded(mongod: Embedded, tmp_path: Path) -> AsyncIterator[tuple[Starlette, Database, Recorder]]:
    """The whole application on a real database that tells what it is asked."""
    recorder, settings = Recorder(), load_settings({"FIELDWARD_DATA_DIR": str(tmp_path)})
    async with two_databases(mongod.admin_url, listeners=[recorder]) as (database, store):
        await migrate(database, store, settings)
        app = create_app(settings, database=database, key_store=store)
        async with app.router.lifespan_context(app):
            yield app, database, recorder


async def test_before_the_answer_nothing_depends_on_whether_there_is_an_account(
    recorded: tuple[Starlette, Database, Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same commands on the same collections, and one piece of work left for later, whoever is named."""
    app, database, recorder = recorded
    user = UserDocument(id="usr_eu_alice", username="alice", username_key="alice", email=ADDRESS)
    await database.insert(user)
    waits = UserDocument(id="usr_eu_bob", username="bob", username_key="bob", email=NEW, reset_from=now() + RESET_WAIT)
    await database.insert(waits)
    later: list[object] = []
    monkeypatch.setattr(Outbox, "run", lambda _self, work: later.append(work))
    transport = httpx.ASGITransport(app, client=("203.0.113.7", 1))
    seen = []
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as http:
        for login in ("warm-up", "alice", ADDRESS, NEW, "nobody", "nobody@people.example", "@"):
            recorder.clear()
            answer = await http.post("/graphql", json={"query": ASK, "variables": {"l": login}})
            commands = [
                (name, command[name])
                for command in recorder.commands
                for name in ("find", "update", "insert", "delete", "aggregate", "count", "findAndModify")
                if name in command and command[name] != "revocations"
            ]
            seen.append((answer.status_code, answer.text, commands))
    assert all(each == seen[1] for each in seen[1:]), seen
    assert {collection for _name, collection in seen[1][2]} == {"throttle"}
    assert len(later) == 7
