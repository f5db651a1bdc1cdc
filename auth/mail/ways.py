"""Which way mails leave by."""

from __future__ import annotations

from pathlib import Path

from auth.mail.folder import FolderMailer
from auth.mail.mailer import Mailer
from auth.mail.smtp import SmtpMailer, SmtpServer


def mailer_for(smtp_url: str | None, folder: Path) -> Mailer:
    """The mail server at `smtp_url`, or `folder` while there is none (development only).

    Raises `ValueError` for what is no mail server.
    """
    return FolderMailer(folder) if smtp_url is None else SmtpMailer(SmtpServer.read(smtp_url))
