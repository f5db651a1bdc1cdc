"""What the mutations of second factors take and answer with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Final

import strawberry

from auth.factors import Asked, FactorRefused, Proof
from graph.access import PUBLIC
from graph.mutations.payload import Problems, UserError
from models.vocabulary import FactorKind

_ERRORS: Final = "What was wrong; empty when it was done."
_NAME_LENGTH: Final = 100
REFUSALS: Final = {
    "WRONG_CODE": "This does not prove that it is you. Codes work once.",
    "CHALLENGE_ENDED": "This has expired or was used already. Begin again.",
    "BAD_PASSKEY": "This passkey cannot be used.",
    "NOT_FOUND": "You have no such factor, or its enrolment has expired.",
    "NO_FACTORS": "You have no second factor.",
    "TOO_MANY_FACTORS": "You have as many factors as there can be. Remove one first.",
    "PASSWORD_TOO_SHORT": "Your password is too short to be used alone. Change it to 15 characters or more first.",
    "ONE_PROOF": "Give exactly one proof.",
    "NOT_A_PERSON": "A service has no factors.",
    "SECOND_FACTOR_REQUIRED": "Show your second factor to go on.",
}


def optional_secret(description: str) -> Any:  # noqa: ANN401 - stands for an input field of any type
    """An input field that proves who is asking, and that may be absent."""
    return strawberry.field(description=description, metadata={PUBLIC: "proves who is asking"}, default=None)


@strawberry.type(description="What a sign-in still needs, or what can be shown for a step-up.")
class SecondFactorChallenge:
    """The password was right; nothing is open yet."""

    STRUCTURAL: ClassVar[str] = "of the person who is being identified"

    challenge: str = strawberry.field(description="For `completeSignIn`, within five minutes and five tries.")
    kinds: list[FactorKind] = strawberry.field(description="Each of these will do.")
    passkey_options: str | None = strawberry.field(
        default=None, description="JSON for `navigator.credentials.get`; null without passkeys."
    )


@strawberry.type(description="What a browser is asked to do with a passkey.")
class PasskeyChallengePayload:
    """A challenge."""

    STRUCTURAL: ClassVar[str] = "of the person who is asking, or of nobody"

    challenge: str | None = strawberry.field(default=None, description="To send back along with the answer.")
    options: str | None = strawberry.field(default=None, description="JSON for `navigator.credentials`.")
    errors: list[UserError] = strawberry.field(description=_ERRORS, default_factory=list)


@strawberry.type(description="What the signed-in person can confirm with that it is them.")
class BeginStepUpPayload:
    """A challenge."""

    STRUCTURAL: ClassVar[str] = "of the person who is asking"

    challenge: str | None = strawberry.field(default=None, description="To send back along with a passkey's answer.")
    kinds: list[FactorKind] = strawberry.field(
        default_factory=list, description="One of these is needed; none: the password."
    )
    passkey_options: str | None = strawberry.field(
        default=None, description="JSON for `navigator.credentials.get`; null without passkeys."
    )
    errors: list[UserError] = strawberry.field(description=_ERRORS, default_factory=list)


@strawberry.type(description="A factor that counts once it is confirmed.")
class EnrolTotpPayload:
    """A new secret, for an authenticator app."""

    STRUCTURAL: ClassVar[str] = "made for the person who is asking"

    factor_id: strawberry.ID | None = strawberry.field(default=None, description="For `confirmTotp`.")
    secret: str | None = strawberry.field(default=None, description="Base 32; shown this once.")
    uri: str | None = strawberry.field(default=None, description="`otpauth://`, for a QR code; shown this once.")
    errors: list[UserError] = strawberry.field(description=_ERRORS, default_factory=list)


@strawberry.type(description="A factor that counts now; all other sessions have ended.")
class ConfirmFactorPayload:
    """The factor, and this session's new token."""

    STRUCTURAL: ClassVar[str] = "made for the person who is asking"

    factor_id: strawberry.ID | None = strawberry.field(default=None, description="One of `me.factors`.")
    recovery_codes: list[str] | None = strawberry.field(
        default=None, description="With the first factor: each works once in its place. Shown this once."
    )
    access_token: str | None = strawberry.field(
        default=None, description="Says that this session has shown the factor; null with cookies, which are set."
    )
    expires_in: int | None = strawberry.field(default=None, description="Seconds the access token holds.")
    errors: list[UserError] = strawberry.field(description=_ERRORS, default_factory=list)


@strawberry.type(description="Whether a factor is gone; all other sessions have ended then.")
class RemoveFactorPayload:
    """Removed or not."""

    STRUCTURAL: ClassVar[str] = "no personal data"

    removed: bool = False
    errors: list[UserError] = strawberry.field(description=_ERRORS, default_factory=list)


@strawberry.type(description="Recovery codes in the place of all earlier ones.")
class RecoveryCodesPayload:
    """New codes."""

    STRUCTURAL: ClassVar[str] = "made for the person who is asking"

    recovery_codes: list[str] | None = strawberry.field(
        default=None, description="Each works once in the place of a factor. Shown this once."
    )
    errors: list[UserError] = strawberry.field(description=_ERRORS, default_factory=list)


def challenge_of(secret: str, asked: Asked) -> SecondFactorChallenge:
    """The challenge for a sign-in half done."""
    return SecondFactorChallenge(challenge=secret, kinds=list(asked.kinds), passkey_options=asked.passkey_options)


def one_proof(problems: Problems, proof: Proof, *more: str | None) -> bool:
    """Whether exactly one proof is given; notes a failure if not. `more` are proofs of other kinds."""
    given = sum(each is not None for each in (proof.code, proof.recovery_code, proof.passkey, *more))
    if given != 1:
        refuse(problems, "ONE_PROOF")
    return given == 1


def refuse(problems: Problems, code: str, *path: str) -> None:
    """Note one of `REFUSALS`."""
    problems.add(code, *path, message=REFUSALS[code])


@contextmanager
def refusals(problems: Problems, *path: str) -> Iterator[None]:
    """Turn a refused change of factors into a failure at `path`."""
    try:
        yield
    except FactorRefused as refused:
        refuse(problems, refused.code, *path)


def name_of(given: str | None, problems: Problems) -> str | None:
    """What the person calls a factor: one line of at most 100 characters, or nothing."""
    name = " ".join((given or "").split())
    if len(name) > _NAME_LENGTH or not name.isprintable():
        problems.add("INVALID", "name", message=f"A name is one line of at most {_NAME_LENGTH} characters.")
    return name or None
