"""Password hashes from elsewhere: which are taken over, and which would endanger the service.

Verifying a hash costs what the hash itself says. Without bounds, one imported hash that asks for
gigabytes of memory would stop the service at that person's sign-in.
"""

from __future__ import annotations

import re
from typing import Final

from models.importing.rejection import Refused, RejectCode

MAX_MEMORY: Final = 262_144  # KiB; four times what this service uses itself
MAX_PASSES: Final = 16
MAX_MEMORY_PASSES: Final = 1_048_576  # KiB x passes
MAX_LANES: Final = 16
BCRYPT_COSTS: Final = range(4, 15)  # 2^14 rounds are about a second

# The PHC string format with the parameters of argon2 in their fixed order; base64 without padding.
_ARGON2: Final = re.compile(
    r"\A\$argon2(?:id|i|d)(?:\$v=(?:16|19))?\$m=([1-9]\d{0,9}),t=([1-9]\d{0,9}),p=([1-9]\d{0,7})"
    r"\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,171})\Z"
)
_BCRYPT: Final = re.compile(r"\A\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}\Z")
_DIGEST: Final = re.compile(r"\A(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{56}|[0-9a-fA-F]{64}|[0-9a-fA-F]{128})\Z")
_MARKED: Final = re.compile(r"\A(?:\$|\{[A-Za-z0-9-]+\}|[a-z0-9_]{3,}\$[^$]+\$.)")


def password_hash(text: str) -> str:
    """`text` when it is an argon2 or bcrypt hash of bearable cost; raises `Refused`.

    Django's prefixes (`argon2$argon2id$...`, `bcrypt$$2b$...`) are taken off.
    """
    if text.startswith("argon2$argon2"):
        text = text.removeprefix("argon2")
    elif text.startswith("bcrypt$$2"):
        text = text.removeprefix("bcrypt$")
    if found := _ARGON2.match(text):
        _check_argon2(*(int(found[group]) for group in (1, 2, 3)))
        return text
    if found := _BCRYPT.match(text):
        if int(found[1]) not in BCRYPT_COSTS:
            raise Refused(RejectCode.HASH_TOO_COSTLY if int(found[1]) > 4 else RejectCode.UNSUPPORTED_HASH)
        return text
    looks_hashed = _MARKED.match(text) or _DIGEST.match(text)
    raise Refused(RejectCode.UNSUPPORTED_HASH if looks_hashed else RejectCode.PLAIN_PASSWORD)


def _check_argon2(memory: int, passes: int, lanes: int) -> None:
    if memory > MAX_MEMORY or passes > MAX_PASSES or memory * passes > MAX_MEMORY_PASSES or lanes > MAX_LANES:
        raise Refused(RejectCode.HASH_TOO_COSTLY)
    if memory < 8 * lanes:  # RFC 9106, section 3.1
        raise Refused(RejectCode.UNSUPPORTED_HASH)
