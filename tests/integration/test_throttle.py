"""Attempts are counted by account and by network, shared by all workers."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from auth.allowances import (
    ALLOWANCES,
    FREE,
    LONGEST_DELAY,
    OF_DEVICES,
    PLACES,
    QUIET,
    WINDOW,
    Action,
    delay_after,
    prefix_of,
)
from auth.throttle import Throttle
from models.crypto.macs import MacKey
from models.database import Database
from models.errors import BadInput, RateLimited
from models.throttle import ThrottleDocument
from models.user import UserDocument

ALICE: Final = "usr_eu_alice"
HOME: Final = "203.0.113.7"


class Clock:
    """A time that tests move."""

    def __init__(self) -> None:
        # NOTE: not long past, or the database would find that the rows have ended.
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, time: timedelta) -> None:
        """Let time go by."""
        self.now += time


@pytest.fixture
def clock() -> Clock:
    """The time of all throttles of a test."""
    return Clock()


@pytest.fixture
def throttle(any_database: Database, clock: Clock) -> Throttle:
    """One worker's throttle."""
    return Throttle(any_database, MacKey.generate(), clock=clock)


async def fail(
    throttle: Throttle,
    account: str | None = ALICE,
    network: str | None = None,
    *,
    action: Action = Action.SIGN_IN,
    device: str | None = None,
) -> None:
    """Try once, in vain."""
    async with throttle.attempt(action, account=account, network=network, device=device) as attempt:
        attempt.failed()


async def succeed(
    throttle: Throttle, account: str | None = ALICE, network: str | None = None, *, device: str | None = None
) -> None:
    """Try once, rightly."""
    async with throttle.attempt(Action.SIGN_IN, account=account, network=network, device=device):
        pass


async def exhaust(throttle: Throttle, account: str = ALICE, *, device: str | None = None) -> None:
    """Fail until the account has to wait."""
    for _ in range(FREE):
        await fail(throttle, account, device=device)


async def test_some_failures_are_free_and_then_there_is_a_wait(throttle: Throttle, clock: Clock) -> None:
    """The right password is refused as well while it lasts, and counts again afterwards."""
    await exhaust(throttle)
    with pytest.raises(RateLimited) as refused:
        await succeed(throttle)
    assert refused.value.retry_after == 1
    clock.pass_by(timedelta(seconds=1))
    await succeed(throttle)


async def test_each_further_failure_doubles_the_wait(throttle: Throttle, clock: Clock) -> None:
    """Up to the longest."""
    await exhaust(throttle)
    for wait in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, LONGEST_DELAY, LONGEST_DELAY):
        with pytest.raises(RateLimited) as refused:
            await fail(throttle)
        assert refused.value.retry_after == wait
        clock.pass_by(timedelta(seconds=wait))
        await fail(throttle)


async def test_a_success_ends_the_count(throttle: Throttle) -> None:
    """Typing errors of a week do not add up."""
    for _ in range(3):
        for _ in range(FREE - 1):
            await fail(throttle)
        await succeed(throttle)


async def test_a_quiet_day_ends_the_count(throttle: Throttle, clock: Clock) -> None:
    """Also before the database has removed the row."""
    await exhaust(throttle)
    clock.pass_by(timedelta(seconds=1))
    await fail(throttle)
    clock.pass_by(QUIET + timedelta(seconds=2))
    await exhaust(throttle)
    clock.pass_by(timedelta(seconds=1))
    await fail(throttle)


async def test_of_many_at_once_no_more_are_told_than_one_after_another(any_database: Database, clock: Clock) -> None:
    """Guesses on the way when the wait begins are told nothing, not even the right one."""
    key = MacKey.generate()
    workers = [Throttle(any_database, key, clock=clock) for _ in range(2)]
    barrier = asyncio.Barrier(41)

    async def one(number: int) -> bool:
        try:
            async with workers[number % 2].attempt(Action.SIGN_IN, account=ALICE, network=None) as attempt:
                await barrier.wait()
                if number == 40:
                    await asyncio.sleep(0.5)  # the right guess comes last
                else:
                    attempt.failed()
        except RateLimited:
            return False
        return True

    told = await asyncio.gather(*map(one, range(41)))
    assert sum(told[:40]) == FREE
    assert not told[40]


