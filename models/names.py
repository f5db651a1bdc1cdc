"""User names and email addresses in the two forms that are stored: as shown, and as compared.

Registration, sign-in and import all use these, so that one spelling has one key everywhere. Pure.
No message here carries the value.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from unicodedata import category, normalize

from email_validator import EmailNotValidError, validate_email
from precis_i18n import get_profile

from models.errors import BadInput
from models.lookalikes import mixes_scripts, skeleton

USERNAME_LENGTH: Final = (2, 64)
MARKS: Final = 4  # combining marks in a row; more only serve to disfigure a page
EMAIL_LENGTH: Final = 254  # RFC 5321, section 4.5.3.1.3, less the angle brackets
# How many times longer another spelling of one text may be. Normalising is quadratic in combining marks.
_FORMS: Final = 4

# RFC 8265, section 3: the same characters in both; one keeps the case that the person chose, for showing.
_SHOWN: Final = get_profile("UsernameCasePreserved")
_COMPARED: Final = get_profile("UsernameCaseMapped")
_USERNAME: Final = re.compile(r"\A[^\W_]+(?:[._-]+[^\W_]+)*\Z")
# NOTE: narrower than what email-validator accepts (no "--" and no "xn--" labels, a top-level name of
# letters), so that it can only agree; a property test holds the two together.
_PLAIN_EMAIL: Final = re.compile(
    r"\A[A-Za-z0-9_+]+(?:[.-][A-Za-z0-9_+]+)*@(?:[A-Za-z0-9]{1,62}(?:-[A-Za-z0-9]{1,20})?\.)+([A-Za-z]{2,20})\Z"
)
_SPECIAL_TOP_LEVEL: Final = frozenset({"arpa", "invalid", "local", "localhost", "onion", "test"})


class Username(NamedTuple):
    """A user name in the forms that are stored; names that look alike have one `skeleton`."""

    display: str
    key: str
    skeleton: str


def new_username(text: str) -> Username:
    """A name to be stored: as `normalise_username`, and in one script. Raises `BadInput`.

    Names that were stored otherwise can still be signed in with.
    """
    display, key = normalise_username(text)
    if mixes_scripts(display):
        raise BadInput("A user name is written in one script: its letters do not belong together.", path=("username",))
    return Username(display, key, skeleton(display))


def normalise_username(text: str) -> tuple[str, str]:
    """The user name as shown and its key, by which it is found and unique. Raises `BadInput`.

    Both are what PRECIS (RFC 8265) makes of it; the key is case folded besides, so that "ß" is no other
    name than "ss".

    Letters and digits of any script, with the marks that belong to them, joined by `.`, `_` or `-`;
    never an `@`, so that it cannot be taken for an email address at sign-in.
    """
    shortest, longest = USERNAME_LENGTH
    if text.isascii():
        display, key = text, text.lower()
    elif len(text) <= _FORMS * longest:
        display, key = _prepared(text)
    else:
        display = key = ""
    fits = shortest <= len(display) <= longest and shortest <= len(key) <= longest
    if not fits or not _USERNAME.match(_bare(display)) or not _USERNAME.match(_bare(key)):
        raise BadInput(
            f"A user name has {shortest} to {longest} letters or digits, joined by dots, hyphens or underscores.",
            path=("username",),
        )
    return display, key


def _prepared(text: str) -> tuple[str, str]:
    """What the profiles make of a name that is not ASCII; empty for what they do not allow."""
    try:
        display, compared = _SHOWN.enforce(text), _COMPARED.enforce(text)
    except UnicodeEncodeError:
        return "", ""
    return display, normalize("NFKC", normalize("NFKC", compared).casefold())


def _bare(name: str) -> str:
    """`name` without up to `MARKS` combining marks after each letter (Devanagari, Thai and others need them)."""
    if name.isascii():
        return name
    kept: list[str] = []
    marks = MARKS
    for sign in name:
        if category(sign) not in ("Mn", "Mc"):
            kept.append(sign)
            marks = 0 if sign in "._-" else MARKS
        elif kept and marks:
            marks -= 1
        else:
            return ""
    return "".join(kept)


def normalise_email(text: str) -> tuple[str, str]:
    """The email address as shown and its key (NFKC, case folded). Raises `BadInput`.

    The syntax is that of RFC 5321 and RFC 6531 as email-validator reads it; nothing is looked up.
    """
    plain = _PLAIN_EMAIL.match(text) if len(text) <= 64 else None
    if plain is not None and plain[1].lower() not in _SPECIAL_TOP_LEVEL:
        local, _, domain = text.partition("@")
        return f"{local}@{domain.lower()}", text.lower()
    try:
        known = text if len(text) <= _FORMS * EMAIL_LENGTH else ""
        display = validate_email(known, check_deliverability=False).normalized
    except (EmailNotValidError, UnicodeError):
        display = ""
    if not display or len(display) > EMAIL_LENGTH:
        raise BadInput("This is not an email address.", path=("email",)) from None
    return display, normalize("NFKC", normalize("NFKC", display).casefold())


def email_key(text: str) -> str:
    """What equal addresses have in common. Raises `BadInput`."""
    return normalise_email(text)[1]


def as_stored(text: str) -> str:
    """For values that have one spelling, as telephone numbers in the form of ITU-T E.164 have."""
    return text
