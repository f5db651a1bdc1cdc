"""What the servers are asked."""

from __future__ import annotations

import orjson
import pytest
from graphql import build_schema, parse, validate

from bench.workloads import WORKLOADS, Places, Workload, bodies_of, http_request, variables_of
from bench.world import PEERS_SCHEMA
from graph import schema

PLACES = Places([f"usr_eu_{number}" for number in range(50)], [f"cursor{number}" for number in range(9)])


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda it: it.name)
def test_every_document_is_valid_for_fieldward_and_for_the_peers(workload: Workload) -> None:
    """One contract, names included; only Fieldward knows `@purpose`."""
    ours = schema.graphql_schema(schema.build())
    assert not validate(ours, parse(workload.document(declares_nulls=True)))
    assert not validate(build_schema(PEERS_SCHEMA.read_text()), parse(workload.document(declares_nulls=False)))


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
