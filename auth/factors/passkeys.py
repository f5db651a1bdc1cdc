"""Passkeys: W3C Web Authentication (level 3) by py_webauthn, always with user verification.

Options and answers are JSON texts as browsers' `parse...OptionsFromJSON` and `toJSON` have them. Attestation is
not asked for: what counts is that the same key answers again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from ipaddress import ip_address
from typing import Final, TypeVar
from urllib.parse import urlsplit

import structlog
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import parse_authentication_credential_json, parse_registration_credential_json
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

T = TypeVar("T")

MAX_ANSWER: Final = 16_384  # characters
_LOCAL: Final = "localhost"
_TIMEOUT: Final = 300_000  # milliseconds
_TRANSPORTS: Final = frozenset(AuthenticatorTransport)


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """For whom keys are made: the host `id`, its `name` for people, and the origins of its pages."""

    id: str
    name: str
    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Credential:
    """What is kept of a passkey."""

    id: bytes = field(repr=False)
    public_key: bytes = field(repr=False)
    sign_count: int = 0
    transports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claimed:
    """Which passkey an answer says it comes from, and whose; nothing of it is proven yet."""

    credential: bytes = field(repr=False)
    handle: bytes | None = field(repr=False)


def relying_party(issuer: str, origins: Iterable[str] = ()) -> RelyingParty:
    """The service at `issuer`, whose own pages are at `origins`.

    Browsers make no passkey for an address in numbers: on one's own machine the host is `localhost`.
    """
    parts = urlsplit(issuer)
    host, own = parts.hostname or _LOCAL, [issuer]
    if _is_loopback(host):
        own.append(issuer.replace(parts.netloc, _LOCAL + (f":{parts.port}" if parts.port else ""), 1))
        host = _LOCAL
    return RelyingParty(host, host, tuple(dict.fromkeys((*own, *sorted(origins)))))


def handle_of(person: str) -> bytes:
    """What an authenticator keeps to name a person: opaque, and not their id (level 3, section 14.6.1)."""
    return sha256(f"passkey of {person}".encode()).digest()


def creation_options(
    party: RelyingParty, challenge: bytes, *, person: str, username: str, known: Sequence[Credential]
) -> str:
    """For `navigator.credentials.create`: a new, discoverable key on a device that holds none of `known`."""
    return options_to_json(
        generate_registration_options(
            rp_id=party.id,
            rp_name=party.name,
            user_id=handle_of(person),
            user_name=username,
            challenge=challenge,
            timeout=_TIMEOUT,
            attestation=AttestationConveyancePreference.NONE,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=_descriptors(known),
        )
    )


def request_options(party: RelyingParty, challenge: bytes, known: Sequence[Credential] = ()) -> str:
    """For `navigator.credentials.get`: one of `known`, or whichever the person chooses."""
    return options_to_json(
        generate_authentication_options(
            rp_id=party.id,
            challenge=challenge,
            timeout=_TIMEOUT,
            allow_credentials=_descriptors(known),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
    )


def made(party: RelyingParty, challenge: bytes, answer: str) -> Credential | None:
    """The passkey that was made in answer to `creation_options`; None when the answer does not hold."""

    def verify() -> Credential:
        credential = parse_registration_credential_json(answer)
        found = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            require_user_verification=True,
        )
        transports = tuple(str(each.value) for each in credential.response.transports or () if each in _TRANSPORTS)
        return Credential(found.credential_id, found.credential_public_key, found.sign_count, transports)

    return _or_none(verify, answer)


def claimed(answer: str) -> Claimed | None:
    """Which passkey an answer to `request_options` names; None when it is none."""

    def parse() -> Claimed:
        credential = parse_authentication_credential_json(answer)
        return Claimed(credential.raw_id, credential.response.user_handle)

    return _or_none(parse, answer)


def proven(party: RelyingParty, challenge: bytes, answer: str, credential: Credential) -> int | None:
    """The new signature counter when `answer` holds; None when not, also for a counter that goes back."""
    return _or_none(
        lambda: (
            verify_authentication_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=party.id,
                expected_origin=list(party.origins),
                credential_public_key=credential.public_key,
                credential_current_sign_count=credential.sign_count,
                require_user_verification=True,
            ).new_sign_count
        ),
        answer,
    )


def _or_none(verify: Callable[[], T], answer: str) -> T | None:
    if len(answer) > MAX_ANSWER:
        return None
    try:
        return verify()
    except Exception as error:  # noqa: BLE001 - parsers of hostile bytes: whatever they raise, nothing is proven
        # The kind alone: the library's messages quote what was sent.
        structlog.get_logger(__name__).info("passkey_refused", reason=type(error).__name__)
        return None


def _descriptors(known: Sequence[Credential]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(id=each.id, transports=[AuthenticatorTransport(it) for it in each.transports])
        for each in known
    ]


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
