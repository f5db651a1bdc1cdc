"""Mails to people: what is written, how it leaves, and the queue in between."""

from auth.mail.notices import Notice
from auth.mail.outbox import Outbox

__all__ = ["Notice", "Outbox"]
