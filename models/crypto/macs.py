"""A key for message authentication codes (HMAC-SHA-256, RFC 2104), kept in a file apart from the database.

The file holds 32 random bytes in base64url, mode 0600 inside a folder of mode 0700, like the signing keys.
"""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from models.errors import ConfigurationError

_FOLDER_MODE: Final = 0o700
_FILE_MODE: Final = 0o600
_OTHERS: Final = 0o077
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
    try:
        path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        _refuse_shared(path.parent.stat(), path.parent, _FOLDER_MODE)
        if not path.exists():
            _create(path)
        with path.open("rb") as file:
            _refuse_shared(os.fstat(file.fileno()), path, _FILE_MODE)
            content = file.read()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else "unknown reason"
        raise ConfigurationError(f"The key at {path} cannot be read or made: {reason}.") from None
    try:
        key = urlsafe_b64decode(content.strip() + b"=")
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise ConfigurationError(f"The file {path} holds no key. Remove it: a new one is made at the next start.")
    return MacKey(key)


def _create(path: Path) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(urlsafe_b64encode(secrets.token_bytes(_KEY_BYTES)).rstrip(b"="))
            file.flush()
            os.fsync(file.fileno())
        # NOTE: link, not rename: it fails when another worker was first, so one key wins for all.
        os.link(temporary, path)
    except FileExistsError:
        return
    finally:
        temporary.unlink(missing_ok=True)


def _refuse_shared(status: os.stat_result, path: Path, mode: int) -> None:
    if os.name == "posix" and stat.S_IMODE(status.st_mode) & _OTHERS:
        raise ConfigurationError(
            f"{path} holds a secret key and can be reached by other users of this machine. Run: chmod {mode:o} {path}"
        )
