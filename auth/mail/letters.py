"""Makes mails: plain text, one recipient, headers that nothing from outside can break out of.

Nobody's own words are repeated to an address that is not proven to be theirs: a made-up name would
turn our mail into somebody else's advertisement. So the greeting has the user name for proven ones only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, make_msgid
from typing import Final

from email_validator import EmailNotValidError, validate_email

from auth.mail.notices import WORDINGS, Notice
from models.errors import BadInput

_DETAIL_LENGTH: Final = 200


@dataclass(frozen=True, slots=True)
class Recipient:
    """An address to write to, and the user name when the address is proven to be that person's."""

    email: str = field(repr=False)
    username: str | None = field(default=None, repr=False)


class Letters:
    """Mails from `sender`; `account_url` is the page that their links lead to."""

    def __init__(self, sender: Address, account_url: str) -> None:
        self._sender, self._account_url = sender, account_url

    def notice(self, to: Recipient, notice: Notice, details: Mapping[str, str]) -> EmailMessage:
        """What has happened, with `details` as lines of their own."""
        wording = WORDINGS[notice]
        facts = "\n".join(f"{_title(key)}: {_line(value)}" for key, value in details.items())
        page = self._account_url if wording.at_page else ""
        return self._letter(to, wording.subject, wording.text, facts, wording.advice, page)

    def verification(self, to: Recipient, token: str) -> EmailMessage:
        """The link that proves the address of a new account."""
        return self._letter(
            to,
            "Confirm your email address",
            "This address was given for an account. To confirm that it is yours, open this link within 30 minutes:",
            f"{self._account_url}#verify={token}",
            "If you did not ask for this, there is nothing to do.",
        )

    def change(self, to: Recipient, token: str) -> EmailMessage:
        """The link that puts a new address in the place of an account's present one."""
        return self._letter(
            to,
            "Confirm your new email address",
            "An account is to use this address from now on. To confirm it, open this link within 30 minutes:",
            f"{self._account_url}#verify={token}",
            "If you did not ask for this, there is nothing to do: the account keeps its present address.",
        )

    def reset(self, to: Recipient, token: str) -> EmailMessage:
        """The link that opens a new password."""
        return self._letter(
            to,
            "Choose a new password",
            "A new password was asked for. To choose one, open this link within 30 minutes:",
            f"{self._account_url}#reset={token}",
            "If you did not ask for this, there is nothing to do: your password stays as it is.",
        )

    def reset_waits(self, to: Recipient, until: datetime) -> EmailMessage:
        """That no new password can be chosen by this address yet, in the place of the link."""
        return self._letter(
            to,
            "A new password has to wait",
            "A new password was asked for. Somebody else than the person whose account it is gave the account this "
            "address, so no new password can be chosen by it yet. Until then whoever has the earlier address can "
            "object.",
            f"Ask again after {until:%Y-%m-%d %H:%M} UTC. The present password works all the while.",
            "If you did not ask for this, there is nothing to do: your password stays as it is.",
        )

    def _letter(self, to: Recipient, subject: str, *paragraphs: str) -> EmailMessage:
        address = _deliverable(to.email)
        message = EmailMessage(policy=SMTP if str(address).isascii() else SMTPUTF8)
        message["From"] = self._sender
        message["To"] = address
        message["Subject"] = subject
        message["Date"] = format_datetime(datetime.now(UTC))
        message["Message-ID"] = make_msgid(domain=self._sender.domain)
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation notes in answer
        greeting = f"Hello {to.username}," if to.username else "Hello,"
        text = "\n\n".join(filter(None, (greeting, *paragraphs))) + "\n"
        # A link stays on one line: whoever reads the bare file can still follow it.
        message.set_content(text, cte="7bit" if text.isascii() else "quoted-printable")
        return message


def read_sender(text: str) -> Address:
    """The address that mails come from: `no-reply@users.example` or `Users <no-reply@users.example>`.

    Raises `BadInput`, without the value.
    """
    name, bracket, rest = text.rpartition("<")
    email = rest.removesuffix(">") if bracket else text
    if bool(bracket) != text.endswith(">") or not name.isprintable():
        raise BadInput("This is not an email address.")
    return _deliverable(email, name.strip().strip('"'))


def _deliverable(email: str, name: str = "") -> Address:
    """The address as servers know it (RFC 5890 domain). Raises `BadInput`, without the value."""
    try:
        found = validate_email(email, check_deliverability=False)
    except EmailNotValidError:
        raise BadInput("This is not an email address.") from None
    local, _, domain = (found.ascii_email or found.normalized).rpartition("@")
    return Address(name, local, domain)


def _title(key: str) -> str:
    return _line(key).replace("_", " ").capitalize()


def _line(value: str) -> str:
    """A detail on one line, without signs that move or hide others."""
    return "".join(sign if sign.isprintable() else " " for sign in value[:_DETAIL_LENGTH])
