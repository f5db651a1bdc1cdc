"""What must not start: fields without a label or rule, roots that do not say whose rows they open."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import strawberry
from beanie import Document
from graphql import is_non_null_type

from graph.access import Opens, Rows, guarded, personal, root
from graph.catalogue import read_catalogue
from graph.schema import build, graphql_schema
from models.base import PersonalDocument
from models.errors import ConfigurationError
from models.fields import labelled
from models.registry import check_labels
from models.user import UserDocument
from models.vocabulary import Label


@guarded(UserDocument)
class Undecided:
    """A person with a field that nobody decided on."""

    email: str | None = personal("Address.")
    shoe_size: int | None = None


@strawberry.type
class UndecidedQuery:
    """Opens it."""

    @root(Opens(Rows.OWN), "Me.")
    def me(self) -> Undecided | None:
        """Never asked."""
        return None


@guarded(UserDocument)
class Stubborn:
    """A person with a field that cannot be null."""

    email: str = personal("Address.")


@strawberry.type
class StubbornQuery:
    """Opens it."""

    @root(Opens(Rows.OWN), "Me.")
    def me(self) -> Stubborn | None:
        """Never asked."""
        return None


@strawberry.input
class Wish:
    """An input that does not say what it does."""

    anything: str


@strawberry.type
class WishQuery:
    """Takes it."""

    @root(Opens(Rows.PUBLIC), "Wish.")
    def wish(self, wish: Wish) -> str:
        """Never asked."""
        return wish.anything


def refusal_of(query: type) -> str:
    """Why a schema with this query type is refused."""
    with pytest.raises(ConfigurationError) as caught:
        read_catalogue(graphql_schema(strawberry.Schema(query=query)))
    return caught.value.message


def test_the_schema_is_safe_to_serve() -> None:
    """Every field of every type is classified."""
    catalogue = read_catalogue(graphql_schema(build()))
    assert len(catalogue.types["User"]) > 25
    assert set(catalogue.roots) >= {"Query.me", "Query.users", "Mutation.register", "Mutation.signIn"}


def test_guarded_fields_are_nullable() -> None:
    """A denial must be able to be null; only row identifiers are not."""
    schema = graphql_schema(build())
    for type_name, fields in read_catalogue(schema).types.items():
        graphql_type: Any = schema.type_map[type_name]
        for name, spec in fields.items():
            if spec.stored.path != "_id":
                assert not is_non_null_type(graphql_type.fields[name].type), spec.coordinate


def test_every_guarded_field_shows_its_label_and_its_readers() -> None:
    """In directives for programs, in descriptions for people."""
    schema = graphql_schema(build())
    for type_name, fields in read_catalogue(schema).types.items():
        graphql_type: Any = schema.type_map[type_name]
        for name, spec in fields.items():
            if spec.stored.path == "_id":
                continue
            field = graphql_type.fields[name]
            directives = field.extensions["strawberry-definition"].directives
            assert directives[0].is_ == spec.stored.label
            assert len(directives) > 1, f"{spec.coordinate} is permitted to nobody"
            assert "Read by" in (field.description or "")


def test_a_field_that_is_neither_personal_nor_public_is_refused() -> None:
    """By name."""
    assert "Undecided.shoeSize has neither a label nor an explicit public" in refusal_of(UndecidedQuery)


def test_a_guarded_field_that_is_not_nullable_is_refused() -> None:
    """It could not be denied."""
    assert "Stubborn.email is guarded, so it must be nullable" in refusal_of(StubbornQuery)


def test_a_root_that_does_not_say_whose_rows_it_opens_is_refused() -> None:
    """A plain Strawberry field is not enough."""

    @strawberry.type
    class Query:
        @strawberry.field
        def everything(self) -> str:
            return ""

    assert "Query.everything does not say whose rows it opens" in refusal_of(Query)


def test_an_input_field_that_says_nothing_is_refused() -> None:
    """It could write or filter without a right."""
    assert "Wish.anything says neither what it reads nor what it writes" in refusal_of(WishQuery)


def test_a_type_over_a_path_that_is_not_stored_is_refused() -> None:
    """The label comes from the document, so the document must have the path."""
    with pytest.raises(ConfigurationError, match="no stored field 'shoe_size'"):

        @guarded(UserDocument)
        class Person:
            """A person."""

            shoe_size: int | None = personal("Size.")


def test_a_stored_field_without_a_label_stops_the_start() -> None:
    """All of them are named."""

    class Loose(PersonalDocument):
        shoe_size: int = 0
        person: str = labelled(Label.UNIQUE_ID)
        hat_size: int = 0

        class Settings:
            name = "loose"

    class Labelled(Document):
        """Not a personal document: needs no labels."""

        number: int = 0

        class Settings:
            name = "counts"
            indexes: ClassVar[list[Any]] = []

    with pytest.raises(ConfigurationError, match=r"Loose\.shoe_size, Loose\.hat_size"):
        check_labels([Labelled, Loose])
