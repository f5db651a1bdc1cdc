"""Input types, and how each given field becomes a stored change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

import strawberry
from strawberry import UNSET

from graph.access import PUBLIC, free, written
from graph.mutations.payload import Problems
from models.ages import band_of
from models.importing import values
from models.importing.rejection import Refused, RejectCode
from models.names import new_username, normalise_email
from models.vocabulary import Label
from models.writer import Change

_NAME_LENGTH: Final = 200


def secret(description: str) -> Any:  # noqa: ANN401 - stands for an input field of any type
    """An input field that is checked, and stored as a hash at most."""
    return strawberry.field(description=description, metadata={PUBLIC: "proves who is asking"})


def reason(description: str) -> Any:  # noqa: ANN401 - as above
    """An input field by which staff say why; it is kept with the record of what they did."""
    return strawberry.field(description=description, metadata={PUBLIC: "words of the caller's own"})


@strawberry.input(description="A postal address; given, it replaces the one that is stored.")
class AddressInput:
    """All of an address."""

    street: str | None = written(Label.ADDRESS, "Street and number.")
    city: str | None = written(Label.ADDRESS, "City.")
    region: str | None = written(Label.ADDRESS, "State, province or region.")
    postal_code: str | None = written(Label.ADDRESS, "Postal code.")
    country: str | None = written(Label.ADDRESS, "Country, ISO 3166-1 alpha-2.")


@strawberry.input(description="Settings; only those given change.")
class PreferencesInput:
    """Some of the settings."""

    theme: str | None = written(Label.SETTINGS, "Colour theme.")
    currency: str | None = written(Label.SETTINGS, "Currency, ISO 4217.")
    digest: str | None = written(Label.SETTINGS, "How often a digest is wanted.")


@strawberry.input
class ProfileInput:
    """What registration and update have in common."""

    full_name: str | None = written(Label.NAME, "Full name as the person writes it.")
    given_name: str | None = written(Label.FIRST_NAME, "Given name.")
    family_name: str | None = written(Label.LAST_NAME, "Family name.")
    birth_date: date | None = written(Label.BIRTH_DATE, "Date of birth.")
    phone: str | None = written(Label.PHONE, "Telephone, E.164.")
    address: AddressInput | None = written(Label.ADDRESS, "Postal address.")
    country: str | None = written(Label.IMPRECISE_LOCATION, "Country, ISO 3166-1 alpha-2.")
    locale: str | None = written(Label.LANGUAGE, "Language and region, BCP 47.")
    preferences: PreferencesInput | None = written(Label.SETTINGS, "Settings.")
    marketing_opt_in: bool | None = written(Label.PRIVACY_PREFERENCES, "Whether offers are wanted.")


@strawberry.input(description="A new account.")
class RegisterInput(ProfileInput):
    """Registration."""

    username: str = written(Label.USERNAME, "The name to sign in with.", required=True)
    email: str = written(Label.EMAIL, "The address we write to.", required=True)
    password: str = secret("15 to 128 characters of any kind.")


@strawberry.input(description="The fields to change; null removes one. Without `id`: the signed-in person.")
class UpdateUserInput(ProfileInput):
    """An update."""

    id: strawberry.ID | None = free("Whose account; yours when absent.")
    username: str | None = written(Label.USERNAME, "The name to sign in with.")
    email: str | None = written(
        Label.EMAIL, "The address we write to. The earlier one stays until the link is opened that is sent to this one."
    )


def _username(text: str) -> Mapping[str, Any]:
    name = new_username(text)
    return {"username": name.display, "username_key": name.key, "username_skeleton": name.skeleton}


def _email(text: str) -> Mapping[str, Any]:
    return {"email": normalise_email(text)[0], "email_verified": False}


def _birth_date(born: date) -> Mapping[str, Any]:
    today = datetime.now(UTC).date()
    values.birth_date(born.isoformat(), today)
    return {"birth_date": born, "age_band": band_of(born, today)}


def _each(prefix: str, convert: Mapping[str, Callable[[str], str]]) -> Callable[[Any], Mapping[str, Any]]:
    """Each given field of a nested input on its own."""

    def made(given: Any) -> Mapping[str, Any]:  # noqa: ANN401 - an input object
        return {f"{prefix}.{name}": None if v is None else convert[name](v) for name, v in _given(given)}

    return made


def _whole(path: str, convert: Mapping[str, Callable[[str], str]]) -> Callable[[Any], Mapping[str, Any]]:
    """A nested input as one value."""

    def made(given: Any) -> Mapping[str, Any]:  # noqa: ANN401 - an input object
        return {path: {name: convert[name](v) for name, v in _given(given) if v is not None}}

    return made


def _as(path: str, convert: Callable[[str], str]) -> Callable[[str], Mapping[str, Any]]:
    return lambda text: {path: convert(text)}


_words = values.words(_NAME_LENGTH)
_ADDRESS: Final = {
    "street": values.street,
    "city": _words,
    "region": _words,
    "postal_code": values.words(32),
    "country": values.country,
}
_SETTINGS: Final = {"theme": values.word, "currency": values.currency, "digest": values.word}
_CHANGES: Final[Mapping[str, Callable[[Any], Mapping[str, Any]]]] = {
    "username": _username,
    "email": _email,
    "full_name": _as("full_name", _words),
    "given_name": _as("given_name", _words),
    "family_name": _as("family_name", _words),
    "birth_date": _birth_date,
    "phone": _as("phone", values.phone),
    "address": _whole("address", _ADDRESS),
    "country": _as("country", values.country),
    "locale": _as("locale", values.locale),
    "preferences": _each("preferences", _SETTINGS),
    "marketing_opt_in": lambda wanted: {"marketing_opt_in": wanted},
}
_REMOVES: Final[Mapping[str, tuple[str, ...]]] = {
    "email": ("email", "email_verified"),
    "birth_date": ("birth_date", "age_band"),
}
_BY_PROOF: Final = frozenset({"UpdateUserInput.email"})
_KEPT: Final = frozenset({"username", "email", "preferences", "marketing_opt_in"})


def changes(type_name: str, given: ProfileInput, problems: Problems) -> list[Change]:
    """The changes that an input asks for; what is wrong with it is noted in `problems`."""
    found: list[Change] = []
    for name, value in _given(given):
        convert = _CHANGES.get(name)
        if convert is None:
            continue
        camel = _camel(name)
        with problems.at(camel):
            if value is not None:
                coordinate = f"{type_name}.{camel}"
                found.append(Change(coordinate, convert(value), by_proof=coordinate in _BY_PROOF))
            elif name in _KEPT:
                raise Refused(RejectCode.MISSING)
            else:
                found.append(Change(f"{type_name}.{camel}", dict.fromkeys(_REMOVES.get(name, (name,)))))
    return found


def _given(given: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - an input object
    return ((name, value) for name, value in vars(given).items() if value is not UNSET)


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
