"""AWS KMS as the provider of root keys: it wraps and unwraps, and the root key never leaves it.

A key is named by its ARN, as KMS returns it, also when it is configured by its id or an alias: after another key
is configured, or the alias points to another one, the earlier one still unwraps, in its own region. The name of
what is wrapped is the encryption context, which KMS authenticates and writes to its log.

Credentials, region and endpoint are found as AWS's own tools find them (`AWS_ENDPOINT_URL`, roles, profiles).
Only `models.crypto.providers` imports this module, and only when it is asked for: boto3 is an optional dependency.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final, Protocol, TypedDict, TypeVar

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from models.crypto.envelope import KEY_BYTES, SealBroken
from models.crypto.roots import RootKeyMissing, RootKeysUnavailable, RootVersions, Wrapped
from models.crypto.secrecy import KeyHolder
from models.crypto.wrapping import KeyName
from models.errors import BadInput, ConfigurationError

DEADLINE: Final = 8  # seconds, for all attempts of one call; names are looked up without a limit of their own
_CONFIG: Final = Config(connect_timeout=2, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})
_ARN: Final = re.compile(r"arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):\d{12}:(?:key|alias)/[\w/-]+", re.ASCII)
_CODE: Final = re.compile(r"\w{1,64}", re.ASCII)

_GONE: Final = frozenset({"NotFoundException", "DisabledException"})
_BROKEN: Final = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})
_REASONS: Final = {
    "AccessDeniedException": "the credentials may not use this key (kms:Encrypt, kms:Decrypt, kms:DescribeKey)",
    "DisabledException": "the key is disabled",
    "ExpiredTokenException": "the credentials have expired",
    "InvalidKeyUsageException": "the key is not a symmetric one for encryption",
    "KMSInvalidStateException": "the key cannot be used in its state (its deletion is scheduled, or its store is away)",
    "NotFoundException": "there is no such key",
}

Answer = TypeVar("Answer")


class _Encrypted(TypedDict):
    CiphertextBlob: bytes
    KeyId: str


class _Decrypted(TypedDict):
    Plaintext: bytes


class _Metadata(TypedDict):
    Arn: str
    KeyState: str
    KeySpec: str


class _Described(TypedDict):
    KeyMetadata: _Metadata


class _Meta(Protocol):
    endpoint_url: str


class _Client(Protocol):
    """What is used of boto3's client, which has no types."""

    meta: _Meta

    def encrypt(self, *, KeyId: str, Plaintext: bytes, EncryptionContext: dict[str, str]) -> _Encrypted: ...  # noqa: N803 - as KMS spells them

    def decrypt(self, *, KeyId: str, CiphertextBlob: bytes, EncryptionContext: dict[str, str]) -> _Decrypted: ...  # noqa: N803 - as KMS spells them

    def describe_key(self, *, KeyId: str) -> _Described: ...  # noqa: N803 - as KMS spells them


@dataclass(frozen=True, slots=True)
class _Refusal:
    """KMS answered, and did not do it. The code is one of its own."""

    code: str

    @property
    def reason(self) -> str:
        return _REASONS.get(self.code, self.code)


