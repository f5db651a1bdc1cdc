"""Letters: what they say, and that nothing from outside reaches their headers."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.mail import Notice
from auth.mail.letters import Letters, Recipient, read_sender
from auth.mail.notices import WORDINGS
from models.errors import BadInput
from models.names import normalise_email

PAGE = "https://users.example/account"
LETTERS = Letters(read_sender("Users <no-reply@users.example>"), PAGE)
PROVEN = Recipient("alice@people.example", "alice")


def arrived(letter: EmailMessage) -> EmailMessage:
    """The letter as its reader's program has it."""
    return message_from_bytes(letter.as_bytes(), policy=policy.default)


@pytest.mark.parametrize("notice", Notice)
def test_every_notice_has_words(notice: Notice) -> None:
    """In plain text and plain English, to one person, with nothing of them in the subject."""
    letter = arrived(LETTERS.notice(PROVEN, notice, {"device": "Firefox", "second_factor": "TOTP"}))
    assert (letter["To"], letter["From"]) == ("alice@people.example", "Users <no-reply@users.example>")
    assert letter["Subject"] == WORDINGS[notice].subject
    assert "alice" not in letter["Subject"]
    text = letter.get_content()
    assert text.startswith("Hello alice,")
    assert "Device: Firefox" in text
    assert "Second factor: TOTP" in text
    assert letter.get_content_type() == "text/plain"
    assert (PAGE in text) is WORDINGS[notice].at_page


def test_every_notice_is_in_the_table() -> None:
    """And nothing else."""
    assert set(WORDINGS) == set(Notice)


def test_an_address_that_is_not_proven_gets_nobodys_words() -> None:
    """A user name could be an advertisement, sent by us to a stranger."""
    text = LETTERS.notice(Recipient("alice@people.example"), Notice.PASSWORD_CHANGED, {}).get_content()
    assert text.startswith("Hello,")


@pytest.mark.parametrize(
    ("letter", "link"),
    [
        (LETTERS.verification(PROVEN, "a-Token_1"), f"{PAGE}#verify=a-Token_1"),
        (LETTERS.change(PROVEN, "a-Token_1"), f"{PAGE}#verify=a-Token_1"),
        (LETTERS.reset(PROVEN, "a" * 43), f"{PAGE}#reset={'a' * 43}"),
    ],
)
def test_a_link_stands_whole_on_a_line_of_its_own(letter: EmailMessage, link: str) -> None:
    """In the bare file too."""
    assert link in letter.as_bytes().decode().splitlines()


def test_what_has_to_wait_holds_the_moment_and_no_link() -> None:
    """In one time for everybody."""
    letter = LETTERS.reset_waits(Recipient("alice@people.example"), datetime(2026, 11, 30, 18, 5, tzinfo=UTC))
    text = letter.get_content()
    assert "after 2026-11-30 18:05 UTC" in text
    assert "#" not in text
    assert "alice" not in text


def test_a_token_is_in_the_fragment_alone() -> None:
    """What stands before it reaches servers, and their logs."""
    text = LETTERS.reset(PROVEN, "a-Token_1").get_content()
    assert [line for line in text.splitlines() if "a-Token_1" in line.partition("#")[0]] == []


@pytest.mark.parametrize(
    "email", ["a@b.example\r\nBcc: c@d.example", "a@b.example, c@d.example", "a@b", "", "a\n@b.example"]
)
def test_what_is_no_single_address_is_refused(email: str) -> None:
    """Without its value."""
    with pytest.raises(BadInput) as caught:
        LETTERS.reset(Recipient(email), "token")
    assert not email or email not in caught.value.message


@given(st.text(max_size=80), st.sampled_from(["people.example", "bücher.example", "a@people.example", "x\r\nBcc: y"]))
def test_headers_are_ours_whatever_an_address_holds(local: str, domain: str) -> None:
    """One recipient, and the headers that every letter has; or no letter at all."""
    try:
        email = normalise_email(f"{local}@{domain}")[0]
    except BadInput:
        return
    letter = arrived(LETTERS.reset(Recipient(email), "token"))
    expected = {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"}
    assert set(letter.keys()) - {"Content-Type", "Content-Transfer-Encoding", "MIME-Version"} == expected
    assert len(letter["To"].addresses) == 1


@given(st.text(), st.text(max_size=400))
def test_a_detail_is_one_line(key: str, value: str) -> None:
    """Neither its name nor its value can pretend to be another part of the mail."""
    details = {key: value}
    text = LETTERS.notice(PROVEN, Notice.PASSWORD_CHANGED, details).get_content()
    plain = LETTERS.notice(PROVEN, Notice.PASSWORD_CHANGED, {"x": "y"}).get_content()
    assert len(text.splitlines()) == len(plain.splitlines())


@pytest.mark.parametrize("text", ["", "Users", "Users <a@b.example", "a@b.example>", "A\r\nBcc: x <a@b.example>"])
def test_what_is_no_sender_is_refused(text: str) -> None:
    """Before anything is sent in its name."""
    with pytest.raises(BadInput):
        read_sender(text)


def test_a_repr_shows_no_address() -> None:
    """It may come to a log."""
    assert "alice" not in repr(PROVEN)
