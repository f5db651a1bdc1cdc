"""Every page of the repository: its links lead somewhere, and it speaks of no machine."""

from __future__ import annotations

import pkgutil
import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
DECISIONS: Final = sorted((ROOT / "docs" / "decisions").glob("*.md"))
# What commands make is not in a fresh clone.
MADE: Final = ("graph/pages/assets/", "bench/results.json", "bench/growth.json")
NOT_FOR_PAGES: Final = re.compile(
    r"/(?:home|root|tmp|work|Users|mnt|private)/|\b(?:pypi|pythonhosted|npmjs)\.|\bindex-url\b"
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Relative ones, to files of this repository."""
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)[^)]*\)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_is_named_is_there(page: Path) -> None:
    """Modules, what is in them, and files of this repository, in backquotes."""
    text = page.read_text()
    for name in re.findall(r"`((?:auth|graph|models)(?:\.\w+)+)`", text):
        pkgutil.resolve_name(name)
    files = re.findall(r"`((?:auth|bench|docs|graph|models|tests|workbench)/[\w./-]*)`", text)
    assert [file for file in files if not file.startswith(MADE) and not (ROOT / file).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_names_a_place_of_one_machine(page: Path) -> None:
    """Nor where packages were taken from."""
    assert NOT_FOR_PAGES.findall(page.read_text()) == []


def test_what_is_not_for_pages_is_seen() -> None:
    """The pattern of the test above can fail."""
    for text in ("see /home/somebody/notes", "from pypi.example", "--index-url x"):
        assert NOT_FOR_PAGES.search(text), text
    assert not NOT_FOR_PAGES.search("DATA=/somewhere, `/graphql`, tests/unit/graph")


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.name)
def test_a_decision_is_a_short_note(page: Path) -> None:
    """Context, decision, consequences; under 40 lines; numbered as its file."""
    lines = page.read_text().splitlines()
    assert lines[0].startswith(f"# {page.name[:4]} ")
    assert len(lines) < 40
    text = "\n".join(lines)
    assert text.index("**Context.**") < text.index("**Decision.**") < text.index("**Consequences.**")


def test_decisions_are_numbered_without_gaps() -> None:
    """From 0001 on."""
    assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))
