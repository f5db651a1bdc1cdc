"""Somebody who has something in every sealed field of every document class, and a way to what is really stored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from models.activity import DeviceDocument, IpLogDocument
from models.base import PersonalDocument
from models.database import Database, Raw
from models.database.failures import collection_name
from models.encrypted import Unsealed
from models.factor import FactorDocument, FactorRemovalDocument
from models.session import SessionDocument
from models.ticket import TicketDocument, TicketKind
from models.user import UserDocument
from models.vocabulary import FactorKind

Kind = type[PersonalDocument]

HASH: Final = "$argon2id$v=19$m=65536,t=3,p=4$MIIRqgvgQbgj220jfp0MPA$YfwJSVjtjSU0zzV/P3S9nnQ/USre2wvJMjfCIjrTQbg"
SEALED: Final[Mapping[Kind, Mapping[str, Any]]] = MappingProxyType(
    {
        UserDocument: {
            "email": "Zoë.Å@people.example",
            "phone": "+46701740638",
            "address": {"street": "Storgatan 1", "city": "Umeå", "postal_code": "903 26", "country": "SE"},
            "full_name": "Zoë Åkesson",
            "given_name": "Zoë",
            "family_name": "Åkesson",
            "birth_date": "1973-09-23",
            "location": {
                "latitude": 63.8258,
                "longitude": 20.263,
                "accuracy": 12.5,
                "recorded_at": datetime(2026, 1, 2, 3, 4, 5, 678000),  # noqa: DTZ001 - as rows are read
            },
            "last_seen_ip": "203.0.113.178",
            "device_ids": ["phone-1", "", "läsplatta"],
            "password_hash": HASH,
            "import_key": "crm-77",
        },
        DeviceDocument: {"device_id": "phone-1", "name": "Zoë's phone", "platform": "Android 16"},
        IpLogDocument: {"ip": "2001:db8::1"},
        SessionDocument: {"device": "Firefox on Linux", "ip": "203.0.113.178", "place": "203.0.113.0/24"},
        FactorDocument: {"name": "Zoë's app", "secret": b"\0\x01 twenty bytes of it"},
        FactorRemovalDocument: {"reason": "lost her phone, came by"},
        TicketDocument: {"email": "new@people.example"},
    }
)
"""What is sealed, by class and stored path, as it is stored in the clear."""

_BESIDE: Final[Mapping[Kind, Mapping[str, Any]]] = {
    UserDocument: {},
    DeviceDocument: {},
    IpLogDocument: {},
    SessionDocument: {"refresh_hash": b"h", "refresh_seed": b"s", "expires_at": datetime(2199, 1, 1)},  # noqa: DTZ001 - rows are read without a zone
    FactorDocument: {"kind": FactorKind.TOTP},
    FactorRemovalDocument: {"factors": [], "kinds": []},
    TicketDocument: {"kind": TicketKind.EMAIL_CHANGE, "expires_at": datetime(2199, 1, 1)},  # noqa: DTZ001 - rows are read without a zone
}


def holds(kind: Kind, person: str) -> dict[str, Any]:
    """What a document of `person` has in its sealed fields; what is unique is theirs."""
    unique = {"email": f"{person}@people.example", "import_key": f"crm-{person}"} if kind is UserDocument else {}
    return {**SEALED[kind], **unique}


def document(kind: Kind, person: str, **changes: object) -> PersonalDocument:
    """One document of `person`, to be stored; None leaves a field out."""
    names = {"username": person, "username_key": person} if kind is UserDocument else {"person": person}
    identifier = person if kind is UserDocument else f"{collection(kind)}_{person}"
    values = {"id": identifier, **names, **_BESIDE[kind], **holds(kind, person), **changes}
    given = {path: Unsealed(value) if path == "secret" else value for path, value in values.items()}
    made: PersonalDocument = kind.model_validate({path: value for path, value in given.items() if value is not None})
    return made


async def settle(database: Database, person: str, **changes: object) -> str:
    """Store one document of each class for a new person, whose identifier is returned; `changes` are to the person."""
    await database.insert(document(UserDocument, person, **changes))
    for kind in SEALED:
        if kind is not UserDocument:
            await database.insert(document(kind, person))
    return person


def collection(kind: Kind) -> str:
    """The name of the collection of a class."""
    return collection_name(kind)


def raw(database: Database, kind: Kind) -> Any:  # noqa: ANN401 - the driver's own collection
    """The collection itself, as somebody with a client of their own has it."""
    return database._of(kind)


async def stored(database: Database, kind: Kind, person: str) -> Raw:
    """The one document of a class that a person has, as it is stored."""
    found: Raw | None = await raw(database, kind).find_one({kind.PERSON: person})
    assert found is not None
    return found


async def exchanged(database: Database, kind: Kind, person: str, values: Mapping[str, object]) -> None:
    """Put values in place in that document by hand, past everything that seals; None removes one."""
    gone = {path: "" for path, value in values.items() if value is None}
    put = {path: value for path, value in values.items() if value is not None}
    update = ({"$set": put} if put else {}) | ({"$unset": gone} if gone else {})
    await raw(database, kind).update_one({kind.PERSON: person}, update)
