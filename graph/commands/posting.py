"""The way mails go, as the settings say: for the service and for commands that tell people of what they do."""

from __future__ import annotations

from collections.abc import Callable

from auth.mail import Outbox
from auth.mail.letters import Letters, read_sender
from auth.mail.ways import mailer_for
from graph.settings import Settings
from models.database import Database


def outbox_of(
    settings: Settings, database: Database, *, count: Callable[[str], None] = lambda _outcome: None
) -> Outbox:
    """A queue for mails to the people in `database`; whoever made it stops it."""
    url = None if settings.smtp_url is None else settings.smtp_url.get_secret_value()
    return Outbox(
        database,
        mailer_for(url, settings.mail_dir),
        Letters(read_sender(settings.mail_from), settings.account_url),
        count=count,
    )
