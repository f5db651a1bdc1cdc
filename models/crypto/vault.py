"""HashiCorp Vault's transit engine as the provider of root keys: it wraps and unwraps, and no key leaves it.

A root key is one version of the transit key, named as in what Vault returns: `v3` for `vault:v3:...`. What is
wrapped is bound to its name as associated data, which Vault has had since 1.13; a Vault that says it ignores it
is refused. Vault's messages are not repeated: only the status is, since a message may show what was sent.
"""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Final, Generic, TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ValidationError

from models.crypto.envelope import KEY_BYTES, SealBroken
from models.crypto.roots import RootKeyMissing, RootKeysUnavailable, RootVersions, Wrapped
from models.crypto.secrecy import KeyHolder
from models.crypto.wrapping import KeyName
from models.errors import BadInput, ConfigurationError

DEADLINE: Final = 8  # seconds, for one call with all that belongs to it
_TIMEOUT: Final = httpx.Timeout(5, connect=2)
_TYPES: Final = frozenset({"aes256-gcm96", "chacha20-poly1305"})  # of 256 bits, and with associated data
_REASONS: Final[dict[int, str]] = {
    HTTPStatus.FORBIDDEN: "the token is not valid, or its policy does not allow this",
    HTTPStatus.NOT_FOUND: "there is no such key or transit engine",
    HTTPStatus.TOO_MANY_REQUESTS: "it has too many requests",
    HTTPStatus.TEMPORARY_REDIRECT: "it is a standby that names another node; VAULT_ADDR must be that of the active one",
    HTTPStatus.SERVICE_UNAVAILABLE: "it is sealed or in maintenance",
}


Data = TypeVar("Data", bound=BaseModel)


class _Ciphertext(BaseModel):
    ciphertext: str


class _Plaintext(BaseModel):
    plaintext: str


class _Key(BaseModel):
    type: str
    derived: bool
    latest_version: int
    min_decryption_version: int
    min_available_version: int = 0


class _Answer(BaseModel, Generic[Data]):
    """What every answer has around what was asked for."""

    data: Data
    warnings: list[str] | None = None


