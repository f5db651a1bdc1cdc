"""A sealed value on a document shows its label, and nothing else can be got out of it."""

from __future__ import annotations

import copy
import logging
import operator
import pickle
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, ClassVar, Final

import pytest
from beanie import Document, init_beanie
from beanie.odm.utils.encoder import Encoder
from bson import Binary, decode, encode
from mongomock_motor import AsyncMongoMockClient
from pydantic import BaseModel, ValidationError

from models.crypto.envelope import DataKey
from models.encrypted import Encrypted, SealedAs, Unsealed, value_to_seal
from models.errors import ConfigurationError
from models.fields import Value, labelled
from models.sealed import check_sealed, sealed_fields, sealed_type
from models.user import Address
from models.vocabulary import Label
from tests.bindings import Binding, seal

KEY: Final = DataKey(bytes(range(32)), 1)
SEALED: Final = seal(KEY, Binding("eu", "people", "p", "p", "email"), b'"ada@mail.example"')


class Person(Document):
    """With a sealed field of each sort."""

    email: Annotated[Encrypted[str] | None, SealedAs(Label.EMAIL)] = labelled(Label.EMAIL, default=None)
    birth_date: Annotated[Encrypted[date] | None, SealedAs(Label.BIRTH_DATE)] = labelled(Label.BIRTH_DATE, default=None)
    devices: Annotated[Encrypted[list[str]] | None, SealedAs(Label.DEVICE_ID)] = labelled(Label.DEVICE_ID, default=None)
    address: Encrypted[Address] | None = labelled(Label.ADDRESS, default=None, alias="postal_address")
    nickname: Annotated[str | None, SealedAs(Label.NAME)] = labelled(Label.NAME, default=None)

    class Settings:
        name = "people"
        keep_nulls = False
        bson_encoders: ClassVar[dict[type, Any]] = {Encrypted: Encrypted.binary}


@pytest.fixture
def value() -> Encrypted[str]:
    """A sealed address."""
    return Encrypted(SEALED, Label.EMAIL)


def test_it_shows_its_label_only(value: Encrypted[str]) -> None:
    """However it is printed."""
    shown = [repr(value), str(value), f"{value}", f"{value!r:>3}", f"{value:>40}", "%s" % value, format(value, "x")]  # noqa: UP031 - one of the ways
    assert {each.strip() for each in shown} == {"<sealed user.contact.email>"}
    assert repr(Encrypted(SEALED)) == "<sealed>"


def test_it_does_not_change(value: Encrypted[str]) -> None:
    """Not by assignment, and there is no room for more."""
    for name in ("_held", "_label", "sealed", "other"):
        with pytest.raises(AttributeError):
            setattr(value, name, b"")
    with pytest.raises(AttributeError):
        del value._held
    assert value.sealed == SEALED


@pytest.mark.parametrize("compare", [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge])
def test_it_cannot_be_compared(value: Encrypted[str], compare: Callable[[object, object], bool]) -> None:
    """Two sealings of one value differ: an answer would be about something else."""
    for other in (value, Encrypted(SEALED), SEALED, "ada@mail.example", None):
        with pytest.raises(TypeError, match="blind index"):
            compare(value, other)
    with pytest.raises(TypeError, match="blind index"):
        compare("ada@mail.example", value)


@pytest.mark.parametrize("use", [hash, len, iter, bytes, int, float, pickle.dumps, bool], ids=lambda use: use.__name__)
def test_it_is_nothing_else(value: Encrypted[str], use: Callable[[object], object]) -> None:
    """No text, no bytes, no list, no key of a dictionary, and nothing to be sent elsewhere."""
    if use is bool:
        assert use(value) is True  # there is one: "if user.email" works
        return
    with pytest.raises(TypeError):
        use(value)


def test_a_copy_is_the_same(value: Encrypted[str]) -> None:
    """It does not change, so there is nothing to copy."""
    assert copy.copy(value) is value
    assert copy.deepcopy(value) is value


def test_bson_has_it_as_binary(value: Encrypted[str]) -> None:
    """And the driver hands it back as bytes."""
    encoder = Encoder(custom_encoders=Person.Settings.bson_encoders)
    stored = encoder.encode(value)
    assert (type(stored), stored.subtype, bytes(stored)) == (Binary, 0, SEALED)
    [again] = decode(encode({"x": stored})).values()
    assert (type(again), again) == (bytes, SEALED)


