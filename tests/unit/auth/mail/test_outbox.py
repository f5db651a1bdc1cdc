"""The outbox: never in the way, bounded, patient with servers, and silent about people."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from email.message import EmailMessage

import pytest
from structlog.testing import capture_logs

from auth.mail import Notice, Outbox
from auth.mail.letters import Letters, read_sender
from auth.mail.mailer import NotSent
from models.database import Database
from models.errors import DatabaseUnavailable
from models.ids import new_id
from models.user import UserDocument

LETTERS = Letters(read_sender("no-reply@users.example"), "https://users.example/account")
ADDRESS = "alice@people.example"


class Post:
    """Takes mails, after `failures`; holds them back until it is `open`."""

    def __init__(self) -> None:
        self.failures: list[Exception] = []
        self.sent: list[EmailMessage] = []
        self.open, self.failed = asyncio.Event(), asyncio.Event()
        self.open.set()

    async def send(self, message: EmailMessage) -> None:
        """As a mail server would."""
        await self.open.wait()
        if self.failures:
            self.failed.set()
            raise self.failures.pop(0)
        self.sent.append(message)


Make = Callable[..., Outbox]


@pytest.fixture
def post() -> Post:
    """A mail server of sorts."""
    return Post()


@pytest.fixture
def counted() -> list[str]:
    """What the metrics are told."""
    return []


@pytest.fixture
async def make(memory_database: Database, post: Post, counted: list[str]) -> AsyncIterator[Make]:
    """An outbox that waits for nothing between its attempts."""
    made: list[Outbox] = []

    def outbox(capacity: int = 100, pauses: tuple[float, ...] = (0.0, 0.0)) -> Outbox:
        made.append(
            Outbox(
                memory_database,
                post,
                LETTERS,
                count=counted.append,
                capacity=capacity,
                pauses=pauses,
                spread=(0.0, 0.0),
            )
        )
        return made[-1]

    yield outbox
    for each in made:
        await each.stop(grace=1.0)


@pytest.fixture
async def alice(memory_database: Database) -> str:
    """Somebody with a proven address."""
    user = UserDocument(
        id=new_id("usr", "eu"),
        username="alice",
        username_key="alice",
        email=ADDRESS,
        email_verified=True,
    )
    await memory_database.insert(user)
    return user.id


def letter() -> EmailMessage:
    """Some mail."""
    message = EmailMessage()
    message["To"] = ADDRESS
    return message


async def test_a_person_is_told_by_name_at_the_proven_address(make: Make, post: Post, alice: str) -> None:
    """With the details that were given."""
    outbox = make()
    outbox.notify(alice, Notice.PASSWORD_CHANGED, device="Firefox")
    assert post.sent == []  # it returns before anything is done
    await outbox.stop()
    assert [mail["To"] for mail in post.sent] == [ADDRESS]
    assert "Hello alice," in post.sent[0].get_content()
    assert "Device: Firefox" in post.sent[0].get_content()


async def test_nobody_is_told_where_nobody_is(make: Make, post: Post, memory_database: Database) -> None:
    """A person without an address, and one who is gone."""
    user = UserDocument(id=new_id("usr", "eu"), username="bob", username_key="bob")
    await memory_database.insert(user)
    outbox = make()
    outbox.notify(user.id, Notice.PASSWORD_CHANGED)
    outbox.notify("usr_eu_nobody", Notice.PASSWORD_CHANGED)
    await outbox.stop()
    assert post.sent == []


async def test_a_server_that_is_down_is_asked_again(make: Make, post: Post, counted: list[str]) -> None:
    """The mail is sent once in the end."""
    post.failures = [NotSent("down", again=True), NotSent("down", again=True)]
    outbox = make()
    outbox.post(letter())
    await outbox.settled()
    assert len(post.sent) == 1
    assert counted == ["sent"]


async def test_after_the_last_attempt_a_mail_is_dropped_with_a_line(make: Make, post: Post, counted: list[str]) -> None:
    """Which names no address."""
    post.failures = [NotSent("down", again=True)] * 3
    outbox = make()
    with capture_logs() as lines:
        outbox.post(letter())
        await outbox.settled()
    assert [(line["event"], line["reason"]) for line in lines] == [("mail_dropped", "unavailable")]
    assert ADDRESS not in str(lines)
    assert (post.sent, counted) == ([], ["failed"])


async def test_a_mail_that_is_refused_for_good_is_not_tried_again(make: Make, post: Post) -> None:
    """No such mailbox."""
    post.failures = [NotSent("no such mailbox", again=False)]
    outbox = make()
    with capture_logs() as lines:
        outbox.post(letter())
        await outbox.settled()
    assert (post.sent, [line["reason"] for line in lines]) == ([], ["refused"])


async def test_a_defect_is_told_without_its_text(make: Make, post: Post) -> None:
    """The text of an unexpected error may hold anything."""
    post.failures = [RuntimeError(ADDRESS)]
    outbox = make()
    with capture_logs() as lines:
        outbox.post(letter())
        await outbox.stop()
    assert [line["event"] for line in lines] == ["mail_failed", "mail_dropped"]
    assert [line["log_level"] for line in lines] == ["error", "warning"]


async def test_a_full_queue_drops_with_a_line_and_no_error(make: Make, post: Post, counted: list[str]) -> None:
    """What is in it already still goes."""
    post.open.clear()
    outbox = make(capacity=2)
    with capture_logs() as lines:
        for _ in range(5):
            outbox.post(letter())
    assert [(line["event"], line["reason"]) for line in lines] == [("mail_dropped", "full")] * 3
    post.open.set()
    await outbox.stop()
    assert len(post.sent) == 2
    assert counted == ["dropped"] * 3 + ["sent"] * 2


async def test_work_is_done_again_when_the_database_was_away(make: Make) -> None:
    """Not the mails that it has posted."""
    outbox, attempts = make(), 0

    async def work() -> None:
        nonlocal attempts
        attempts += 1
        if attempts < 3:
            raise DatabaseUnavailable

    outbox.run(work)
    await outbox.settled()
    assert attempts == 3


async def test_stopping_makes_a_last_attempt_at_what_was_to_wait(make: Make, post: Post) -> None:
    """A pause of an hour ends with the process."""
    post.failures = [NotSent("down", again=True)]
    outbox = make(pauses=(3600.0,))
    outbox.post(letter())
    await post.failed.wait()
    assert post.sent == []
    await outbox.stop()
    assert len(post.sent) == 1


async def test_stopping_does_not_wait_for_a_server_that_hangs(make: Make, post: Post) -> None:
    """How many mails were lost is told."""
    post.open.clear()
    outbox = make()
    with capture_logs() as lines:
        outbox.post(letter())
        outbox.post(letter())
        await outbox.stop(grace=0.05)
    assert [(line["event"], line["count"]) for line in lines] == [("mails_lost", 2)]