async def test_workers_share_the_count(any_database: Database, clock: Clock) -> None:
    """Failures at one are known to the other."""
    key = MacKey.generate()
    await exhaust(Throttle(any_database, key, clock=clock))
    with pytest.raises(RateLimited):
        await succeed(Throttle(any_database, key, clock=clock))


async def test_accounts_and_actions_are_counted_apart(throttle: Throttle) -> None:
    """One that waits leaves the others alone."""
    await exhaust(throttle)
    await succeed(throttle, "usr_eu_bob")
    await fail(throttle, action=Action.PASSWORD)


async def test_the_owner_is_not_locked_out(throttle: Throttle, clock: Clock) -> None:
    """A device that was signed in from before is counted apart, whatever strangers do."""
    device = throttle.devices.issue(ALICE)
    await exhaust(throttle)
    with pytest.raises(RateLimited):
        await succeed(throttle)
    await succeed(throttle, device=device)
    clock.pass_by(timedelta(seconds=1))
    await fail(throttle)
    with pytest.raises(RateLimited):
        await fail(throttle)
    await succeed(throttle, device=device)


async def test_a_known_device_waits_by_itself(throttle: Throttle) -> None:
    """Its token lets nobody guess without end, and its waiting is not that of others."""
    device = throttle.devices.issue(ALICE)
    await exhaust(throttle, device=device)
    with pytest.raises(RateLimited):
        await succeed(throttle, device=device)
    await succeed(throttle)


async def test_many_known_devices_are_no_way_around_the_waits(throttle: Throttle, clock: Clock) -> None:
    """Whoever had the password before there was a second factor could have made known any number of them."""
    devices = [throttle.devices.issue(ALICE) for _ in range(OF_DEVICES + 1)]
    for device in devices[:-1]:
        await fail(throttle, device=device, action=Action.SECOND_FACTOR)
    with pytest.raises(RateLimited):
        await fail(throttle, device=devices[-1], action=Action.SECOND_FACTOR)
    await fail(throttle, action=Action.SECOND_FACTOR)  # strangers are counted apart
    await fail(throttle, "usr_eu_bob", device=throttle.devices.issue("usr_eu_bob"), action=Action.SECOND_FACTOR)
    clock.pass_by(WINDOW)
    await fail(throttle, device=devices[-1], action=Action.SECOND_FACTOR)


async def test_one_device_alone_is_held_up_by_its_own_waits(throttle: Throttle, clock: Clock) -> None:
    """The owner never meets what is there for many devices."""
    device, began, failures = throttle.devices.issue(ALICE), clock.now, 0
    while clock.now < began + WINDOW:
        try:
            await fail(throttle, device=device)
            failures += 1
        except RateLimited as refused:
            clock.pass_by(timedelta(seconds=refused.retry_after))
    assert failures < OF_DEVICES


async def test_a_known_device_passes_a_network_that_is_used_up(throttle: Throttle) -> None:
    """An attacker behind the same address keeps nobody out."""
    for number in range(ALLOWANCES[Action.SIGN_IN]):
        await fail(throttle, f"usr_eu_{number}", HOME)
    with pytest.raises(RateLimited):
        await succeed(throttle, ALICE, HOME)
    await succeed(throttle, ALICE, HOME, device=throttle.devices.issue(ALICE))


