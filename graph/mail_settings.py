"""What the settings for mail may say, and what production must not start with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from auth.mail.letters import read_sender
from auth.mail.smtp import SmtpServer
from models.errors import BadInput

ACCOUNT_PATH: Final = "/account"
SMTP_URL: Final = "must be a mail server like smtps://user:password@mail.example:465 or smtp://mail.example:587"
MAIL_FROM: Final = "must be an email address, or Name <address>"
ACCOUNT_URL: Final = "must be an address like https://users.example/account, without query or fragment"


def check_smtp_url(url: str) -> None:
    """Raise `ValueError`, without the value, for what is no mail server."""
    try:
        SmtpServer.read(url)
    except ValueError:
        raise ValueError(SMTP_URL) from None


def check_sender(text: str) -> None:
    """Raise `ValueError`, without the value, for what mails cannot come from."""
    try:
        read_sender(text)
    except (BadInput, ValueError):
        raise ValueError(MAIL_FROM) from None


def check_page(url: str) -> None:
    """Raise `ValueError`, without the value, for what a link cannot be made of."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # reading it checks it
    except ValueError:
        raise ValueError(ACCOUNT_URL) from None
    plain = url.isascii() and url.isprintable() and not (set(url) & set(' ?#<>"') or "@" in parts.netloc)
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain:
        raise ValueError(ACCOUNT_URL)


def unsafe_mail(smtp_url: str | None, account_url: str, given: Mapping[str, str]) -> Iterator[str]:
    """What production must not start with; `given` are the settings that were set, by their names."""
    if smtp_url is None:
        yield "FIELDWARD_SMTP_URL is not set: production needs a mail server"
    elif SmtpServer.read(smtp_url).plain:
        yield "FIELDWARD_SMTP_URL must use TLS in production (smtps://, or smtp:// without tls=off)"
    if not given.get("mail_from"):
        yield "FIELDWARD_MAIL_FROM is not set: production needs the address that mails come from"
    if given.get("account_url") and not account_url.startswith("https://"):  # else it is the issuer's own page
        yield "FIELDWARD_ACCOUNT_URL must be an https address in production"
