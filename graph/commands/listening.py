"""The address that the service listens on, of IPv4, IPv6 or both, and the proxies that are trusted there."""

from __future__ import annotations

import errno
import socket
from ipaddress import IPv4Network, ip_network
from typing import Final

from graph.connections import bound_unread
from graph.settings import Settings
from models.errors import ConfigurationError

_BACKLOG: Final = 2048
_ALL_IPV4: Final = "0.0.0.0"  # noqa: S104 - compared, not bound
_ALL_IPV6: Final = "::"
_MAPPED: Final = "::ffff:"  # how IPv6 writes addresses of IPv4 (RFC 4291, section 2.5.5.2)
_MAPPED_BITS: Final = 96  # of their network


def listen(settings: Settings) -> socket.socket:
    """The socket that requests come by. Raises `ConfigurationError`."""
    try:
        listening = _bound(settings.host, settings.port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            problem = f"Port {settings.port} is in use. Choose another one: FIELDWARD_PORT, or make run PORT=..."
        else:
            reason = (error.strerror or "unknown reason").partition(" (while")[0]
            problem = f"FIELDWARD_HOST and FIELDWARD_PORT cannot be listened on: {reason}."
    else:
        bound_unread(listening)
        listening.set_inheritable(True)
        return listening
    raise ConfigurationError(problem)


def _bound(host: str, port: int) -> socket.socket:
    if ":" not in host:
        return socket.create_server((host, port), backlog=_BACKLOG)
    # NOTE: `::` stands for every address of this machine, of IPv4 too where one socket can do both.
    both = host == _ALL_IPV6 and socket.has_dualstack_ipv6()
    return socket.create_server((host, port), family=socket.AF_INET6, backlog=_BACKLOG, dualstack_ipv6=both)


def reachable(settings: Settings) -> str:
    """An address of this machine that the service listens on."""
    return {_ALL_IPV4: "127.0.0.1", _ALL_IPV6: "::1"}.get(settings.host, settings.host)


def trusted(settings: Settings) -> list[str]:
    """The networks of trusted proxies; those of IPv4 also as they come by a socket for both, mapped to IPv6."""
    networks = [ip_network(each) for each in settings.trusted_proxies]
    mapped = [
        ip_network(f"{_MAPPED}{each.network_address}/{_MAPPED_BITS + each.prefixlen}")
        for each in networks
        if isinstance(each, IPv4Network)
    ]
    return sorted(map(str, [*networks, *mapped]))
