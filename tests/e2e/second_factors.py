"""People with second factors, and what they ask of the service."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from pyotp import TOTP

from tests.e2e.authenticator import decoded
from tests.e2e.conftest import NEW_PASSWORD, REGISTER
from tests.e2e.server import Account, Json, Server

_SESSION: Final = "accessToken refreshToken expiresIn user { id } errors { code path }"
_CHALLENGE: Final = "secondFactor { challenge kinds passkeyOptions }"
SIGN_IN: Final = f"mutation ($input: SignInInput!) {{ signIn(input: $input) {{ {_SESSION} {_CHALLENGE} }} }}"
COMPLETE: Final = f"mutation ($input: CompleteSignInInput!) {{ completeSignIn(input: $input) {{ {_SESSION} }} }}"
BEGIN_PASSKEY: Final = "mutation { beginPasskeySignIn { challenge options errors { code } } }"
WITH_PASSKEY: Final = f"mutation ($input: PasskeySignInInput!) {{ signInWithPasskey(input: $input) {{ {_SESSION} }} }}"
BEGIN_STEP_UP: Final = "mutation { beginStepUp { challenge kinds passkeyOptions errors { code } } }"
STEP_UP: Final = f"mutation ($input: StepUpInput!) {{ stepUp(input: $input) {{ {_SESSION} }} }}"
ENROL_TOTP: Final = "mutation { enrolTotp { factorId secret uri errors { code } } }"
_CONFIRMED: Final = "factorId recoveryCodes accessToken expiresIn errors { code path }"
CONFIRM_TOTP: Final = f"mutation ($input: ConfirmTotpInput!) {{ confirmTotp(input: $input) {{ {_CONFIRMED} }} }}"
ENROL_PASSKEY: Final = "mutation { enrolPasskey { challenge options errors { code } } }"
CONFIRM_PASSKEY: Final = (
    f"mutation ($input: ConfirmPasskeyInput!) {{ confirmPasskey(input: $input) {{ {_CONFIRMED} }} }}"
)
REMOVE: Final = "mutation ($input: RemoveFactorInput!) { removeFactor(input: $input) { removed errors { code } } }"
NEW_CODES: Final = "mutation { newRecoveryCodes { recoveryCodes errors { code } } }"
CHANGE_PASSWORD: Final = """
mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { changed errors { code message } } }"""
FACTORS: Final = "{ me { factors { id kind name createdAt lastUsedAt } } }"


class App:
    """An authenticator app: shows codes of time steps that it has not shown before."""

    def __init__(self, secret: str) -> None:
        self._totp, self._shown = TOTP(secret), 0

    def code(self) -> str:
        """A code that still counts; waits for the next when those within the drift have been shown."""
        now = self._step()
        step = max(self._shown + 1, now - 1)
        while step > self._step() + 1:
            time.sleep(0.1)
        self._shown = step
        return self._totp.generate_otp(step)

    def wrong(self) -> str:
        """Six digits that are the code of no step around now."""
        right = {self._totp.generate_otp(self._step() + drift) for drift in range(-3, 4)}
        return next(code for code in map("{:06}".format, range(100)) if code not in right)

    @staticmethod
    def _step() -> int:
        return int(time.time()) // 30


@dataclass
class Person:
    """Somebody of whom the name and the password are known, signed in."""

    server: Server
    name: str
    account: Account
    password: str = NEW_PASSWORD
    codes: list[str] = field(default_factory=list)

    def ask(self, document: str, **given: object) -> Json:
        """The payload of the one field of `document`; `given` is its input."""
        variables = {"input": given} if "$input" in document else {}
        [payload] = self.account.data(document, variables, purpose="ACCOUNT").values()
        return payload

    def factors(self) -> list[dict[str, Any]]:
        """Those that show."""
        return list(self.account.data(FACTORS, purpose="ACCOUNT")["me"]["factors"])

    def enrol_app(self, name: str | None = None) -> App:
        """An authenticator app, enrolled and confirmed; this session goes on with its new token."""
        made = self.ask(ENROL_TOTP)
        app = App(made["secret"])
        self.confirmed(self.ask(CONFIRM_TOTP, factorId=made["factorId"], code=app.code(), name=name))
        return app

    def confirmed(self, payload: Json) -> None:
        """Go on after a factor was confirmed."""
        assert payload["errors"] == [], payload
        self.account.access_token = payload["accessToken"]
        self.codes = payload["recoveryCodes"] or self.codes

    def begin(self, **more: object) -> Json:
        """The first step of a sign-in."""
        given = {"login": self.name, "password": self.password, **more}
        return asked(self.server, SIGN_IN, **given)

    def challenge(self) -> str:
        """That of a new sign-in."""
        return str(self.begin()["secondFactor"]["challenge"])

    def sign_in(self, payload: Json) -> None:
        """Go on in the session that `payload` has opened."""
        assert payload["errors"] == [], payload
        self.account = Account(self.server, payload["accessToken"], payload["refreshToken"], payload["user"]["id"])


def arrive(server: Server) -> Person:
    """Register somebody new and sign them in."""
    name = f"two.{uuid4().hex[:12]}"
    made = {"username": name, "email": f"{name}@people.example", "password": NEW_PASSWORD}
    assert server.post(REGISTER, {"input": made}).json()["data"]["register"]["errors"] == []
    return Person(server, name, server.sign_in(name, NEW_PASSWORD))


def asked(server: Server, document: str, **given: object) -> Json:
    """The payload of the one field of `document`, asked by nobody."""
    answer = server.post(document, {"input": given} if "$input" in document else {}).json()
    assert "errors" not in answer, answer
    [payload] = answer["data"].values()
    return payload


def codes_of(payload: Json) -> list[str]:
    """The codes of its errors."""
    return [error["code"] for error in payload["errors"]]


def claims(token: str) -> Mapping[str, Any]:
    """What an access token says."""
    return dict(json.loads(decoded(token.split(".")[1])))


def mails_to(server: Server, person: Person) -> list[str]:
    """The mails that were sent to somebody, as the folder has them."""
    texts = [path.read_text() for path in sorted(Path(server.folder, "mail").glob("*.eml"))]
    return [text for text in texts if f"{person.name}@people.example" in text]


def told(server: Server, person: Person, *subjects: str) -> bool:
    """Whether mails of these subjects arrive; they are written in the background."""
    for _ in range(100):
        mails = "\n".join(mails_to(server, person))
        if all(subject in mails for subject in subjects):
            return True
        time.sleep(0.1)
    return False
