"""A key for message authentication codes (HMAC-SHA-256, RFC 2104), kept in a file apart from the database.

The file holds 32 random bytes in base64url, mode 0600 inside a folder of mode 0700, like the signing keys.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from models.crypto.private_file import PrivateFile
from models.errors import ConfigurationError

_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class MacKey:
    """One secret key; its `repr` shows nothing."""

    _key: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> MacKey:
        """A new key from the system's random source."""
        return cls(secrets.token_bytes(_KEY_BYTES))

    def mac(self, *parts: str) -> str:
        """The code of `parts` in base64url, 43 characters.

        NOTE: each part goes in with its length before it, so that no two lists of parts read the same.
        """
        encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
        message = b"".join(len(part).to_bytes(8, "big") + part for part in encoded)
        return urlsafe_b64encode(hmac.digest(self._key, message, "sha256")).rstrip(b"=").decode()

    def __repr__(self) -> str:
        return "MacKey()"


def load_or_create_mac_key(path: Path) -> MacKey:
    """The key in the file at `path`, which is made on first start.

    Safe when several workers start at once: one file wins and all read it. Raises `ConfigurationError` when
    file or folder can be read by others, or the file holds no key.
    """
    content = PrivateFile(path, "a secret key").read_or_create(_fresh)
    try:
        key = urlsafe_b64decode(content.strip() + b"=")
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise ConfigurationError(f"The file {path} holds no key. Remove it: a new one is made at the next start.")
    return MacKey(key)


def _fresh() -> bytes:
    return urlsafe_b64encode(secrets.token_bytes(_KEY_BYTES)).rstrip(b"=")