class AwsKms(KeyHolder):
    """`RootKeys` by the symmetric key of AWS KMS that `key` names: its id, its ARN, or an alias of it.

    Raises `ConfigurationError` when no region is known, and with `require_tls` for an endpoint without TLS.
    """

    __slots__ = ("_clients", "_key", "_lock", "_region", "_require_tls", "_session")

    def __init__(self, key: str, *, require_tls: bool) -> None:
        self._key, self._require_tls = key, require_tls
        self._clients: dict[str | None, _Client] = {}
        self._lock = Lock()
        try:
            self._session = Session()
            self._region = _region_of(key) or self._session.region_name
            self._client(self._region)
        except NoRegionError:
            problem = "names a key without its region. Give its ARN, or set AWS_DEFAULT_REGION."
        except (BotoCoreError, ValueError) as error:
            problem = f"needs AWS's settings, which do not hold together: {type(error).__name__}."
        else:
            return
        raise ConfigurationError(f"FIELDWARD_KEYRING {problem}")

    async def wrap(self, name: KeyName, secret: bytes) -> Wrapped:
        """See `RootKeys`."""
        answer = await self._ask(
            lambda: self._client(self._region).encrypt(
                KeyId=self._key, Plaintext=secret, EncryptionContext=_context(name)
            )
        )
        if isinstance(answer, _Refusal):
            raise self._unavailable(answer.reason)
        return Wrapped(answer["KeyId"], answer["CiphertextBlob"])

    async def unwrap(self, name: KeyName, wrapped: Wrapped) -> bytes:
        """See `RootKeys`. A key that is disabled counts as one that is not there."""
        region = _region_of(wrapped.root)
        if region is None:
            raise RootKeyMissing(f"The root key {wrapped.root} is not one of AWS KMS.")
        answer = await self._ask(
            lambda: self._client(region).decrypt(
                KeyId=wrapped.root, CiphertextBlob=wrapped.blob, EncryptionContext=_context(name)
            )
        )
        if isinstance(answer, _Refusal):
            raise self._refused(wrapped.root, answer)
        if len(answer["Plaintext"]) != KEY_BYTES:
            raise SealBroken
        return answer["Plaintext"]

    async def versions(self) -> RootVersions:
        """See `RootKeys`. Only the key that is configured now is named: KMS does not know which ones were."""
        answer = await self._ask(lambda: self._client(self._region).describe_key(KeyId=self._key))
        if isinstance(answer, _Refusal):
            raise self._unavailable(answer.reason)
        key = answer["KeyMetadata"]
        if key["KeySpec"] != "SYMMETRIC_DEFAULT":
            raise self._unavailable("the key is not a symmetric one for encryption")
        if key["KeyState"] != "Enabled":
            raise self._unavailable(f"the key's state is {key['KeyState']}")
        return RootVersions(key["Arn"], (key["Arn"],))

    async def rotate(self) -> RootVersions:
        """See `RootKeys`. Raises `BadInput` always: the key is chosen by configuration."""
        raise BadInput(
            "Which key of AWS KMS wraps is chosen by configuration: make a new key there, and name it in "
            "FIELDWARD_KEYRING or let the alias point to it. KMS renews the material of one key by itself."
        )

    async def retire(self, name: str) -> None:
        """See `RootKeys`. Raises `BadInput` always: this service has no right to end a key."""
        raise BadInput(f"A key of AWS KMS is retired there: disable {name}, and schedule its deletion later.")

    async def _ask(self, work: Callable[[], Answer]) -> Answer | _Refusal:
        # NOTE: what the library raises may carry what was sent along; nothing of it leaves this function.
        try:
            async with asyncio.timeout(DEADLINE):
                return await asyncio.to_thread(work)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            return _Refusal(code if _CODE.fullmatch(code) else "UnknownError")
        except BotoCoreError as error:
            reason = f"no answer was to be had ({type(error).__name__})"
        except TimeoutError:
            reason = f"it did not answer within {DEADLINE} seconds"
        raise self._unavailable(reason)

    def _client(self, region: str | None) -> _Client:
        # NOTE: a client may be used by many threads, but a session makes only one at a time.
        with self._lock:
            if region not in self._clients:
                client: _Client = self._session.client("kms", region_name=region, config=_CONFIG)
                if self._require_tls and not client.meta.endpoint_url.startswith("https://"):
                    raise ConfigurationError(
                        "FIELDWARD_KEYRING names a key of AWS KMS, and AWS_ENDPOINT_URL an endpoint without TLS. "
                        "In production it must begin with https://."
                    )
                self._clients[region] = client
            return self._clients[region]

    def _refused(self, root: str, refusal: _Refusal) -> SealBroken | RootKeyMissing | RootKeysUnavailable:
        if refusal.code in _BROKEN:
            return SealBroken()
        if refusal.code in _GONE:
            return RootKeyMissing(f"The root key {root} cannot be used in AWS KMS: {refusal.reason}.")
        return RootKeysUnavailable(f"AWS KMS cannot be used with the key {root}: {refusal.reason}.")

    def _unavailable(self, reason: str) -> RootKeysUnavailable:
        return RootKeysUnavailable(f"AWS KMS cannot be used with the key {self._key}: {reason}.")


def _context(name: KeyName) -> dict[str, str]:
    """The name as an encryption context. KMS takes no empty values, so an empty owner is left out."""
    parts = {"kind": name.kind.value, "region": name.region, "version": str(name.version), "owner": name.owner}
    return {f"fieldward:{part}": value for part, value in parts.items() if value}


def _region_of(key: str) -> str | None:
    """The region of an ARN; None for anything else."""
    matched = _ARN.fullmatch(key)
    return matched["region"] if matched else None
