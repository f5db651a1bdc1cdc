"""Labelled fields: one label per stored path, and none may lack it."""

from __future__ import annotations

from typing import Final

import pytest
from pydantic import BaseModel, Field

from models.errors import ConfigurationError
from models.fields import Value, label_of, labelled, labels_of, value_type
from models.user import UserDocument
from models.vocabulary import Label

# The contract's table of fields, by stored path.
USER_LABELS: Final = {
    "_id": "user.unique_id",
    "username": "user.account.username",
    "email": "user.contact.email",
    "phone": "user.contact.phone_number",
    "address": "user.contact.address",
    "address.city": "user.contact.address",
    "full_name": "user.name",
    "given_name": "user.name.first",
    "family_name": "user.name.last",
    "birth_date": "user.demographic.date_of_birth",
    "age_band": "user.demographic.age_range",
    "country": "user.location.imprecise",
    "location": "user.location.precise",
    "location.latitude": "user.location.precise",
    "locale": "user.demographic.language",
    "status": "user.account",
    "email_verified": "user.account",
    "created_at": "user.account",
    "last_seen_at": "user.account",
    "login_count": "user.account",
    "preferences": "user.account.settings",
    "preferences.theme": "user.account.settings",
    "marketing_opt_in": "user.privacy_preferences",
    "consents": "user.privacy_preferences",
    "last_seen_ip": "user.device.ip_address",
    "device_ids": "user.device.device_id",
    "password_hash": "user.authorization.password",
}


class Street(Value):
    """A value whose fields say nothing themselves, but for one."""

    name: str
    resident: str = labelled(Label.NAME)


class Town(Value):
    """A value that holds values."""

    streets: list[Street]


class Home(BaseModel):
    """A model with every way to hold a value."""

    key: str = labelled(Label.UNIQUE_ID, alias="_id")
    street: Street = labelled(Label.ADDRESS)
    former: Street | None = labelled(Label.ADDRESS, default=None)
    town: Town = labelled(Label.ADDRESS)
    revision: int = Field(default=0, exclude=True)


class Bare(BaseModel):
    """A model that forgot two labels."""

    email: str = labelled(Label.EMAIL)
    nick: str
    shoe_size: int = Field(alias="shoe")


@pytest.mark.parametrize("path", USER_LABELS)
def test_a_field_of_a_user_carries_the_label_of_the_contract(path: str) -> None:
    """Everything else follows from it."""
    assert labels_of(UserDocument)[path] == USER_LABELS[path]


def test_a_path_is_what_is_stored() -> None:
    """The alias, not the attribute."""
    assert labels_of(Home)["_id"] is Label.UNIQUE_ID
    assert "key" not in labels_of(Home)


def test_a_value_carries_the_label_of_the_field_that_holds_it() -> None:
    """The field itself and each path in it."""
    found = labels_of(Home)
    assert (found["street"], found["street.name"]) == (Label.ADDRESS, Label.ADDRESS)


def test_a_value_can_carry_a_label_of_its_own() -> None:
    """The nearest label holds."""
    assert labels_of(Home)["street.resident"] is Label.NAME


def test_an_optional_value_is_walked() -> None:
    """Like one that must be there."""
    assert labels_of(Home)["former.resident"] is Label.NAME


def test_values_in_values_are_walked() -> None:
    """Through lists too."""
    assert labels_of(Home)["town.streets.resident"] is Label.NAME


def test_what_is_never_stored_needs_no_label() -> None:
    """An excluded field does not reach the database."""
    assert "revision" not in labels_of(Home)


def test_missing_labels_are_all_named_at_once() -> None:
    """By model and stored path, with what to do about it."""
    with pytest.raises(ConfigurationError) as caught:
        labels_of(Bare)
    assert "Bare.nick, Bare.shoe" in caught.value.message
    assert "Bare.email" not in caught.value.message
    assert "labelled(" in caught.value.message


def test_options_are_those_of_a_plain_field() -> None:
    """A default stays a default, an alias an alias."""
    assert Home.model_fields["former"].default is None
    assert Home.model_fields["key"].alias == "_id"


def test_a_field_tells_its_label() -> None:
    """The one it was declared with, or none."""
    assert label_of(Bare.model_fields["email"]) is Label.EMAIL
    assert label_of(Bare.model_fields["nick"]) is None


@pytest.mark.parametrize("annotation", [Street, Street | None, list[Street], list[Street] | None], ids=str)
def test_a_value_is_found_inside_an_annotation(annotation: object) -> None:
    """Bare, optional, in a list, in an optional list."""
    assert value_type(annotation) is Street


@pytest.mark.parametrize("annotation", [str, str | None, list[str], Bare, None], ids=str)
def test_other_annotations_hold_no_value(annotation: object) -> None:
    """A model that is no `Value` is not walked."""
    assert value_type(annotation) is None
