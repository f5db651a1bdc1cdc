"""Who is asking: how a scope is written, and who counts as a person."""

from __future__ import annotations

import pytest

from auth.principal import NOBODY, Kind, Principal, Scope, Shape
from models.vocabulary import Access, Label


def test_a_scope_is_read_as_it_is_written() -> None:
    """A label, a colon, and read or write."""
    scope = Scope.parse("user.contact:read")
    assert scope == Scope(Label.CONTACT, Access.READ)
    assert str(scope) == "user.contact:read"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "user.contact",
        "user.contact:",
        "user.contact:all",
        "user.contact:read:write",
        ":read",
        "user:read",
        "user.*:read",
        "USER.CONTACT:read",
        "user.contact :read",
        "user.contact:READ",
    ],
)
def test_other_text_is_no_scope(text: str) -> None:
    """An unknown label, an unknown access, a wildcard, anything more or less."""
    with pytest.raises(ValueError, match=r"scope|not a valid"):
        Scope.parse(text)


def test_nobody_is_not_authenticated() -> None:
    """And is no person."""
    assert not NOBODY.authenticated
    assert NOBODY.person is None
    assert NOBODY.purposes == frozenset()


def test_a_person_is_known_by_their_identifier() -> None:
    """Rows of that identifier are their own."""
    principal = Principal(Shape(Kind.PERSON, region="eu"), id="usr_eu_01h2xcejqtf2nbrexx3vqjhp41")
    assert principal.authenticated
    assert principal.person == "usr_eu_01h2xcejqtf2nbrexx3vqjhp41"


def test_a_service_is_no_person() -> None:
    """It has an identifier, but no row of its own."""
    principal = Principal(Shape(Kind.SERVICE, region="eu"), id="demo-service")
    assert principal.authenticated
    assert principal.person is None
