"""A dump of the main database opens nothing: no value that is to be sealed is in it, in any spelling (E1, E2)."""

from __future__ import annotations

import base64
import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import pytest
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

from tests.e2e.conftest import REGISTER
from tests.e2e.people import changed
from tests.e2e.second_factors import CONFIRM_TOTP, ENROL_TOTP, App, Person, arrive
from tests.e2e.server import SIGN_IN, Account, Server
from tests.e2e.services import fieldward

pytestmark = pytest.mark.slow  # two commands are run beside the service

HASH: Final = "$argon2id$v=19$m=65536,t=3,p=4$MIIRqgvgQbgj220jfp0MPA$YfwJSVjtjSU0zzV/P3S9nnQ/USre2wvJMjfCIjrTQbg"
SECRET: Final = "dp-password-qx-of-some-length"
BROWSER: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Vivaldi/7.9.91 SeaMonkey/2.53.91"
EMAIL: Final = "DpEmailQx@dpdomainqx.example"
GIVEN: Final[Mapping[str, Any]] = {
    "phone": "+46701740691",
    "fullName": "Dpfullqx Dpnameqx Åström",
    "givenName": "Dpgivenqx",
    "familyName": "Dpfamilyqx",
    "birthDate": "1971-11-23",
    "address": {"street": "Dpstreetqx 1", "city": "Dpcityqx", "region": "Dpregionqx", "postalCode": "DPP-77Q"},
}
NEXT_EMAIL: Final = "dpnextqx@dpnextdomainqx.example"
FACTOR: Final = "dpfactornameqx"
REASON: Final = "dpreasonqx of the operator"
IMPORTED: Final = {
    "id": "dpimportkeyqx",
    "username": "dp.imported.qx",
    "email": "dpimportedqx@dpolddomainqx.example",
    "fullName": "Dpimportednameqx",
    "birthDate": "1969-10-24",
    "passwordHash": HASH,
}


@dataclass(frozen=True)
class Planted:
    """The service, who was planted there, and the values that a dump must not hold."""

    server: Server
    person: str
    values: tuple[str | bytes, ...]


