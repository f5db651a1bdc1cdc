"""Which provider of root keys a setting names: a file, AWS KMS or HashiCorp Vault."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Final

from models.crypto.keyring import KeyringFile
from models.crypto.roots import RootKeys
from models.errors import ConfigurationError

# Also with one slash or none: a slip of the pen must not become a file of that name.
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:", re.ASCII)
_KMS: Final = re.compile(
    r"aws-kms://(?P<key>[A-Za-z0-9-]+|arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(?:key|alias)/[\w/-]+|alias/[\w/-]+)",
    re.ASCII,
)
_VAULT: Final = re.compile(r"vault://(?P<mount>\w[\w.-]*(?:/\w[\w.-]*)*)/(?P<key>\w[\w.-]*)", re.ASCII)


def root_keys(keyring: str, *, data_dir: Path, environment: Mapping[str, str], production: bool) -> RootKeys:
    """The provider that the setting `FIELDWARD_KEYRING` names; it is not asked anything yet.

    A path of a file outside `data_dir`, `aws-kms://<key id, ARN or alias/name>`, or `vault://<mount>/<key>`. Of
    `environment` Vault's own names are read; AWS's are read by its library. Raises `ConfigurationError`.
    """
    if not keyring.strip():
        raise ConfigurationError("FIELDWARD_KEYRING is empty. It says where the root keys are.")
    if not _SCHEME.match(keyring):
        return KeyringFile(Path(keyring), apart_from=data_dir)
    if kms := _KMS.fullmatch(keyring):
        return _loaded("models.crypto.kms", "AwsKms")(kms["key"], require_tls=production)
    if vault := _VAULT.fullmatch(keyring):
        return _vault(vault["mount"], vault["key"], environment, production=production)
    raise ConfigurationError(
        "FIELDWARD_KEYRING must be the path of a file, aws-kms://<key id, ARN or alias/name> or vault://<mount>/<key>."
    )


def _loaded(module: str, provider: str) -> Callable[..., RootKeys]:
    # NOTE: by name, for each brings a library that takes a while to load, and boto3 is there only where it is wanted.
    try:
        found: Callable[..., RootKeys] = getattr(import_module(module), provider)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"boto3", "botocore"}:
            raise
    else:
        return found
    raise ConfigurationError(
        "FIELDWARD_KEYRING names a key of AWS KMS, and what talks to it is not installed. "
        "Run: pip install 'fieldward[aws]'"
    )


def _vault(mount: str, key: str, environment: Mapping[str, str], *, production: bool) -> RootKeys:
    missing = [name for name in ("VAULT_ADDR", "VAULT_TOKEN") if not environment.get(name)]
    if missing:
        raise ConfigurationError(f"FIELDWARD_KEYRING names a key of Vault, and {' and '.join(missing)} must be set.")
    authority = environment.get("VAULT_CACERT")
    return _loaded("models.crypto.vault", "VaultTransit")(
        mount,
        key,
        address=environment["VAULT_ADDR"],
        token=environment["VAULT_TOKEN"],
        authority=Path(authority) if authority else None,
        namespace=environment.get("VAULT_NAMESPACE") or None,
        require_tls=production,
    )
