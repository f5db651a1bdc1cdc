"""What the environment may say, prefix `FIELDWARD_`. Read by the composition root and the commands only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import NoDecode

from graph import database_settings, mail_settings
from graph.storage_settings import PREFIX, StorageSettings
from graph.url_checks import is_loopback, is_origin
from models.crypto.tls import TlsFiles
from models.errors import ConfigurationError

# Names that are kept for later versions. Setting one is refused: what it asks for would not be done.
RESERVED: Final = (
    "CELLS",
    "DIRECTORY_URL",
    "TRUSTED_DOCUMENTS_ONLY",
)
_OFF: Final = frozenset({"", "0", "off", "no", "false"})
_MAX_WORKERS: Final = 64
_MAX_PORT: Final = 65_535
MAX_PAGE: Final = 1_000
_MUST: Final = {
    "env": "must be development or production",
    "data_dir": "must be the path of a folder",
    "region": "must have 2 to 16 lower-case letters, digits or hyphens, like eu",
    "workers": f"must be a whole number from 1 to {_MAX_WORKERS}",
    "step_up": "must be on or off",
    "port": f"must be a whole number from 1 to {_MAX_PORT}",
    "max_page": f"must be a whole number from 1 to {MAX_PAGE}",
}


class Settings(StorageSettings):
    """All settings. In production every missing or unsafe one is named at once."""

    region: str = Field("eu", pattern=r"^[a-z0-9-]{2,16}$", description="the region whose people are held here")
    workers: int = Field(1, ge=1, le=_MAX_WORKERS, description="number of API processes")
    host: str = Field("127.0.0.1", min_length=1, description="address to listen on")
    port: int = Field(8000, ge=1, le=_MAX_PORT, description="port to listen on")
    issuer: str = Field(
        "", description="public address of this service, named in tokens; default http://127.0.0.1:PORT"
    )
    allowed_origins: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(), description="web origins, separated by commas, whose pages may call with cookies"
    )
    smtp_url: SecretStr | None = Field(
        None, description="mail server, smtps://USER:PASSWORD@HOST:465 or smtp://HOST:587 with STARTTLS"
    )
    trusted_proxies: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(), description="networks (CIDR), separated by commas, whose X-Forwarded-For and -Proto count"
    )
    tls_certificate: Path | None = Field(
        None, description="PEM file of the certificate, followed by those that lead to its authority: https"
    )
    tls_key: Path | None = Field(None, description="PEM file of its key, readable by its owner only")
    max_page: int = Field(100, ge=1, le=MAX_PAGE, description="the most that `first` may ask for")
    mail_from: str = Field("Fieldward <no-reply@fieldward.example>", description="the sender of mails")
    account_url: str = Field("", description="the page that links in mails lead to; default ISSUER/account")
    step_up: bool = Field(
        False, description="on or off: ask for a second factor and fresh proof; always on in production"
    )

    @property
    def tls(self) -> TlsFiles | None:
        """What https is served with; None: this service itself speaks http."""
        if self.tls_certificate is None or self.tls_key is None:
            return None
        return TlsFiles(self.tls_certificate, self.tls_key)

    @field_validator("allowed_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return frozenset(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value

    @field_validator("allowed_origins")
    @classmethod
    def _are_origins(cls, value: frozenset[str]) -> frozenset[str]:
        if not all(is_origin(origin) for origin in value):
            raise ValueError("each must be an origin like https://app.example, without path or wildcard")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: frozenset[str]) -> frozenset[str]:
        try:
            networks = [ip_network(each) for each in value]
        except ValueError:
            networks = [ip_network("::/0")]
        if not all(network.prefixlen for network in networks):
            raise ValueError("each must be an address or a network like 10.0.0.0/8, not everybody")
        return frozenset(map(str, networks))

    @field_validator("issuer")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if value and not is_origin(value):
            raise ValueError("must be an address like https://users.example, without path")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _is_mail_server(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            mail_settings.check_smtp_url(value.get_secret_value())
        return value

    @field_validator("mail_from")
    @classmethod
    def _is_sender(cls, value: str) -> str:
        mail_settings.check_sender(value)
        return value

    @field_validator("account_url")
    @classmethod
    def _is_page(cls, value: str) -> str:
        if value:
            mail_settings.check_page(value)
        return value

    @model_validator(mode="after")
    def _defaults(self) -> Self:
        # The model is frozen for its users; this is still its making.
        if not self.issuer:
            self.__dict__["issuer"] = f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"
        if not self.account_url:
            self.__dict__["account_url"] = f"{self.issuer}{mail_settings.ACCOUNT_PATH}"
        if "step_up" not in self.model_fields_set:
            self.__dict__["step_up"] = self.production
        return self


def load_settings(environment: Mapping[str, str]) -> Settings:
    """Read and check the settings of `environment` (`os.environ`).

    An empty variable is an unset one. Raises `ConfigurationError` naming every variable that is wrong, never
    its value.
    """
    names = {name.upper(): name for name in Settings.model_fields}
    given = {
        names[key.removeprefix(PREFIX)]: value
        for key, value in environment.items()
        if value and key.startswith(PREFIX) and key.removeprefix(PREFIX) in names
    }
    problems = [
        f"{PREFIX}{name} is not available in this version: unset it"
        for name in RESERVED
        if environment.get(PREFIX + name, "").strip().lower() not in _OFF
    ]
    problems += [
        f"{name} is for fieldward database provision only: unset it"
        for name in database_settings.ADMINISTRATORS
        if environment.get(name)
    ]
    try:
        settings = Settings(**given)  # type: ignore[arg-type]  # texts; pydantic turns them into what they stand for
    except ValidationError as error:
        problems += [_explain(one["loc"], one["msg"]) for one in error.errors(include_url=False, include_input=False)]
        settings = None
    if settings is not None:
        problems += database_settings.incomplete(settings.database_urls)
        if (settings.tls_certificate is None) != (settings.tls_key is None):
            problems.append(f"{PREFIX}TLS_CERTIFICATE and {PREFIX}TLS_KEY belong together: set both, or none")
        problems += _unsafe(settings, given) if settings.production else ()
    if problems or settings is None:
        raise ConfigurationError("; ".join(problems) + ".")
    return settings


def unknown_settings(environment: Mapping[str, str]) -> list[str]:
    """The variables with our prefix that mean nothing here, for instance misspelt ones."""
    known = {PREFIX + name for name in (*map(str.upper, Settings.model_fields), *RESERVED)}
    return sorted(key for key in environment if key.startswith(PREFIX) and key not in known)


def _explain(location: tuple[int | str, ...], message: str) -> str:
    field = str(location[0]) if location else ""
    return f"{PREFIX}{field.upper()}: {_MUST.get(field) or message.removeprefix('Value error, ')}"


def _unsafe(settings: Settings, given: Mapping[str, str]) -> Iterator[str]:
    """What production must not start with (requirement E6, and what demo defaults would open)."""
    yield from database_settings.unsafe_databases(settings.database_urls, keyring=settings.keyring)
    if not given.get("issuer"):
        yield f"{PREFIX}ISSUER is not set: production needs the public https address"
    elif not settings.issuer.startswith("https://"):
        yield f"{PREFIX}ISSUER must be an https address in production"
    if not given.get("data_dir"):
        yield f"{PREFIX}DATA_DIR is not set: production needs a lasting folder for the signing keys"
    if not settings.step_up:
        yield f"{PREFIX}STEP_UP cannot be off in production"
    if any(not origin.startswith("https://") for origin in settings.allowed_origins):
        yield f"{PREFIX}ALLOWED_ORIGINS must be https origins in production"
    if not (settings.tls or is_loopback(settings.host) or _is_behind_proxy(settings)):
        yield (
            f"{PREFIX}HOST is reached by other machines, and without TLS: set {PREFIX}TLS_CERTIFICATE and "
            f"{PREFIX}TLS_KEY, or name the proxy that ends TLS in {PREFIX}TRUSTED_PROXIES"
        )
    smtp_url = settings.smtp_url.get_secret_value() if settings.smtp_url else None
    yield from mail_settings.unsafe_mail(smtp_url, settings.account_url, given)


def _is_behind_proxy(settings: Settings) -> bool:
    """Whether another machine is trusted to end TLS; one on this machine needs no other address than loopback."""
    return not all(ip_network(each).is_loopback for each in settings.trusted_proxies)