async def test_what_is_no_token_for_this_account_makes_no_device_known(throttle: Throttle) -> None:
    """Of another person, changed, or made up: it is a stranger's."""
    other, own = throttle.devices.issue("usr_eu_bob"), throttle.devices.issue(ALICE)
    forged = Throttle(throttle._database, MacKey.generate()).devices.issue(ALICE)
    await exhaust(throttle)
    name, issued, code = own.split(".")
    for device in (
        other,
        forged,
        own[:-2] + "AA",
        f"{name}.{int(issued) + 9}.{code}",
        "",
        "a.b",
        "..",
        "é.1.x",
        "x" * 999,
    ):
        with pytest.raises(RateLimited):
            await succeed(throttle, device=device)


async def test_devices_are_forgotten(throttle: Throttle, clock: Clock) -> None:
    """Half a year after the last sign-in."""
    device = throttle.devices.issue(ALICE)
    assert throttle.devices.recognise(device, ALICE) == device.split(".")[0]
    clock.pass_by(timedelta(days=180))
    assert throttle.devices.recognise(device, ALICE) is None


async def test_a_network_has_an_allowance(throttle: Throttle, clock: Clock) -> None:
    """Whatever accounts its failures are of; in the next window it has it again."""
    for number in range(ALLOWANCES[Action.SIGN_IN]):
        await fail(throttle, f"usr_eu_{number}", f"203.0.113.{number % 250}")
    with pytest.raises(RateLimited) as refused:
        await succeed(throttle, ALICE, HOME)
    assert 0 < refused.value.retry_after <= WINDOW.total_seconds()
    await succeed(throttle, ALICE, "203.0.114.7")
    clock.pass_by(WINDOW)
    await succeed(throttle, ALICE, HOME)


async def test_successes_use_nothing_up(throttle: Throttle) -> None:
    """A house full of people may sign in."""
    for number in range(ALLOWANCES[Action.SIGN_IN] + 1):
        await succeed(throttle, f"usr_eu_{number}", HOME)


async def test_every_registration_counts(throttle: Throttle) -> None:
    """Also those that went well, and of many at once no more get through."""

    async def register() -> bool:
        try:
            async with throttle.attempt(Action.REGISTER, account=None, network=HOME):
                return True
        except RateLimited:
            return False

    let_in = await asyncio.gather(*(register() for _ in range(ALLOWANCES[Action.REGISTER] + 20)))
    assert sum(let_in) == ALLOWANCES[Action.REGISTER]


async def test_every_request_for_a_reset_counts(throttle: Throttle) -> None:
    """Nobody's mailbox can be filled by somebody else."""
    for _ in range(FREE):
        async with throttle.attempt(Action.RESET, account=ALICE, network=None):
            pass
    with pytest.raises(RateLimited):
        async with throttle.attempt(Action.RESET, account=ALICE, network=None):
            pytest.fail("it must not be let in")


async def test_so_many_hash_at_once_and_no_more(any_database: Database, clock: Clock) -> None:
    """Those over it are turned away before they ask the database anything, and leave no place taken."""
    throttle = Throttle(any_database, MacKey.generate(), clock=clock)
    for _ in range(2):
        async with AsyncExitStack() as stack:
            for number in range(PLACES):
                await stack.enter_async_context(throttle.attempt(Action.SIGN_IN, login=f"no{number}", network=None))
            with pytest.raises(RateLimited) as refused:
                await succeed(throttle)
            assert refused.value.retry_after == 2
            async with throttle.attempt(Action.REFRESH, account=None, network=HOME):
                pass  # hashes nothing


@pytest.fixture
async def alice(any_database: Database) -> str:
    """Somebody with a user name and an address; her id."""
    address = "a@people.example"
    await any_database.insert(UserDocument(id=ALICE, username="Alice", username_key="alice", email=address))
    return ALICE


async def sign_in(throttle: Throttle, login: str, *, device: str | None = None, wrong: bool = False) -> bool:
    """Try once by a name; whether it was let in."""
    try:
        async with throttle.attempt(Action.SIGN_IN, login=login, network=None, device=device) as attempt:
            if wrong:
                attempt.failed()
    except RateLimited:
        return False
    return True


