"""Recovery codes: for when all factors are lost. Each works once and is stored as its hash."""

from __future__ import annotations

from hashlib import sha256
from secrets import choice
from typing import Final

COUNT: Final = 10
_DIGITS: Final = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
_GROUPS: Final = 6
_GROUP: Final = 4
_LONGEST: Final = 64
_MISREAD: Final = str.maketrans("oil", "011", " -\t\n\r")


def new_codes() -> tuple[str, ...]:
    """Ten codes of 120 random bits: over 112, a plain hash is enough (NIST SP 800-63B-4, section 3.1.2.2)."""
    return tuple("-".join(_group() for _ in range(_GROUPS)) for _ in range(COUNT))


def code_hash(person: str, code: str) -> bytes:
    """What is stored of a person's code, however it was typed."""
    typed = code[:_LONGEST].casefold().translate(_MISREAD)
    return sha256(f"{person}:{typed}".encode("utf-8", "surrogatepass")).digest()


def _group() -> str:
    return "".join(choice(_DIGITS) for _ in range(_GROUP))
