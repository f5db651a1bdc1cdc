"""What settings that are addresses may say; in production: TLS on every external connection (requirement E6)."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

_SCHEMES: Final = {"mongodb://": frozenset({"false"}), "mongodb+srv://": frozenset({"true"})}  # TLS unless told
_WEAKENING: Final = ("tlsinsecure", "tlsallowinvalidcertificates", "tlsallowinvalidhostnames")
_MAY_REPEAT: Final = "readpreferencetags"  # a list, as the specification of connection strings has it


def mongodb_problems(name: str, url: str) -> Iterator[str]:
    """What is unsafe in the MongoDB address `url`; `name` is the variable that holds it. Nothing of it is repeated.

    The address is taken apart as the driver does it. What that only warns of and leaves out (`tls=True`), or takes
    the last of, is a problem here: it would connect in clear.
    """
    scheme = next((it for it in _SCHEMES if url.startswith(it)), None)
    if scheme is None:
        yield f"{name} must begin with mongodb:// or mongodb+srv://"
        return
    authority, _, query = url.removeprefix(scheme).partition("?")
    if any(character == ";" or character.isspace() for character in query):
        yield f"{name} must separate its options by &, without blanks"
        return
    options = _options(query)
    if any(len(values) > 1 for key, values in options.items() if key != _MAY_REPEAT):
        yield f"{name} gives one option several values"
    if "ssl" in options:
        yield f"{name} must say tls= in the place of ssl= in production"
    if options.get("tls", _SCHEMES[scheme]) != {"true"}:
        yield f"{name} must use TLS in production (tls=true or mongodb+srv://)"
    if any(options.get(key, {"false"}) != {"false"} for key in _WEAKENING):
        yield f"{name} must not switch certificate checks off in production"
    if not authority.partition("/")[0].rpartition("@")[0] and "authmechanism" not in options:
        yield f"{name} must name a MongoDB user in production"


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches `host`; a name other than `localhost` may lead anywhere."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_origin(text: str) -> bool:
    """Whether `text` is scheme, host and perhaps port of a web address, and nothing else."""
    try:
        parts = urlsplit(text)
        _ = parts.port  # reading it checks it
    except ValueError:
        return False
    plain = not (parts.path or parts.query or parts.fragment or "@" in parts.netloc or "*" in text)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and plain


def _options(query: str) -> dict[str, frozenset[str]]:
    """All values of each option; names in lower case, as they count in any."""
    found: dict[str, frozenset[str]] = {}
    for option in query.split("&"):
        key, _, value = option.partition("=")
        found[key.lower()] = found.get(key.lower(), frozenset()) | {value}
    return found