@pytest.mark.usefixtures("alice")
async def test_all_spellings_of_a_name_count_as_one(throttle: Throttle) -> None:
    """What nobody has is counted as well, and what nobody could have."""
    for login in ("alice", "a@people.example", "nobody", "no@people.example", "\0 no name at all"):
        assert [await sign_in(throttle, login, wrong=True) for _ in range(FREE)] == [True] * FREE
    for login in ("ALICE", "A@people.example", "Nobody", "No@People.example", "\0 no name at all"):
        assert not await sign_in(throttle, login)


@pytest.mark.usefixtures("alice")
@pytest.mark.parametrize("device", [None, "made.1.up"])
@pytest.mark.parametrize(("waiting", "other"), [("a@people.example", "alice"), ("alice", "a@people.example")])
async def test_waiting_does_not_tell_which_names_are_of_one_account(
    throttle: Throttle, waiting: str, other: str, device: str | None
) -> None:
    """Whoever knows the one does not find out the other: it is let in like any other name."""
    while await sign_in(throttle, waiting, device=device, wrong=True):
        pass
    assert await sign_in(throttle, other, device=device)
    assert await sign_in(throttle, "nobody", device=device)


async def test_a_device_is_known_by_all_names_of_its_account(throttle: Throttle, alice: str) -> None:
    """While strangers are kept from them; and what fails by one is counted by the other as well."""
    device = throttle.devices.issue(alice)
    for login in ("alice", "a@people.example"):
        while await sign_in(throttle, login, wrong=True):
            pass
        assert await sign_in(throttle, login, device=device)
    names = ["alice", "A@people.example"] * FREE
    failures = [await sign_in(throttle, login, device=device, wrong=True) for login in names]
    assert failures == [True] * FREE + [False] * FREE


async def test_what_breaks_is_not_counted(throttle: Throttle) -> None:
    """An input that could not be used, or a database away, is nobody's failure."""
    for _ in range(FREE + 1):
        with pytest.raises(BadInput):
            async with throttle.attempt(Action.SIGN_IN, account=ALICE, network=HOME):
                raise BadInput("no")
    await succeed(throttle, ALICE, HOME)


async def test_nothing_personal_is_stored(throttle: Throttle, any_database: Database) -> None:
    """Neither account nor network, nor a plain hash of them; and every row has an end."""
    await fail(throttle, "alice@people.example", HOME)
    rows = await any_database.find(ThrottleDocument, {})
    assert len(rows) == 2
    for row in rows:
        assert set(row) == {"_id", "number", "until", "expires_at"}
        assert len(row["_id"]) == 43
    again = Throttle(any_database, MacKey.generate(), clock=throttle._clock)
    await fail(again, "alice@people.example", HOME)
    assert len(await any_database.find(ThrottleDocument, {})) == 4


@pytest.mark.parametrize(
    ("address", "prefix"),
    [
        ("203.0.113.7", "203.0.113.0/24"),
        ("::ffff:203.0.113.7", "203.0.113.0/24"),
        ("2001:db8:1:2::7", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("127.0.0.1", "127.0.0.0/24"),
        ("testclient", None),
        ("", None),
        (None, None),
    ],
)
def test_addresses_are_counted_by_their_network(address: str | None, prefix: str | None) -> None:
    """What is no address is counted by account only."""
    assert prefix_of(address) == prefix


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.0.1", "::1", "::ffff:127.0.0.1"])
def test_this_machine_can_be_left_out(address: str) -> None:
    """For development, where everybody is on it."""
    assert prefix_of(address, loopback=False) is None


def test_delays_grow_and_end() -> None:
    """From nothing to a quarter of an hour, however many failures there were."""
    delays = [delay_after(failures) for failures in (0, 1, FREE - 1, FREE, FREE + 1, FREE + 9, 10**6)]
    assert delays == [0, 0, 0, 1, 2, 512, LONGEST_DELAY]
