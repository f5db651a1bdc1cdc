"""The settings that say where data and keys are kept; `graph.settings` has the others and reads them all."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from graph import database_settings
from models.addresses import Addresses

PREFIX: Final = "FIELDWARD_"


class StorageSettings(BaseSettings):
    """Databases, keys and folders."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True)

    env: Literal["development", "production"] = Field("development", description="development or production")
    mongodb_url: SecretStr | None = Field(
        None, description="a MongoDB replica set, version 6.0 or newer; unset in development: the embedded one"
    )
    keystore_url: SecretStr | None = Field(
        None, description="the key store's database, by a user of its own; unset in development: beside the other one"
    )
    migrator_url: SecretStr | None = Field(
        None, description="the main database, by the user that makes indexes and validators"
    )
    keystore_migrator_url: SecretStr | None = Field(
        None, description="the key store's database, by the user that makes and rotates keys"
    )
    data_dir: Path = Field(Path(".data"), description="folder for signing keys and the embedded MongoDB")
    keyring: str | None = Field(
        None, description="the root key: the path of a file, aws-kms://KEY or vault://MOUNT/KEY"
    )

    @property
    def production(self) -> bool:
        """Whether people's real data is at stake."""
        return self.env == "production"

    @property
    def database_urls(self) -> dict[str, str]:
        """The addresses that are set, by their variables."""
        urls = (self.mongodb_url, self.keystore_url, self.migrator_url, self.keystore_migrator_url)
        named = zip(database_settings.URLS, urls, strict=True)
        return {name: url.get_secret_value() for name, url in named if url is not None}

    @property
    def addresses(self) -> Addresses | None:
        """The databases that the environment names; None: the embedded ones."""
        return database_settings.addresses(self.database_urls)

    @property
    def may_migrate(self) -> bool:
        """Whether the service may make indexes itself: in development, and where it was given the credential."""
        return not self.production or self.migrator_url is not None

    @property
    def root_key(self) -> str:
        """Where the root key is: a path, `aws-kms://...` or `vault://...`; never inside of the data folder."""
        return self.keyring or f"{self.data_dir.resolve()}.keys/root.json"

    @property
    def keys_file(self) -> Path:
        """Where the token-signing keys are kept, outside the database."""
        return self.data_dir / "keys" / "signing.json"

    @property
    def journal_file(self) -> Path:
        """Where destroyed keys of people are noted, apart from the databases."""
        return self.data_dir / "keys" / "destroyed.jsonl"

    @property
    def throttle_key_file(self) -> Path:
        """Where the key is kept by which attempts are counted and devices are known."""
        return self.data_dir / "keys" / "throttle.key"

    @property
    def mail_dir(self) -> Path:
        """Where mails are written while there is no mail server, in development."""
        return self.data_dir / "mail"

    @property
    def mongodb_dir(self) -> Path:
        """Where the embedded MongoDB keeps everything."""
        return self.data_dir / "mongodb"

    @field_validator("keyring")
    @classmethod
    def _is_keyring(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and "data_dir" in info.data:  # else the folder itself is what is wrong
            database_settings.check_keyring(value, info.data["data_dir"])
        return value
