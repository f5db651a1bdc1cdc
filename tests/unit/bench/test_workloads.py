"""What the servers are asked."""

from __future__ import annotations

import orjson
import pytest
from graphql import build_schema, parse, validate

from auth.policy import Policy
from auth.principal import Kind, Shape
from bench.workloads import SEALED, WORKLOADS, Places, Workload, bodies_of, http_request, variables_of
from bench.world import PEERS_SCHEMA, REGION
from graph import schema
from graph.catalogue import read_catalogue
from models.sealed import sealed_fields
from models.user import UserDocument
from models.vocabulary import Relation

PLACES = Places([f"usr_eu_{number}" for number in range(50)], [f"cursor{number}" for number in range(9)])


@pytest.mark.parametrize("workload", [*WORKLOADS, *SEALED.values()], ids=lambda it: it.name)
def test_every_document_is_valid_for_fieldward_and_for_the_peers(workload: Workload) -> None:
    """One contract, names included; only Fieldward knows `@purpose`."""
    ours = schema.graphql_schema(schema.build())
    assert not validate(ours, parse(workload.document(declares_nulls=True)))
    assert not validate(build_schema(PEERS_SCHEMA.read_text()), parse(workload.document(declares_nulls=False)))


@pytest.mark.parametrize("count", SEALED)
def test_of_ten_fields_as_many_are_sealed_as_is_said(count: int) -> None:
    """A field that is sealed later, or no more, changes what the figures mean."""
    fields = read_catalogue(schema.graphql_schema(schema.build())).types["User"]
    asked = SEALED[count].fields
    stored = {fields[name].stored.path for name in asked if name in fields}
    assert (len(set(asked)), len(stored & sealed_fields(UserDocument).keys())) == (10, count)


@pytest.mark.parametrize("workload", SEALED.values(), ids=lambda it: it.name)
def test_what_is_asked_of_sealed_fields_is_granted(workload: Workload) -> None:
    """A denied field is not opened, and would cost nothing."""
    assert not workload.nulls
    fields = read_catalogue(schema.graphql_schema(schema.build())).types["User"]
    claims = [fields[name].claim for name in workload.fields if name in fields]
    grant = Policy(REGION).grant(
        Shape(Kind.PERSON, frozenset({workload.role}), region=REGION), workload.purpose, claims
    )
    assert all(grant.allows(Relation.OTHER, claim.coordinate) for claim in claims)


def test_requests_differ_from_one_to_the_next_and_are_the_same_for_everybody() -> None:
    """No answer can be kept for the next request, and each server gets the same ones."""
    drawn = variables_of(WORKLOADS[0], PLACES, 200, seed=7)
    assert len({each["id"] for each in drawn}) > 40
    assert drawn == variables_of(WORKLOADS[0], PLACES, 200, seed=7)


def test_a_request_says_how_long_its_body_is() -> None:
    """The body follows the head, and its length is stated."""
    body = bodies_of("query A { me { id } }", "A", [{"id": "å"}])[0]
    head, _, sent = http_request(body, "token", "SUPPORT", 80).partition(b"\r\n\r\n")
    assert orjson.loads(sent)["variables"] == {"id": "å"}
    assert f"Content-Length: {len(sent)}".encode() in head
