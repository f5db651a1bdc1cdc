"""The second factor of a member of staff: an authenticator app, and recovery codes for when its codes are used up."""

from __future__ import annotations

import time
from typing import Final

from pyotp import TOTP

COMPLETE: Final = """
mutation ($input: CompleteSignInInput!) {
  completeSignIn(input: $input) { accessToken refreshToken user { id } errors { code message path } }
}"""
STEP_UP: Final = """
mutation ($input: StepUpInput!) { stepUp(input: $input) { accessToken errors { code message path } } }"""
ENROL: Final = "mutation { enrolTotp { factorId secret } }"
CONFIRM: Final = """
mutation ($input: ConfirmTotpInput!) {
  confirmTotp(input: $input) { recoveryCodes accessToken errors { code message path } }
}"""
_PERIOD: Final = 30  # seconds


class Codes:
    """Gives proofs that have not been used, without waiting for the next time step."""

    def __init__(self, secret: str) -> None:
        self._totp, self._used = TOTP(secret), 0
        self.recovery: list[str] = []

    def code(self) -> str | None:
        """A code that still counts; None when those around now have been used."""
        now = int(time.time()) // _PERIOD
        step = max(self._used + 1, now - 1)
        if step > now + 1:
            return None
        self._used = step
        return self._totp.generate_otp(step)

    def proof(self) -> dict[str, str]:
        """What to add to the input of `completeSignIn` or `stepUp`."""
        code = self.code()
        return {"recoveryCode": self.recovery.pop()} if code is None else {"code": code}
