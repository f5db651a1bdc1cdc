"""From the cells of one row to the person as stored.

The document is built directly: going through `UserDocument` and its encoder takes several times as
long. A test holds that both ways give the same.
"""

from __future__ import annotations

import re
from base64 import b32encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any, Final

from models.ages import band_of
from models.errors import BadInput
from models.ids import fixed_id, randomness_of
from models.importing import values
from models.importing.hashes import password_hash
from models.importing.rejection import Refused, RejectCode, Rejection
from models.names import Username, email_key, new_username, normalise_email
from models.vocabulary import UserStatus

Raw = dict[str, Any]

_LOWER: Final = (1 << 40) - 1
_SAFE_KEY: Final = re.compile(r"\A[A-Za-z0-9._:-]{1,128}\Z")


@dataclass(frozen=True, slots=True)
class RunKey:
    """Makes ids that tell which line of which file a person came from, to this run and to nobody else.

    `digest` stands for the file's content and how it is read. Of an id's 80 bits the upper 40 mark the
    run and the lower 40 hold the line under a mask, so a row that is met again is told from its double.
    """

    digest: bytes

    def randomness(self, line: int) -> int:
        """The random part of the id of the person on `line`."""
        return self._tag << 40 | ((line ^ self._mask) & _LOWER)

    def line_of(self, identifier: str) -> int | None:
        """The line of this run's file that the person with this id came from, or None."""
        bits = randomness_of(identifier)
        return (bits ^ self._mask) & _LOWER if bits >> 40 == self._tag else None

    @property
    def _tag(self) -> int:
        return int.from_bytes(self.digest[:5], "big")

    @property
    def _mask(self) -> int:
        return int.from_bytes(self.digest[5:10], "big")


class RowRefused(Exception):
    """A row cannot be imported, for these reasons."""

    def __init__(self, rejections: list[Rejection]) -> None:
        super().__init__(len(rejections))
        self.rejections = rejections


@dataclass(slots=True)
class RowBuilder:
    """Builds people for one run: `now` is its moment, `defaults` fills fields that a row leaves empty."""

    key: RunKey
    region: str
    now: datetime
    defaults: Mapping[str, str] = field(default_factory=dict)
    _readers: Mapping[str, tuple[str, str | None, Callable[[Any], Any]]] = field(init=False)

    def __post_init__(self) -> None:
        today, now = self.now.date(), self.now
        readers: dict[str, Callable[[Any], Any]] = {
            **_SIMPLE,
            "birth_date": partial(values.birth_date, today=today),
            "created_at": partial(values.moment, now=now),
            "last_seen_at": partial(values.moment, now=now),
        }
        split = {target: target.partition(".") for target in readers}
        self._readers = {target: (top, inner or None, readers[target]) for target, (top, _, inner) in split.items()}

    def build(self, line: int, cells: Mapping[str, Any]) -> Raw:
        """The person as stored. Raises `RowRefused` with every reason."""
        problems: list[Rejection] = []
        raw = self._read({**self.defaults, **_filled(cells)} if self.defaults else cells, line, problems)
        self._complete(raw, line, problems)
        if problems:
            raise RowRefused(problems)
        return raw

    def _read(self, cells: Mapping[str, Any], line: int, problems: list[Rejection]) -> Raw:
        raw: Raw = {}
        for target, value in cells.items():
            if value is None or value == "":
                continue
            top, inner, read = self._readers[target]
            try:
                if target != "device_ids":
                    value = values.text_of(value)  # noqa: PLW2901 - the same cell, as text
                    if value is None:
                        continue
                found = read(value)
            except Refused as refused:
                problems.append(Rejection(line, refused.code, target))
                continue
            if inner is None:
                raw[top] = found
            else:
                raw.setdefault(top, {})[inner] = found
        return raw

    def _complete(self, raw: Raw, line: int, problems: list[Rejection]) -> None:
        created = raw.setdefault("created_at", self.now)
        randomness = self.key.randomness(line)
        raw["_id"] = fixed_id("usr", self.region, int(created.timestamp() * 1000), randomness)
        refused = {problem.field for problem in problems}
        if "username" not in raw:
            if "email" not in raw and not refused & {"email", "username"}:
                problems.append(Rejection(line, RejectCode.MISSING, "username"))
            raw["username"] = new_username(f"user-{raw['_id'][-16:]}")
            named = False
        else:
            named = True
        if (name := raw.get("username")) is not None:
            raw["username"], raw["username_key"], raw["username_skeleton"] = name
        raw["import_key"] = _import_key(raw, named=named)
        if "email" not in raw:
            raw["email_verified"] = False
        _place(raw, line, problems)
        if (born := raw.get("birth_date")) is not None:
            raw["age_band"] = band_of(born, self.now.date()).value
            raw["birth_date"] = born.isoformat()
        raw["preferences"] = {"theme": "system", "digest": "weekly"} | raw.get("preferences", {})
        for name, make in _DEFAULTS:
            if name not in raw:
                raw[name] = make()


def _filled(cells: Mapping[str, Any]) -> dict[str, Any]:
    return {target: value for target, value in cells.items() if value is not None and value != ""}


def _place(raw: Raw, line: int, problems: list[Rejection]) -> None:
    location = raw.get("location")
    if location is not None and not {"latitude", "longitude"} <= location.keys():
        problems.append(Rejection(line, RejectCode.MISSING, "location"))


def _import_key(raw: Raw, *, named: bool) -> str:
    """What makes a person the same in every file: the source's id, else the user name, else the address.

    It shows in reports, so an address, or an id that might be one, goes in as a digest.
    """
    if (key := raw.get("import_key")) is not None:
        return f"id:{key}" if _SAFE_KEY.match(key) else f"id:{_digest(key)}"
    if named:
        return f"username:{raw['username_key']}"
    email = raw.get("email")  # none where it was refused, or the user name was
    return f"email:{_digest(email_key(email) if email is not None else '')}"


def _digest(text: str) -> str:
    return b32encode(sha256(text.encode()).digest()[:20]).decode().lower()


def _email(text: str) -> str:
    try:
        return normalise_email(text)[0]
    except BadInput:
        raise Refused(RejectCode.BAD_EMAIL) from None


def _username(text: str) -> Username:
    try:
        return new_username(text)
    except BadInput:
        raise Refused(RejectCode.BAD_USERNAME) from None


_SIMPLE: Final[Mapping[str, Callable[[Any], Any]]] = {
    "import_key": values.words(200),
    "username": _username,
    "email": _email,
    "email_verified": values.boolean,
    "phone": values.phone,
    "address.street": values.street,
    "address.city": values.words(100),
    "address.region": values.words(100),
    "address.postal_code": values.words(20),
    "address.country": values.country,
    "full_name": values.words(200),
    "given_name": values.words(100),
    "family_name": values.words(100),
    "country": values.country,
    "location.latitude": values.decimal(-90, 90),
    "location.longitude": values.decimal(-180, 180),
    "location.accuracy": values.decimal(0, 100_000),
    "locale": values.locale,
    "status": values.status,
    "last_seen_ip": values.address,
    "login_count": values.whole,
    "preferences.theme": values.word,
    "preferences.currency": values.currency,
    "preferences.digest": values.word,
    "marketing_opt_in": values.boolean,
    "device_ids": values.devices,
    "password_hash": password_hash,
}

_DEFAULTS: Final[tuple[tuple[str, Callable[[], Any]], ...]] = (
    ("email_verified", bool),
    ("status", lambda: UserStatus.ACTIVE.value),
    ("roles", list),
    ("login_count", int),
    ("marketing_opt_in", bool),
    ("consents", list),
)
