"""Mails as files."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest

from auth.mail import folder
from auth.mail.folder import FolderMailer
from auth.mail.mailer import NotSent


def letter(text: str) -> EmailMessage:
    """Some mail."""
    message = EmailMessage()
    message.set_content(text)
    return message


def numbers(place: Path) -> list[bytes]:
    """What the mails in a folder say, oldest first."""
    return [path.read_bytes().split(b"number ")[1][:1] for path in sorted(place.iterdir())]


async def test_each_mail_is_a_file_for_its_owners_eyes(tmp_path: Path) -> None:
    """In the order in which they came."""
    mailer = FolderMailer(tmp_path / "deep" / "mail")
    await mailer.send(letter("one"))
    await mailer.send(letter("two"))
    first, second = sorted((tmp_path / "deep" / "mail").iterdir())
    assert (b"one" in first.read_bytes(), b"two" in second.read_bytes()) == (True, True)
    assert {first.suffix, oct(first.stat().st_mode & 0o777)} == {".eml", "0o600"}
    assert oct(first.parent.stat().st_mode & 0o777) == "0o700"


async def test_the_oldest_go_when_there_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long test run fills no disk."""
    monkeypatch.setattr(folder, "KEPT", 3)
    mailer = FolderMailer(tmp_path)
    for number in range(6):
        await mailer.send(letter(f"number {number}"))
    assert numbers(tmp_path) == [b"3", b"4", b"5"]


async def test_a_folder_that_cannot_be_written_is_a_failure_to_send(tmp_path: Path) -> None:
    """And nothing else breaks."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(NotSent) as caught:
        await FolderMailer(tmp_path / "file").send(letter("one"))
    assert caught.value.again
