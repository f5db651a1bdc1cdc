"""Rows and indexes as the version before encryption made them: everything in the clear."""

from __future__ import annotations

from typing import Any, Final

from pymongo import ASCENDING, IndexModel

from models.activity import DeviceDocument, IpLogDocument
from models.base import now
from models.database import Database
from models.factor import FactorDocument
from models.seeding import generate
from models.session import SessionDocument
from models.ticket import TicketDocument
from models.user import UserDocument
from tests.stores import REGION

PEOPLE: Final = 12
SECRET: Final = bytes(range(20))
OLD_INDEXES: Final = [
    IndexModel([(field, ASCENDING)], unique=True, name=name, partialFilterExpression={field: {"$exists": True}})
    for name, field in (("email", "email_key"), ("import_key", "import_key"))
]
Stored = dict[type[Any], list[dict[str, Any]]]


def rows() -> Stored:
    """People with all that belongs to them, by document class; the first has a value in every field."""
    made = list(generate(PEOPLE, seed=11, region=REGION, password_hash="$argon2id$not-a-hash"))
    users = [dict(person.user) for person in made]
    for number, user in enumerate(users):
        user.pop("email_index", None)
        if "email" in user:
            user["email_key"] = user["email"].casefold()
        user["import_key"] = f"file:{number}"
    first, moment = users[0], now().replace(microsecond=0)
    first |= {
        "email": "First.Person@old.example",
        "email_key": "first.person@old.example",
        "phone": "+4670111111",
        "full_name": "Förnamn Efternamn",
        "given_name": "Förnamn",
        "family_name": "Efternamn",
        "birth_date": "1980-02-29",
        "address": {"street": "Storgatan 1", "city": "Umeå"},
        "location": {"latitude": 63.8, "longitude": 20.2, "recorded_at": moment},
        "device_ids": [],
        "last_seen_ip": "203.0.113.9",
    }
    whose = {"person": first["_id"]}
    later = {"created_at": moment, "last_used_at": moment, "expires_at": moment.replace(year=moment.year + 1)}
    return {
        UserDocument: users,
        DeviceDocument: [row for person in made for row in person.devices],
        IpLogDocument: [row for person in made for row in person.addresses],
        SessionDocument: [
            {
                "_id": "ses_eu_old",
                **whose,
                "refresh_hash": b"-",
                "refresh_seed": b"-",
                "device": "Phone",
                "ip": "203.0.113.9",
                "place": "203.0.113.0/24",
                **later,
            }
        ],
        FactorDocument: [
            {
                "_id": "fac_eu_old",
                **whose,
                "kind": "TOTP",
                "name": "Phone",
                "confirmed": True,
                "secret": SECRET,
                "created_at": moment,
            }
        ],
        TicketDocument: [
            {
                "_id": "tkt_eu_old",
                **whose,
                "kind": "EMAIL",
                "email": "next@old.example",
                "email_key": "next@old.example",
                "created_at": moment,
                "expires_at": later["expires_at"],
            }
        ],
    }


async def store(database: Database, stored: Stored) -> None:
    """Put the rows there with the indexes that they had, without sealing, validators or the new indexes."""
    users = database._of(UserDocument)
    for name in ("email", "import_key"):
        await users.drop_index(name)
    await users.create_indexes(OLD_INDEXES)
    for document, listed in stored.items():
        await database._of(document).insert_many([dict(row) for row in listed])