@pytest.fixture(scope="module")
def planted(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """Somebody in every sealed field that can be filled from outside: over the API, by commands, by an import."""
    made = {"username": "dp.username.qx", "email": EMAIL, "password": SECRET, "fullName": "Dpfirstqx"}
    assert server.post(REGISTER, {"input": made}).json()["data"]["register"]["errors"] == []
    given = {"login": EMAIL, "password": SECRET}
    answer = server.post(SIGN_IN, given, headers={"user-agent": BROWSER}).json()["data"]["signIn"]
    account = Account(server, answer["accessToken"], answer["refreshToken"], answer["user"]["id"])
    assert changed(account, **GIVEN)["errors"] == []
    assert changed(account, email=NEXT_EMAIL)["errors"] == []
    secrets = factors(server)
    brought_in(server, tmp_path_factory.mktemp("import"))
    leaves = [leaf for value in GIVEN.values() for leaf in (value.values() if isinstance(value, dict) else [value])]
    written = [EMAIL, EMAIL.partition("@")[0], "dpdomainqx", "Dpfirstqx", *leaves, NEXT_EMAIL, "dpnextdomainqx", SECRET]
    imported = [value for name, value in IMPORTED.items() if name != "username"]
    values = (
        *written,
        *imported,
        *secrets,
        REASON,
        FACTOR,
        "Dpfullqx",
        "Åström",
        "SeaMonkey",
        "$argon2",
        "dpolddomainqx",
    )
    return Planted(server, account.id, values)


def factors(server: Server) -> list[str | bytes]:
    """Somebody gets an authenticator app, and an operator removes it; another one keeps theirs. Their secrets."""
    people = [arrive(server) for _ in range(2)]
    secrets = [enrolled(person) for person in people]
    name = people[0].account.id
    fieldward(server, "factors", "remove", name, "--all", "--reason", REASON)
    return [form for secret in secrets for form in (secret, base64.b32decode(secret))]


def enrolled(person: Person) -> str:
    """The secret of a new authenticator app, which has a name."""
    made = person.ask(ENROL_TOTP)
    given = {"factorId": made["factorId"], "code": App(made["secret"]).code(), "name": FACTOR}
    person.confirmed(person.ask(CONFIRM_TOTP, **given))
    return str(made["secret"])


def brought_in(server: Server, folder: Path) -> None:
    """Import a file of one."""
    with (folder / "people.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([IMPORTED.keys(), IMPORTED.values()])
    assert "1" in fieldward(server, "import", str(folder / "people.csv"))


def dump(server: Server) -> Iterator[tuple[str, bytes]]:
    """Every document of the main database as it is stored, with its collection."""
    with server.database() as client:
        database = client.get_default_database()
        raw = CodecOptions(document_class=RawBSONDocument)
        for name in database.list_collection_names():
            for document in database.get_collection(name, codec_options=raw).find():
                yield name, bytes(cast(RawBSONDocument, document).raw)


def spellings(value: str | bytes) -> set[bytes]:
    """A value as it may lie in a dump, in small letters: itself, UTF-16, hex, base64 (at any offset)."""
    plain = value.encode() if isinstance(value, str) else value
    forms = {plain, plain.lower(), plain.hex().encode()}
    if isinstance(value, str):
        forms |= {value.encode("utf-16-le"), value.casefold().encode(), value.encode("unicode_escape")}
    for data in (plain, plain.lower()):
        for offset in range(3):
            shifted = base64.b64encode(bytes(offset) + data + bytes(-(offset + len(data)) % 3))
            # The signs at both ends depend on what is beside the value.
            forms.add(shifted[4 if offset else 0 : -4 or None])
            forms.add(shifted[4 if offset else 0 : -4 or None].translate(bytes.maketrans(b"+/", b"-_")))
    return {form.lower() for form in forms if len(form) >= 6}


def found(server: Server, values: tuple[str | bytes, ...]) -> set[tuple[str, str | bytes]]:
    """Where in a dump which values lie open."""
    wanted = [(value, form) for value in values for form in spellings(value)]
    return {(name, value) for name, raw in dump(server) for value, form in wanted if form in raw.lower()}


def test_everything_that_can_be_filled_is(planted: Planted) -> None:
    """The values are there, sealed: a search through nothing would find nothing."""
    with planted.server.database() as client:
        database = client.get_default_database()
        row = database["users"].find_one({"_id": planted.person})
        assert row is not None
        sealed = ("email", "phone", "address", "full_name", "given_name", "family_name", "birth_date", "password_hash")
        assert {name for name in sealed if isinstance(row[name], bytes)} == set(sealed)
        session = database["sessions"].find_one({"person": planted.person})
        assert session is not None
        assert {name for name in ("device", "ip", "place") if isinstance(session[name], bytes)} == {
            "device",
            "ip",
            "place",
        }
        ticket = database["tickets"].find_one({"person": planted.person, "kind": "EMAIL_CHANGE"})
        assert ticket is not None
        assert isinstance(ticket["email"], bytes)
        imported = database["users"].find_one({"username_key": IMPORTED["username"]})
        assert imported is not None
        assert isinstance(imported["import_key"], bytes)
        assert database["factor_removals"].count_documents({}) >= 1
        assert isinstance(database["factors"].find_one({"kind": "TOTP"})["secret"], bytes)  # type: ignore[index]  # enrolled above


def test_a_dump_holds_no_value(planted: Planted) -> None:
    """Of every collection, whoever filled it."""
    assert found(planted.server, planted.values) == set()


def test_a_dump_holds_no_key(planted: Planted) -> None:
    """Keys are in a database of their own: nothing of the size and form of a wrapped one lies here."""
    with planted.server.database() as client:
        names = set(client.get_default_database().list_collection_names())
    assert names & {"keys", "data_keys", "tombstones", "state", "rotations"} == set()


@pytest.mark.parametrize(
    "open_value",
    [
        EMAIL,
        EMAIL.lower(),
        {"inner": ["and", EMAIL]},
        EMAIL.encode(),
        EMAIL.encode("utf-16-le"),
        EMAIL.encode().hex(),
        base64.b64encode(EMAIL.encode()).decode(),
        base64.b64encode(b"x" + EMAIL.encode()).decode(),
        base64.urlsafe_b64encode(b"xy" + EMAIL.lower().encode()).decode(),
    ],
    ids=repr,
)
def test_the_search_finds_what_lies_open(planted: Planted, open_value: object) -> None:
    """One field that is left in the clear, in any of the spellings: the test above would be red."""
    with planted.server.database() as client:
        markers = client.get_default_database()["markers"]
        markers.insert_one({"_id": "dump", "value": open_value})
        try:
            assert ("markers", EMAIL) in found(planted.server, (EMAIL,))
        finally:
            markers.delete_one({"_id": "dump"})
