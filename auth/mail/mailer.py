"""The ways by which a mail leaves."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Protocol

from models.errors import FieldwardError


class NotSent(FieldwardError):
    """A mail was not taken; `again` when a later attempt may fare better. Never names an address."""

    def __init__(self, message: str, *, again: bool) -> None:
        super().__init__(message)
        self.again = again


class Mailer(Protocol):
    """Hands one mail on."""

    async def send(self, message: EmailMessage) -> None:
        """Send to the one recipient that the message names. Raises `NotSent`."""
