"""Mails as files, for development: one `.eml` each, readable by their owner alone."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from secrets import token_hex
from typing import Final

from auth.mail.mailer import NotSent

KEPT: Final = 1_000  # files; a test run of thousands of registrations fills no disk


class FolderMailer:
    """Writes to `folder`, which is made when first needed; the oldest go when there are too many."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, message: EmailMessage) -> None:
        """Write the mail under a name that sorts by time."""
        try:
            await asyncio.to_thread(self._write, message.as_bytes())
        except OSError:
            raise NotSent("The folder for mails cannot be written.", again=True) from None

    def _write(self, content: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in sorted(self._folder.glob("*.eml"))[: -KEPT + 1]:
            path.unlink(missing_ok=True)
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{token_hex(4)}"
        hidden = self._folder / f".{name}"
        with os.fdopen(os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        hidden.rename(self._folder / f"{name}.eml")  # whoever looks finds whole mails only
