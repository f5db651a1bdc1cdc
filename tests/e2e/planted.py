"""A person whose every stored field holds a value that is found nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx

from models.database import DOCUMENTS, Database
from models.database.failures import collection_name
from models.sealed import sealed_fields
from models.user import UserDocument
from tests.e2e.conftest import REGISTER
from tests.e2e.databases import on_database
from tests.e2e.people import changed
from tests.e2e.planted_factors import plant_factors
from tests.e2e.server import Account, Server
from tests.stores import clear_row

USERNAME: Final = "mk.username.qx"
EMAIL: Final = "mkemailqx@mkdomainqx.example"
SECRET: Final = "mk-password-qx-of-some-length"
GIVEN: Final = {
    "phone": "+46701740638",
    "fullName": "Mkfullqx Mknameqx",
    "givenName": "Mkgivenqx",
    "familyName": "Mkfamilyqx",
    "birthDate": "1973-09-23",
    "country": "IS",
    "locale": "is-IS",
    "marketingOptIn": True,
    "address": {
        "street": "Mkstreetqx 1",
        "city": "Mkcityqx",
        "region": "Mkregionqx",
        "postalCode": "MKP-77Q",
        "country": "IS",
    },
    "preferences": {"theme": "dark", "currency": "ISK", "digest": "never"},
}
_MOMENT: Final = datetime(2003, 2, 1, 4, 5, 6, 789000, tzinfo=UTC)
_MOMENTS: Final = [_MOMENT + timedelta(days=day) for day in range(14)]
STORED: Final[Mapping[str, Mapping[str, Any]]] = {
    "users": {
        "location": {"latitude": 64.14631, "longitude": -21.94271, "accuracy": 73.37, "recorded_at": _MOMENTS[0]},
        "last_seen_ip": "203.0.113.178",
        "last_seen_at": _MOMENTS[1],
        "created_at": _MOMENTS[2],
        "login_count": 740_912_663,
        "device_ids": ["mkdeviceidsqx"],
        "import_key": "mkimportkeyqx",
        "consents": [{"purpose": "MARKETING", "given": True, "at": _MOMENTS[3], "notice_version": 918_273}],
    },
    "devices": {
        "device_id": "mkdeviceidqx",
        "name": "mkdevicenameqx",
        "platform": "mkplatformqx",
        "first_seen_at": _MOMENTS[4],
        "last_seen_at": _MOMENTS[5],
    },
    "ip_log": {"ip": "203.0.113.179", "at": _MOMENTS[6]},
    "events": {"kind": "mkkindqx", "subject": "mksubjectqx", "at": _MOMENTS[7]},
    "sessions": {
        "device": "mksessionqx",
        "ip": "203.0.113.180",
        "created_at": _MOMENTS[8],
        "last_used_at": _MOMENTS[9],
        "expires_at": datetime(2199, 3, 4, 5, 6, 7, tzinfo=UTC),
        "refresh_hash": b"mkrefreshhashqx",
        "refresh_seed": b"mkrefreshseedqx",
        "generation": 740_912_664,
        "rotated_at": _MOMENTS[10],
        "methods": ["mkmethodqx"],
        "authenticated_at": _MOMENTS[11],
        "place": "198.51.77.0/24",
    },
    "factors": {
        "kind": "TOTP",
        "name": "mkfactornameqx",
        "confirmed": True,
        "secret": b"mktotpsecretqx",
        "last_step": 740_912_665,
        "credential_id": b"mkcredentialqx",
        "public_key": b"mkpublickeyqx",
        "sign_count": 740_912_666,
        "transports": ["mktransportqx"],
        "code_hashes": [b"mkcodehashqx"],
        "created_at": _MOMENTS[12],
        "last_used_at": _MOMENTS[13],
    },
}
"""Fields that nobody writes over the API, by collection."""

SENT: Final = {
    "literal": "mkliteralqx",
    "variable": "mkvariableqx",
    "bearer": "mkbearerqx",
    "header": "mkheaderqx",
    "path": "mkpathqx",
    "body": "mkbodyqx",
}
"""What requests carry in places of their own: literals, variables, tokens, headers, addresses, bodies."""


def texts(values: object) -> Iterable[str]:
    """The leaves of nested values, as they would be read in an answer or a log."""
    if isinstance(values, Mapping):
        for value in values.values():
            yield from texts(value)
    elif isinstance(values, list):
        for value in values:
            yield from texts(value)
    elif isinstance(values, datetime):
        yield values.strftime("%Y-%m-%dT%H:%M:%S")
        yield values.strftime("%Y, %-m, %-d, %-H, %-M, %-S")  # as Python shows one
    elif isinstance(values, bytes):
        yield values.decode()
    else:
        yield str(values)


# Two letters, `dark` or a small number are everywhere; they would prove nothing.
_EVERYWHERE: Final = frozenset({"IS", "is-IS", "True", "dark", "ISK", "never", "MARKETING", "TOTP"})
MARKERS: Final = tuple(
    text
    for text in dict.fromkeys([USERNAME, *EMAIL.split("@"), SECRET, *texts(GIVEN), *texts(STORED), *SENT.values()])
    if text not in _EVERYWHERE
)


_GIVEN_PLAIN: Final = frozenset({"country", "locale", "marketingOptIn", "preferences"})


def sealed_markers() -> list[str]:
    """The markers of values that are stored sealed."""
    values: list[object] = [*EMAIL.split("@"), SECRET]
    values += [value for name, value in GIVEN.items() if name not in _GIVEN_PLAIN]
    for document in DOCUMENTS:
        stored = STORED.get(collection_name(document), {})
        values += [stored[path] for path in sealed_fields(document) if path in stored]
    return [text for text in texts(values) if text in MARKERS]


def found_in(text: str, markers: Iterable[str] = MARKERS) -> list[str]:
    """The markers that a text holds, in any case, or written as bytes."""
    folded = text.casefold()
    return [each for each in markers if each.casefold() in folded or each.encode().hex() in folded]


@dataclass
class Planted:
    """The person, and every answer that must hold no marker."""

    server: Server
    account: Account
    other: Account
    hash: str
    secrets: list[str]
    answers: list[tuple[str, str]] = field(default_factory=list)

    def keep(self, kind: str, response: httpx.Response) -> httpx.Response:
        """Note an answer, with its headers."""
        headers = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
        self.answers.append((kind, f"{headers}\n\n{response.text}"))
        return response


def plant(server: Server) -> Planted:
    """Register the person, fill in every field, and sign them in."""
    made = {"username": USERNAME, "email": EMAIL, "password": SECRET}
    assert server.post(REGISTER, {"input": made}).json()["data"]["register"]["errors"] == []
    account = server.sign_in(EMAIL, SECRET)
    assert changed(account, **GIVEN)["errors"] == []

    async def fill(database: Database) -> str:
        me = {"_id": account.id}
        assert await database.update_one(UserDocument, me, {"$set": STORED["users"]})
        for document in DOCUMENTS:
            collection = collection_name(document)
            if collection in STORED.keys() - {"users"}:
                row = {"_id": f"mk_{collection}", "person": account.id, **STORED[collection]}
                assert await database.insert_many(document, [row]) == []
        return str((await clear_row(database, UserDocument, me))["password_hash"])

    hashed = on_database(server, fill)
    return Planted(server, account, server.sign_in("subject"), hashed, plant_factors(server))
