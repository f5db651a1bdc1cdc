"""What people are told of when it happens to their account, in plain English.

A subject holds no personal value: it shows on locked screens and in logs of mail servers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Notice(StrEnum):
    """Why a person is written to."""

    SESSION_REUSED = "SESSION_REUSED"
    FACTOR_ADDED = "FACTOR_ADDED"
    FACTOR_REMOVED = "FACTOR_REMOVED"
    RECOVERY_CODES_NEW = "RECOVERY_CODES_NEW"
    RECOVERY_CODE_USED = "RECOVERY_CODE_USED"
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105 - an event, not a secret
    PASSWORD_RESET = "PASSWORD_RESET"  # noqa: S105 - an event, not a secret
    EMAIL_CHANGE_ASKED = "EMAIL_CHANGE_ASKED"
    EMAIL_CHANGED = "EMAIL_CHANGED"
    EMAIL_CHANGED_BY_ANOTHER = "EMAIL_CHANGED_BY_ANOTHER"
    ROLE_GRANTED = "ROLE_GRANTED"
    ROLE_REVOKED = "ROLE_REVOKED"
    BREAK_GLASS_OPENED = "BREAK_GLASS_OPENED"


@dataclass(frozen=True, slots=True)
class Wording:
    """A subject, what has happened, and what to do about it; `at_page`: the page for links is where."""

    subject: str
    text: str
    advice: str = "If this was you, there is nothing to do. If it was not, choose a new password at once:"
    at_page: bool = True


WORDINGS: Final[Mapping[Notice, Wording]] = MappingProxyType(
    {
        Notice.SESSION_REUSED: Wording(
            "A session of your account was ended",
            "An old key of one of your sessions was used again. Somebody may have copied it, so that session was "
            "ended. Sign in again where you need to.",
        ),
        Notice.FACTOR_ADDED: Wording(
            "A second factor was added to your account",
            "A second factor was added to your account. From now on it is asked for when you sign in. Your other "
            "sessions were ended.",
        ),
        Notice.FACTOR_REMOVED: Wording(
            "A second factor was removed from your account",
            "A second factor was removed from your account. Your other sessions were ended.",
        ),
        Notice.RECOVERY_CODES_NEW: Wording(
            "Your recovery codes are new",
            "New recovery codes were made for your account. The earlier ones no longer work.",
        ),
        Notice.RECOVERY_CODE_USED: Wording(
            "A recovery code of your account was used",
            "Somebody used one of your recovery codes in the place of your second factor. It does not work again.",
        ),
        Notice.PASSWORD_CHANGED: Wording(
            "Your password was changed",
            "The password of your account was changed, and your sessions were ended.",
        ),
        Notice.PASSWORD_RESET: Wording(
            "Your password was reset",
            "The password of your account was reset by a link from a mail to you, and all your sessions were ended. "
            "A second factor, where you have one, is still asked for.",
        ),
        Notice.EMAIL_CHANGE_ASKED: Wording(
            "A new email address was asked for",
            "Your account is to get another email address. A link was sent there; this address stays in use until "
            "that link is followed.",
        ),
        Notice.EMAIL_CHANGED: Wording(
            "The email address of your account was changed",
            "Your account now has another email address. We no longer write to this one.",
            "If this was you, there is nothing to do. If it was not, tell us at once.",
            at_page=False,
        ),
        Notice.EMAIL_CHANGED_BY_ANOTHER: Wording(
            "The email address of your account was changed",
            "Staff or a service gave your account another email address, and it was confirmed there. We no longer "
            "write to this one. For 7 days no new password can be chosen by the new one.",
            "If you asked for this, there is nothing to do. If you did not, tell us at once; or sign in by your user "
            "name and your password, and give your own address again.",
            at_page=False,
        ),
        Notice.ROLE_GRANTED: Wording(
            "You were given a role",
            "An administrator gave your account a role. Where you are signed in, you have it within seconds.",
            "If you did not expect this, tell an administrator.",
            at_page=False,
        ),
        Notice.ROLE_REVOKED: Wording(
            "A role was taken from you",
            "An administrator took a role from your account. It ended at once.",
            "If you did not expect this, tell an administrator.",
            at_page=False,
        ),
        Notice.BREAK_GLASS_OPENED: Wording(
            "Emergency access was opened",
            "A member of staff has opened emergency access to people's data. It ends by itself.",
            "It waits for a review by somebody else with the role ADMIN or SECURITY.",
            at_page=False,
        ),
    }
)
