"""A stand-in for HashiCorp Vault's transit engine, as far as it is used here, over real HTTP.

It encrypts with AES-256-GCM under versions of one key, checks associated data and token, and answers in Vault's
shapes and statuses, which were taken from its documentation: no real Vault was to be had.
"""

from __future__ import annotations

import json
import os
import ssl
import threading
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Final, Self
from uuid import uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MOUNT: Final = "team/transit"
KEY: Final = "fieldward"
TOKEN: Final = "hvs.the-token-of-no-one"
_NONCE: Final = 12

Data = dict[str, object]


class Refused(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, *errors: str) -> None:
        super().__init__(status)
        self.status, self.errors = status, errors


@dataclass
class FakeVault:
    """What the engine holds, and what a test may make of it."""

    tls: ssl.SSLContext | None = None
    sealed: bool = False
    status: int | None = None  # instead of any answer
    denied: frozenset[str] = frozenset()  # ends of paths that the token's policy does not name
    ignores_associated_data: bool = False
    cipher: str = "aes256-gcm96"
    derived: bool = False
    oldest: int = 1
    keys: dict[int, bytes] = field(default_factory=lambda: {1: os.urandom(32)})
    seen: list[dict[str, str]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.vault = self
        if self.tls is not None:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.01])
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def address(self) -> str:
        """As `VAULT_ADDR` has it."""
        return f"{'http' if self.tls is None else 'https'}://127.0.0.1:{self._server.server_port}"

    @property
    def latest(self) -> int:
        """The version that encrypts."""
        return max(self.keys)

    def answer(self, method: str, path: str, headers: dict[str, str], body: dict[str, str]) -> Data:
        """The whole body of an answer, or `Refused`."""
        self.seen.append(headers)
        if self.sealed:
            raise Refused(503, "Vault is sealed")
        if self.status is not None:
            raise Refused(self.status)
        if headers.get("x-vault-token") != TOKEN or any(path.endswith(end) for end in self.denied):
            raise Refused(403, "1 error occurred:\n\t* permission denied\n\n")
        inside = path.removeprefix(f"/v1/{MOUNT}/")
        if inside == path:
            raise Refused(404, f'no handler for route "{path.removeprefix("/v1/")}". route entry not found.')
        ways: dict[tuple[str, str], Callable[[], Data]] = {
            ("GET", f"keys/{KEY}"): self._key,
            ("POST", f"keys/{KEY}/rotate"): self._rotate,
            ("POST", f"keys/{KEY}/config"): lambda: self._config(int(body["min_decryption_version"])),
            ("POST", f"encrypt/{KEY}"): lambda: self._encrypt(body),
            ("POST", f"decrypt/{KEY}"): lambda: self._decrypt(body),
        }
        if (method, inside) not in ways:
            # A policy with `update` alone makes no key by encrypting.
            raise Refused(404) if method == "GET" else Refused(403, "1 error occurred:\n\t* permission denied\n\n")
        return self._framed(ways[method, inside](), used=body.get("associated_data"))

    def _framed(self, data: Data, used: str | None) -> Data:
        ignored = ["Endpoint ignored these unrecognized parameters: [associated_data]"]
        return {
            "request_id": str(uuid4()),
            "lease_id": "",
            "renewable": False,
            "lease_duration": 0,
            "data": data,
            "wrap_info": None,
            "warnings": ignored if used is not None and self.ignores_associated_data else None,
            "auth": None,
        }

    def _key(self) -> Data:
        return {
            "name": KEY,
            "type": self.cipher,
            "derived": self.derived,
            "exportable": False,
            "deletion_allowed": False,
            "keys": {str(number): 1_790_000_000 for number in self.keys if number >= self.oldest},
            "latest_version": self.latest,
            "min_available_version": 0,
            "min_decryption_version": self.oldest,
            "min_encryption_version": 0,
        }

    def _rotate(self) -> Data:
        self.keys[self.latest + 1] = os.urandom(32)
        return self._key()

    def _config(self, oldest: int) -> Data:
        if oldest > self.latest:
            raise Refused(400, f"cannot set min decryption version of {oldest}, latest key version is {self.latest}")
        self.oldest = oldest
        return self._key()

    def _encrypt(self, body: dict[str, str]) -> Data:
        nonce = os.urandom(_NONCE)
        sealed = nonce + AESGCM(self.keys[self.latest]).encrypt(
            nonce, b64decode(body["plaintext"], validate=True), self._bound(body)
        )
        return {"ciphertext": f"vault:v{self.latest}:{b64encode(sealed).decode()}", "key_version": self.latest}

    def _decrypt(self, body: dict[str, str]) -> Data:
        prefix, _, rest = body["ciphertext"].partition(":v")
        number, _, text = rest.partition(":")
        if prefix != "vault" or not number.isdecimal():
            raise Refused(400, "invalid ciphertext: no prefix")
        if int(number) > self.latest:
            raise Refused(400, "invalid ciphertext: version is too new")
        if int(number) < self.oldest:
            raise Refused(400, "ciphertext or signature version is disallowed by policy (too old)")
        try:
            sealed = b64decode(text, validate=True)
            plain = AESGCM(self.keys[int(number)]).decrypt(sealed[:_NONCE], sealed[_NONCE:], self._bound(body))
        except NotBase64:
            raise Refused(400, "invalid ciphertext: could not decode base64") from None
        except (InvalidTag, ValueError):
            raise Refused(400, "cipher: message authentication failed") from None
        return {"plaintext": b64encode(plain).decode()}

    def _bound(self, body: dict[str, str]) -> bytes:
        return b"" if self.ignores_associated_data else b64decode(body.get("associated_data", ""), validate=True)


class _Server(ThreadingHTTPServer):
    vault: FakeVault


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, body: dict[str, str]) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            status, answer = 200, self.server.vault.answer(self.command, self.path, headers, body)
        except Refused as refused:
            status, answer = refused.status, {"errors": list(refused.errors)}
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Says nothing."""
