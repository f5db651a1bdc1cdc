"""A secret that is good for one thing is good for nothing else: every kind at every door."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import pytest

from auth.factors.factors import passkey_challenge
from tests.e2e.authenticator import Authenticator
from tests.e2e.mailbox import Mailbox, token_of
from tests.e2e.second_factors import (
    BEGIN_PASSKEY,
    BEGIN_STEP_UP,
    COMPLETE,
    CONFIRM_PASSKEY,
    ENROL_PASSKEY,
    STEP_UP,
    WITH_PASSKEY,
    App,
    Person,
    arrive,
    asked,
    codes_of,
)
from tests.e2e.server import Server

VERIFY: Final = "mutation ($input: VerifyEmailInput!) { verifyEmail(input: $input) { errors { code } } }"
RESET: Final = "mutation ($input: ResetPasswordInput!) { resetPassword(input: $input) { errors { code } } }"
ASK_RESET: Final = "mutation ($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { requested } }"
NEW_ADDRESS: Final = """
mutation ($input: UpdateUserInput!) { updateUser(input: $input) { pendingEmail errors { code } } }"""


@dataclass(frozen=True)
class Victim:
    """Somebody with an authenticator app and a passkey: all that a door asks for besides the secret is at hand."""

    server: Server
    person: Person
    app: App
    device: Authenticator

    @property
    def address(self) -> str:
        """Where they are written to."""
        return f"{self.person.name}@people.example"

    def mailed(self, address: str, subject: str) -> str:
        """The secret of the newest link."""
        return token_of(Mailbox(self.server.folder / "mail").latest(address, subject))

    def asks_for_reset(self) -> str:
        """The secret of a link to a new password."""
        asked(self.server, ASK_RESET, login=self.person.name)
        return self.mailed(self.address, "Choose a new password")

    def asks_for_another_address(self) -> str:
        """The secret of the link that puts it in force."""
        other = f"other.{self.person.name}@people.example"
        assert self.person.ask(NEW_ADDRESS, email=other)["errors"] == []
        return self.mailed(other, "Confirm your new email address")

    def passkey(self, secret: str) -> str:
        """What the passkey signs for this secret."""
        begun = asked(self.server, BEGIN_PASSKEY)
        return self.device.get(begun["options"], challenge=passkey_challenge(secret))

    def new_passkey(self, secret: str) -> str:
        """What a new passkey presents for this secret."""
        begun = self.person.ask(ENROL_PASSKEY)
        return Authenticator(self.server.url).create(begun["options"], challenge=passkey_challenge(secret))


KINDS: Final[Mapping[str, Callable[[Victim], str]]] = {
    "second factor": lambda it: it.person.challenge(),
    "passkey sign-in": lambda it: str(asked(it.server, BEGIN_PASSKEY)["challenge"]),
    "passkey enrolment": lambda it: str(it.person.ask(ENROL_PASSKEY)["challenge"]),
    "step-up": lambda it: str(it.person.ask(BEGIN_STEP_UP)["challenge"]),
    "email verification": lambda it: it.mailed(it.address, "Confirm your email address"),
    "email change": Victim.asks_for_another_address,
    "password reset": Victim.asks_for_reset,
}
# Each door: which kinds it opens for, what it answers otherwise, and how it is tried.
DOORS: Final[Mapping[str, tuple[frozenset[str], str, Callable[[Victim, str], list[str]]]]] = {
    "completeSignIn": (
        frozenset({"second factor"}),
        "CHALLENGE_ENDED",
        lambda it, secret: codes_of(asked(it.server, COMPLETE, challenge=secret, recoveryCode=it.person.codes[0])),
    ),
    "signInWithPasskey": (
        frozenset({"passkey sign-in"}),
        "BAD_CREDENTIALS",
        lambda it, secret: codes_of(asked(it.server, WITH_PASSKEY, challenge=secret, passkey=it.passkey(secret))),
    ),
    "stepUp": (
        frozenset({"step-up"}),
        "CHALLENGE_ENDED",
        lambda it, secret: codes_of(it.person.ask(STEP_UP, challenge=secret, passkey=it.passkey(secret))),
    ),
    "confirmPasskey": (
        frozenset({"passkey enrolment"}),
        "CHALLENGE_ENDED",
        lambda it, secret: codes_of(it.person.ask(CONFIRM_PASSKEY, challenge=secret, passkey=it.new_passkey(secret))),
    ),
    "verifyEmail": (
        frozenset({"email verification", "email change"}),
        "BAD_LINK",
        lambda it, secret: codes_of(asked(it.server, VERIFY, token=secret)),
    ),
    "resetPassword": (
        frozenset({"password reset"}),
        "BAD_LINK",
        lambda it, secret: codes_of(asked(it.server, RESET, token=secret, newPassword="the-lamp-by-the-river")),
    ),
}


@pytest.fixture
def victim(server: Server) -> Victim:
    """Somebody new, with both kinds of factors."""
    person, device = arrive(server), Authenticator(server.url)
    app = person.enrol_app()
    begun = person.ask(ENROL_PASSKEY)
    passkey = device.create(begun["options"])
    person.confirmed(person.ask(CONFIRM_PASSKEY, challenge=begun["challenge"], passkey=passkey, name="Key"))
    return Victim(server, person, app, device)


@pytest.mark.parametrize("kind", KINDS)
def test_a_ticket_opens_its_own_door_only(kind: str, victim: Victim) -> None:
    """All others refuse it as if it were made up, and do not use it up: its own door then opens, once."""
    secret = KINDS[kind](victim)
    own = next(name for name, (kinds, _, _) in DOORS.items() if kind in kinds)
    for name, (_, refusal, attempt) in DOORS.items():
        if name != own:
            assert attempt(victim, secret) == [refusal], name
    _, refusal, attempt = DOORS[own]
    assert attempt(victim, secret) == []
    assert refusal in attempt(victim, secret)
