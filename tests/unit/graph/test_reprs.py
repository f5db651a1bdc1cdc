"""What is sent, answered and stored shows in no repr: a debugger, an assertion or a library may print one anywhere."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final

import pytest
from graphql import GraphQLInputObjectType, GraphQLObjectType
from pydantic import ValidationError

from graph.schema import build, graphql_schema
from models.base import PersonalDocument
from models.registry import DOCUMENTS
from models.user import Address, UserDocument

MARKER: Final = "mkreprqx"
TYPES: Final[dict[str, Any]] = {
    name: kind.extensions["strawberry-definition"].origin
    for name, kind in graphql_schema(build()).type_map.items()
    if isinstance(kind, GraphQLInputObjectType | GraphQLObjectType) and "strawberry-definition" in kind.extensions
}
STORED: Final = [each for each in DOCUMENTS if issubclass(each, PersonalDocument)]


def test_inputs_and_payloads_are_among_them() -> None:
    """A loop over nothing would find nothing."""
    assert TYPES.keys() >= {"SignInInput", "SignInPayload", "EnrolTotpPayload", "User"}
    assert UserDocument in STORED


@pytest.mark.parametrize("name", TYPES)
def test_what_is_sent_and_answered_shows_nothing(name: str) -> None:
    """Of whatever field."""
    value = object.__new__(TYPES[name])
    for each in fields(TYPES[name]):
        object.__setattr__(value, each.name, MARKER)
    assert MARKER not in f"{value} {value!r} {[value]}"


@pytest.mark.parametrize("document", STORED)
def test_what_is_stored_shows_nothing(document: type[PersonalDocument]) -> None:
    """Nor does a part of it."""
    value = document.model_construct(**dict.fromkeys(document.model_fields, MARKER))
    assert MARKER not in f"{value} {value!r} {[value]}"


def test_nor_does_a_part_of_it_or_what_is_refused() -> None:
    """The library's message names the field alone."""
    assert MARKER not in repr(Address(city=MARKER))
    for kind in (UserDocument, Address):
        with pytest.raises(ValidationError) as refused:
            kind.model_validate({"_id": [MARKER], "city": [MARKER]})
        assert MARKER not in str(refused.value)