async def test_beanie_reads_it_back() -> None:
    """From the bytes that the driver hands it."""
    database: Any = AsyncMongoMockClient()["test"]
    await init_beanie(database, document_models=[Person], skip_indexes=True)
    await database["people"].insert_one(
        {"email": SEALED, "devices": SEALED, "postal_address": Encrypted(SEALED).binary(), "nickname": "Ada"}
    )
    again = await Person.find_one({})
    assert again is not None
    assert again.email is not None
    assert again.address is not None
    assert again.email.sealed == again.address.sealed == SEALED
    assert again.birth_date is None
    assert "email=<sealed user.contact.email>, birth_date=None, devices=<sealed user.device.device_id>" in repr(again)
    assert again.model_dump()["email"] is again.email
    assert '"email":"<sealed user.contact.email>"' in again.model_dump_json()


@pytest.mark.parametrize("clear", [b"ada@mail.example", b""], ids=repr)
def test_bytes_that_are_not_sealed_are_refused(clear: object) -> None:
    """They could be anything, a sealed value that was damaged for instance."""
    with pytest.raises(ValidationError, match="is not sealed"):
        Person.model_validate({"email": clear})


@pytest.mark.parametrize("clear", ["ada@mail.example", {"city": "Ada"}, ["Ada"], 7, Unsealed(b"Ada")], ids=repr)
def test_a_value_in_the_clear_waits_to_be_sealed(clear: object) -> None:
    """Out of sight: a document that is about to be stored shows as little as one that was read."""
    person = Person.model_validate({"email": clear})
    assert repr(person.email) == str(person.email) == "<unsealed user.contact.email>"
    assert "Ada" not in f"{person!r}{person.model_dump()}{person.model_dump_json()}"
    assert isinstance(person.email, Unsealed)
    held = value_to_seal(person.email)
    assert held == (b"Ada" if isinstance(clear, Unsealed) else clear)
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(person.email)


def test_logs_have_the_label_only(value: Encrypted[str], caplog: pytest.LogCaptureFixture) -> None:
    """As an argument, or within a structure."""
    logging.getLogger("test").warning("%s %s", value, {"email": value})
    assert caplog.messages == ["<sealed user.contact.email> {'email': <sealed user.contact.email>}"]


def test_the_sealed_fields_of_a_document_are_found() -> None:
    """By their stored path, each with its label and what its bytes mean."""
    found = sealed_fields(Person)
    assert {path: field.label for path, field in found.items()} == {
        "email": Label.EMAIL,
        "birth_date": Label.BIRTH_DATE,
        "devices": Label.DEVICE_ID,
        "postal_address": Label.ADDRESS,
    }
    assert found["birth_date"].codec.decode_all([b'"1990-02-03"']) == ["1990-02-03"]
    assert found["postal_address"].codec.decode_all([b'{"city":"Oslo"}']) == [{"city": "Oslo"}]


def test_the_type_inside_is_found() -> None:
    """Also where it may be absent."""
    assert sealed_type(Encrypted[str]) is str
    assert sealed_type(Encrypted[list[str]] | None) == list[str]
    assert sealed_type(str | None) is None
    assert sealed_type(list[Encrypted[str]]) is None


class Inner(Value):
    """With a sealed value inside."""

    secret: Encrypted[str]


@pytest.mark.parametrize("kind", [list[Encrypted[str]], Inner, list[Inner] | None, dict[str, Encrypted[str]]], ids=str)
def test_values_are_sealed_as_a_whole(kind: Any) -> None:  # noqa: ANN401 - any type
    """A list of sealed values would tell how many there are, and their order could be changed."""

    class Parts(BaseModel):
        part: kind = labelled(Label.NAME)

    with pytest.raises(ConfigurationError, match="Seal it as a whole"):
        sealed_fields(Parts)


def test_a_sealed_field_needs_its_label() -> None:
    """Without one nobody could be allowed to read it."""

    class Bare(BaseModel):
        part: Encrypted[str]

    with pytest.raises(ConfigurationError, match=r"Bare\.part has no label"):
        sealed_fields(Bare)


def test_a_label_that_asks_for_encryption_gets_it_or_a_reason() -> None:
    """Else nothing starts."""

    class Lying(BaseModel):
        phone: str = labelled(Label.PHONE)
        seen: str = labelled(Label.DEVICE, clear="lists are sorted by it")
        theme: str = labelled(Label.SETTINGS)

    with pytest.raises(ConfigurationError, match=r"Lying\.phone") as caught:
        check_sealed(Lying)
    assert "seen" not in caught.value.message
    assert "theme" not in caught.value.message


class Mixed(Value):
    """With a part of another label."""

    city: str = labelled(Label.IMPRECISE_LOCATION)


def test_the_parts_of_a_sealed_value_have_its_label() -> None:
    """Who opens it has all of it."""

    class Whole(BaseModel):
        place: Encrypted[Mixed] = labelled(Label.ADDRESS)

    with pytest.raises(ConfigurationError, match="no other label"):
        check_sealed(Whole)