class VaultTransit(KeyHolder):
    """`RootKeys` by the transit key `key` of the engine at `mount`.

    `address` is that of Vault (`https://vault.internal:8200`), `authority` the file of the certificates to trust
    (None: the system's), `namespace` one of Vault Enterprise. Raises `ConfigurationError` for an address without
    TLS where `require_tls` says so, and for what cannot be used at all.
    """

    __slots__ = ("_headers", "_key", "_mount", "_tls", "_url")

    def __init__(
        self,
        mount: str,
        key: str,
        *,
        address: str,
        token: str,
        authority: Path | None = None,
        namespace: str | None = None,
        require_tls: bool,
    ) -> None:
        self._mount, self._key = mount, key
        self._url = f"{_address(address, require_tls=require_tls)}/v1/{mount}"
        self._headers = {"X-Vault-Request": "true", "X-Vault-Token": _header(token, "VAULT_TOKEN")}
        if namespace:
            self._headers["X-Vault-Namespace"] = _header(namespace, "VAULT_NAMESPACE")
        self._tls = _trusting(authority)

    async def wrap(self, name: KeyName, secret: bytes) -> Wrapped:
        """See `RootKeys`."""
        body = {"plaintext": _text(secret), "associated_data": _text(name.framed())}
        answer = self._read(_Answer[_Ciphertext], *await self._send("POST", f"encrypt/{self._key}", body))
        if any("associated_data" in warning for warning in answer.warnings or ()):
            raise self._unavailable("it ignores associated data; Vault 1.13 or newer is needed")
        ciphertext = answer.data.ciphertext
        return Wrapped(ciphertext.removeprefix("vault:").partition(":")[0], ciphertext.encode())

    async def unwrap(self, name: KeyName, wrapped: Wrapped) -> bytes:
        """See `RootKeys`."""
        if wrapped.blob.isascii() and wrapped.blob.startswith(f"vault:{wrapped.root}:".encode()):
            body = {"ciphertext": wrapped.blob.decode(), "associated_data": _text(name.framed())}
            status, content = await self._send("POST", f"decrypt/{self._key}", body)
            # NOTE: one status for a version that is gone and for what does not open; its texts are no interface.
            if status != HTTPStatus.BAD_REQUEST:
                return _secret(self._read(_Answer[_Plaintext], status, content).data.plaintext)
        if wrapped.root in (await self.versions()).alive:
            raise SealBroken
        raise RootKeyMissing(
            f"The root key {wrapped.root} is not among those that unwrap: {self._key} of {self._mount} in Vault."
        )

    async def versions(self) -> RootVersions:
        """See `RootKeys`. Also refuses a key of another type than is needed, which would bind nothing."""
        key = self._read(_Answer[_Key], *await self._send("GET", f"keys/{self._key}")).data
        if key.type not in _TYPES or key.derived:
            raise self._unavailable(f"the key must be of type {' or '.join(sorted(_TYPES))}, and not derived")
        oldest = max(1, key.min_decryption_version, key.min_available_version)
        return RootVersions(
            f"v{key.latest_version}", tuple(f"v{number}" for number in range(oldest, key.latest_version + 1))
        )

    async def rotate(self) -> RootVersions:
        """See `RootKeys`. Vault makes a new version of the key."""
        self._done(await self._send("POST", f"keys/{self._key}/rotate", {}))
        return await self.versions()

    async def retire(self, name: str) -> None:
        """See `RootKeys`. Versions retire oldest first, by `min_decryption_version`; Vault still has them until
        they are trimmed there."""
        versions = await self.versions()
        if name not in versions.alive:
            raise BadInput("There is no such root key.")
        if name == versions.current:
            raise BadInput("This is the root key in use. Rotate first, then retire the old one.")
        if name != versions.alive[0]:
            raise BadInput(f"Vault retires versions of a key oldest first. Begin with {versions.alive[0]}.")
        least = {"min_decryption_version": int(name[1:]) + 1}
        self._done(await self._send("POST", f"keys/{self._key}/config", least))

    async def _send(self, method: str, path: str, body: Mapping[str, str | int] | None = None) -> tuple[int, bytes]:
        """Status and body of the answer."""
        # NOTE: what the library raises holds the request, with token and key; nothing of it leaves this function.
        # A proxy of the environment is not used: without TLS it would see both.
        try:
            async with (
                asyncio.timeout(DEADLINE),
                httpx.AsyncClient(verify=self._tls, timeout=_TIMEOUT, trust_env=False) as client,
            ):
                answer = await client.request(method, f"{self._url}/{path}", headers=self._headers, json=body)
                return answer.status_code, answer.content
        except TimeoutError:
            reason = f"it did not answer within {DEADLINE} seconds"
        except httpx.HTTPError as error:
            reason = f"no answer was to be had ({type(error).__name__})"
        raise self._unavailable(reason)

    def _read(self, kind: type[_Answer[Data]], status: int, content: bytes) -> _Answer[Data]:
        self._done((status, content))
        # NOTE: an error of the parser would carry the content along.
        try:
            return kind.model_validate_json(content)
        except ValidationError:
            pass
        raise self._unavailable("its answer is not one of a transit engine")

    def _done(self, answer: tuple[int, bytes]) -> None:
        status, _ = answer
        if status not in (HTTPStatus.OK, HTTPStatus.NO_CONTENT):
            raise self._unavailable(f"{_REASONS.get(status, 'it refused')} (status {status})")

    def _unavailable(self, reason: str) -> RootKeysUnavailable:
        return RootKeysUnavailable(f"Vault cannot be used with the key {self._key} of {self._mount}: {reason}.")


def _address(address: str, *, require_tls: bool) -> str:
    """The address, fit to be continued. No message repeats it: someone may have put a password in."""
    try:
        parts = urlsplit(address)
        fits = bool(parts.hostname) and (parts.port or 1) > 0 and not parts.username and not parts.password
    except ValueError:
        fits = False
    if not fits or parts.scheme not in {"http", "https"} or parts.query or parts.fragment:
        raise ConfigurationError("VAULT_ADDR must be the address of Vault, like https://vault.example.com:8200.")
    if require_tls and parts.scheme != "https":
        raise ConfigurationError("VAULT_ADDR is an address without TLS. In production it must begin with https://.")
    return address.rstrip("/")


def _header(value: str, setting: str) -> str:
    if not value or not value.isascii() or not value.isprintable() or " " in value:
        raise ConfigurationError(f"{setting} must be one word of printable ASCII characters.")
    return value


def _trusting(authority: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError):
        pass
    raise ConfigurationError(f"VAULT_CACERT: {authority} is not a readable file of certificates.")


def _secret(plaintext: str) -> bytes:
    try:
        secret = b64decode(plaintext, validate=True)
    except NotBase64:
        secret = b""
    if len(secret) != KEY_BYTES:
        raise SealBroken
    return secret


def _text(content: bytes) -> str:
    return b64encode(content).decode()
