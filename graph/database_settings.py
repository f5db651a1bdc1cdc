"""What the settings for databases and keys may say, and what production must not start with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from graph.url_checks import mongodb_problems
from models.addresses import Addresses
from models.embedded import DATABASE
from models.errors import ConfigurationError

MONGODB_URL: Final = "FIELDWARD_MONGODB_URL"
KEYSTORE_URL: Final = "FIELDWARD_KEYSTORE_URL"
MIGRATOR_URL: Final = "FIELDWARD_MIGRATOR_URL"
KEYMASTER_URL: Final = "FIELDWARD_KEYSTORE_MIGRATOR_URL"
URLS: Final = (MONGODB_URL, KEYSTORE_URL, MIGRATOR_URL, KEYMASTER_URL)
ADMIN_URL: Final = "FIELDWARD_ADMIN_URL"
KEYSTORE_ADMIN_URL: Final = "FIELDWARD_KEYSTORE_ADMIN_URL"
ADMINISTRATORS: Final = (ADMIN_URL, KEYSTORE_ADMIN_URL)  # read by `fieldward database provision` only

KEYRING: Final = "must be the path of a file outside of FIELDWARD_DATA_DIR, aws-kms://KEY or vault://MOUNT/KEY"
_KEYS_SUFFIX: Final = "_keys"


def addresses(urls: Mapping[str, str]) -> Addresses | None:
    """The addresses that the variables in `urls` name; None without that of the database.

    Where the key store has none of its own it is another database of the same server; where migrations
    have none, they are made with the credential of the service.
    """
    if (api := urls.get(MONGODB_URL)) is None:
        return None
    keystore = urls.get(KEYSTORE_URL) or beside(api)
    return Addresses(
        api=api,
        keystore=keystore,
        migrator=urls.get(MIGRATOR_URL, api),
        keymaster=urls.get(KEYMASTER_URL, keystore),
    )


def beside(url: str) -> str:
    """The address of the key store on the same server, with the same credential.

    Raises `ConfigurationError` for what is no address.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ConfigurationError(f"{MONGODB_URL} is not a usable MongoDB address.") from None
    name = unquote(parts.path.lstrip("/"))
    options = {key.lower(): value for key, value in parse_qsl(parts.query)}
    query = parts.query
    if "@" in parts.netloc and not {"authsource", "authmechanism"} & options.keys() and parts.scheme == "mongodb":
        # Unless it is said, a user is one of the database in the address, and that is another one now.
        query = "&".join(filter(None, (query, urlencode({"authSource": name or "admin"}))))
    return parts._replace(path=f"/{name or DATABASE}{_KEYS_SUFFIX}", query=query).geturl()


def check_keyring(text: str, data_dir: Path) -> None:
    """Raise `ValueError`, without the value, for what root keys cannot be kept in."""
    scheme, found, rest = text.partition("://")
    if found:
        parts = rest.split("/")
        usable = (scheme == "aws-kms" and bool(rest)) or (scheme == "vault" and len(parts) >= 2 and all(parts))
    else:
        usable = not Path(text).resolve().is_relative_to(data_dir.resolve())
    if not usable:
        raise ValueError(KEYRING)


def incomplete(urls: Mapping[str, str]) -> Iterator[str]:
    """Addresses that mean nothing without another one that is not set."""
    for name, needed in (
        (KEYSTORE_URL, MONGODB_URL),
        (MIGRATOR_URL, MONGODB_URL),
        (MIGRATOR_URL, KEYMASTER_URL),
        (KEYMASTER_URL, MIGRATOR_URL),
        (KEYMASTER_URL, KEYSTORE_URL),
    ):
        if name in urls and needed not in urls:
            yield f"{name} needs {needed} beside it"


def unsafe_databases(urls: Mapping[str, str], *, keyring: str | None) -> Iterator[str]:
    """What production must not start with."""
    for name, what in ((MONGODB_URL, "a MongoDB of its own"), (KEYSTORE_URL, "a key store apart from the data")):
        if name not in urls:
            yield f"{name} is not set: production needs {what}"
    seen: dict[str, str] = {}
    for name, url in urls.items():
        yield from mongodb_problems(name, url)
        if (who := _who(url)) and (other := seen.setdefault(who, name)) != name:
            yield f"{name} must name another MongoDB user than {other} in production"
    if keyring is None:
        yield "FIELDWARD_KEYRING is not set: production needs a place for the root key"


def administrators(environment: Mapping[str, str]) -> tuple[str, str | None]:
    """The administrators' addresses for the main database and the key store (None: the same server).

    Raises `ConfigurationError` where there is none, or in production an unsafe one.
    """
    given = {name: environment[name] for name in ADMINISTRATORS if environment.get(name)}
    if ADMIN_URL not in given:
        raise ConfigurationError(f"{ADMIN_URL} is not set: users and roles are made by an administrator of MongoDB.")
    if environment.get("FIELDWARD_ENV") == "production":
        problems = [problem for name, url in given.items() for problem in mongodb_problems(name, url)]
        if problems:
            raise ConfigurationError("; ".join(problems) + ".")
    return given[ADMIN_URL], given.get(KEYSTORE_ADMIN_URL)


def _options(url: str) -> dict[str, str]:
    return {key.lower(): value.lower() for key, value in parse_qsl(urlsplit(url).query)}


def _who(url: str) -> str:
    """Who opens an address: its user, or the certificate that stands for one."""
    try:
        login, found, _ = urlsplit(url).netloc.rpartition("@")
        if found:
            return unquote(login.partition(":")[0])
        return _options(url).get("tlscertificatekeyfile", "")
    except ValueError:
        return ""
