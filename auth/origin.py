"""Where a sign-in comes from, as coarsely as it is shown to people."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Final

from ua_parser import parse_os, parse_user_agent

_NETWORK_BITS: Final = {4: 24, 6: 48}
_LENGTH: Final = 200


@dataclass(frozen=True, slots=True)
class Origin:
    """The address of a request, and the user agent it gave."""

    ip: str | None = field(default=None, repr=False)
    agent: str | None = field(default=None, repr=False)

    @property
    def place(self) -> str | None:
        """The network of the address: 24 bits of IPv4, 48 of IPv6. None without an address."""
        try:
            address = ip_address(self.ip or "")
        except ValueError:
            return None
        mapped = getattr(address, "ipv4_mapped", None)  # how a socket for both kinds shows IPv4
        address = mapped or address
        return str(ip_network((address.packed, _NETWORK_BITS[address.version]), strict=False))

    @property
    def device(self) -> str | None:
        """What to call the device, such as `Firefox on Linux`; the user agent itself where it is no browser's."""
        if not self.agent:
            return None
        agent = self.agent[:_LENGTH]
        browser, system = parse_user_agent(agent), parse_os(agent)
        return f"{browser.family} on {system.family}" if browser and system else agent


def load_names() -> None:
    """Load the names of browsers and systems now: it takes 0.1 s, which would hold up the first sign-in."""
    parse_user_agent("")
    parse_os("")
