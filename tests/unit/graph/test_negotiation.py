"""Which media type a client gets."""

from __future__ import annotations

import pytest

from graph.negotiation import GRAPHQL, JSON, choose_media_type, prefers_html

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/json", JSON),
        ("application/json; charset=utf-8", JSON),
        ("application/graphql-response+json", GRAPHQL),
        ("application/graphql-response+json; charset=UTF-8", GRAPHQL),
        ("application/graphql-response+json, application/json;q=0.9", GRAPHQL),
        ("application/graphql-response+json;q=0.1, application/json;q=0.9", JSON),
        ("application/json, application/graphql-response+json", GRAPHQL),
        ("application/graphql-response+json;q=0, */*", JSON),
        ("application/graphql-response+json, */*", GRAPHQL),
        ("APPLICATION/JSON", JSON),
        ("text/html, application/json;q=0.2", JSON),
        ("application/json;q=0", None),
        ("application/json;q=0, */*", None),
        ("application/json;q=nan", None),
        ("application/json;q=-1", None),
        ("application/json; charset=utf-16", None),
        ("text/html", None),
        ("text/*", None),
        ("", None),
        (",;,;q=,", None),
        ("*/*," * 100_000, JSON),
    ],
)
def test_media_type(accept: str | None, expected: str | None) -> None:
    """By weight, then by how exactly it is named; nothing when neither is accepted."""
    assert choose_media_type(accept) == expected


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (BROWSER, True),
        ("text/html", True),
        (None, False),
        ("*/*", False),
        ("application/json", False),
        ("application/json, text/html;q=0.5", False),
        ("text/html;q=0", False),
    ],
)
def test_browsers_are_known(accept: str | None, expected: bool) -> None:
    """Only who asks for HTML by name, and likes nothing else better, gets a page."""
    assert prefers_html(accept) is expected
