"""What may be tried how often: all the numbers, and which network an address belongs to. Pure."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

FREE: Final = 5  # failures of one account before it has to wait
FIRST_DELAY: Final = 1  # seconds; doubled by each further failure
LONGEST_DELAY: Final = 15 * 60  # seconds
QUIET: Final = timedelta(days=1)  # without a failure, after which an account's are forgotten
WINDOW: Final = timedelta(minutes=15)  # in which a network has its allowance
IPV4_PREFIX: Final = 24
IPV6_PREFIX: Final = 48


class Action(StrEnum):
    """What is tried."""

    SIGN_IN = "SIGN_IN"
    SECOND_FACTOR = "SECOND_FACTOR"
    STEP_UP = "STEP_UP"  # by a second factor; by password it is PASSWORD
    PASSKEY = "PASSKEY"  # to sign in by one alone
    CHALLENGE = "CHALLENGE"  # given to whoever asks
    REGISTER = "REGISTER"
    RESET = "RESET"
    VERIFY = "VERIFY"
    REFRESH = "REFRESH"
    TOKEN = "TOKEN"  # noqa: S105 - an action, not a secret
    PASSWORD = "PASSWORD"  # noqa: S105 - an action, not a secret


# How many a network may have in a WINDOW: failures, or for EVERY all attempts.
ALLOWANCES: Final = {
    Action.SIGN_IN: 100,
    Action.SECOND_FACTOR: 100,
    Action.STEP_UP: 100,
    Action.PASSKEY: 100,
    Action.CHALLENGE: 600,
    Action.REGISTER: 30,
    Action.RESET: 50,
    Action.VERIFY: 100,
    Action.REFRESH: 300,
    Action.TOKEN: 100,
    Action.PASSWORD: 100,
}
# Failures of all known devices of an account in a WINDOW. One alone has fewer, by its delays; whoever had the password
# alone, before there was a second factor, could have made any number of devices known.
OF_DEVICES: Final = 20
# What cannot fail, or costs the service or somebody else something even when it does not.
EVERY: Final = frozenset({Action.REGISTER, Action.RESET, Action.CHALLENGE})
# What hashes a password: so many at once in a worker. More are turned away before they cost anything.
HASHING: Final = frozenset({Action.SIGN_IN, Action.REGISTER, Action.PASSWORD})
PLACES: Final = 32


def delay_after(failures: int) -> int:
    """How many seconds an account waits after so many failures in a row."""
    over = failures - FREE
    return 0 if over < 0 else min(FIRST_DELAY << min(over, 20), LONGEST_DELAY)


def prefix_of(address: str | None, *, loopback: bool = True) -> str | None:
    """The network that an address belongs to; None for what is no address, or is loopback and not wanted."""
    try:
        found: IPv4Address | IPv6Address = ip_address((address or "").partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if found.is_loopback and not loopback:
        return None
    return str(ip_network((found, IPV4_PREFIX if found.version == 4 else IPV6_PREFIX), strict=False))
