"""No question that the API takes makes the database look at everybody."""

from __future__ import annotations

import pytest

from graph.access import Reads
from graph.catalogue import read_catalogue
from graph.schema import build, graphql_schema
from models.user import UserDocument

CATALOGUE = read_catalogue(graphql_schema(build()))
LEADING = {next(iter(index.document["key"])) for index in UserDocument.Settings.indexes}


@pytest.mark.parametrize("name", sorted(CATALOGUE.inputs["UserFilter"]))
def test_every_filter_has_an_index(name: str) -> None:
    """One that begins with what it compares; else a filter that fits nobody reads all rows."""
    touched = CATALOGUE.inputs["UserFilter"][name]
    assert isinstance(touched, Reads)
    spec = CATALOGUE.types["User"][touched.coordinate.removeprefix("User.")]
    path = spec.stored.path
    assert (f"{path}_index.mac" if path in UserDocument.LOOKED_UP else path) in LEADING


@pytest.mark.parametrize("path", sorted(each.value for each in CATALOGUE.enums["UserOrderField"]))
def test_every_order_has_an_index(path: str) -> None:
    """One that begins with what it sorts by."""
    assert path in LEADING
