"""Answers of an authenticator that do not hold, each for one reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from tests.e2e.authenticator import Authenticator

Answer = Callable[[Authenticator, str], str]


def unverified(device: Authenticator, options: str) -> str:
    """The person did not show the device who they are."""
    return device.get(options, verified=False)


def elsewhere(device: Authenticator, options: str) -> str:
    """Given to a page of somebody else."""
    return device.get(options, origin="https://evil.example")


def other_host(device: Authenticator, options: str) -> str:
    """Made for another service."""
    return device.get(options, host="evil.example")


def other_challenge(device: Authenticator, options: str) -> str:
    """Made before."""
    return device.get(options, challenge=bytes(32))


def other_handle(device: Authenticator, options: str) -> str:
    """Of somebody else, it says."""
    return device.get(options, handle=bytes(32))


def other_key(device: Authenticator, options: str) -> str:
    """Signed by a key that is not the credential's."""
    stranger = Authenticator(device.origin)
    asked_for = json.loads(options)
    stranger.create(creation(asked_for["rpId"]))
    return device.get(options, signed_by=stranger.keys[0])


def set_back(device: Authenticator, options: str) -> str:
    """From a copy of the device, made earlier."""
    device.keys[0].count = -1
    return device.get(options)


def unknown(device: Authenticator, options: str) -> str:
    """A passkey that was never enrolled."""
    stranger = Authenticator(device.origin)
    stranger.create(creation(json.loads(options)["rpId"]))
    return stranger.get(options, key=stranger.keys[0])


def nonsense(device: Authenticator, options: str) -> str:
    """No answer at all."""
    return '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {}}'


def empty(device: Authenticator, options: str) -> str:
    """Nothing."""
    return ""


def creation(host: str) -> str:
    """Options as this service would give them, for a device that is not its own."""
    return json.dumps(
        {
            "rp": {"id": host},
            "user": {"id": "AAAA"},
            "challenge": "AAAA",
            "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
            "authenticatorSelection": {"userVerification": "required", "residentKey": "required"},
        }
    )


WRONG: Final[list[Answer]] = [
    unverified,
    elsewhere,
    other_host,
    other_challenge,
    other_handle,
    other_key,
    set_back,
    unknown,
    nonsense,
    empty,
]
