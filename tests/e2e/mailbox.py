"""What was mailed: the files that a service in development writes in the place of mails."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Final

_PATIENCE: Final = 20.0  # seconds


class Mailbox:
    """The mails of `folder`, oldest first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def to(self, address: str) -> list[EmailMessage]:
        """All that were written to `address` so far."""
        return [mail for mail in self._all() if mail["To"].addresses[0].addr_spec.casefold() == address.casefold()]

    def latest(self, address: str, subject: str, *, at_least: int = 1) -> EmailMessage:
        """The newest mail to `address` of that `subject`, waiting until there are `at_least` so many."""
        until = time.monotonic() + _PATIENCE
        while True:
            found = [mail for mail in self.to(address) if mail["Subject"] == subject]
            if len(found) >= at_least:
                return found[-1]
            said = [str(mail["Subject"]) for mail in self.to(address)]
            assert time.monotonic() < until, f"{len(found)} of {subject!r}; there are {said}"
            time.sleep(0.05)

    def _all(self) -> Iterator[EmailMessage]:
        for path in sorted(self._folder.glob("*.eml")):
            yield message_from_bytes(path.read_bytes(), policy=policy.default)


def token_of(mail: EmailMessage) -> str:
    """What stands after `#verify=` or `#reset=` in a mail's link."""
    found = re.search(r"#(?:verify|reset)=([\w-]+)\r?$", mail.get_content(), re.MULTILINE)
    assert found is not None, "the mail holds no link"
    return found[1]
