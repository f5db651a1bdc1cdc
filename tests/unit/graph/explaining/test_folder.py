"""Operations out of a client team's files, with the fragments they share."""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.explaining.folder import Piece, pieces, read
from models.errors import BadInput

PEOPLE = """# ours
query People { users { nodes { ...Card } } }
query Me {
  me { id ...Own }
}
fragment Own on User { locale }
"""
CARD = """

  fragment Card on User {
    fullName ...Contact }
fragment Contact on User { email }
fragment Unused on User { id }
"""


@pytest.fixture
def team(tmp_path: Path) -> Path:
    """Two operations, and a fragment that is in another folder and spreads a third."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "people.graphql").write_text(PEOPLE)
    (tmp_path / "shared" / "card.gql").write_text(CARD)
    return tmp_path


def found(*paths: Path) -> dict[str | None, Piece]:
    """The operations by their names."""
    return {piece.name: piece for piece in pieces(read(paths))}


def test_every_operation_is_a_document_of_its_own(team: Path) -> None:
    """With the fragments it spreads, at once or through others, and no others."""
    made = found(team)
    assert set(made) == {"People", "Me"}
    assert " ".join(made["People"].text.split()) == (
        "query People { users { nodes { ...Card } } } fragment Card on User { fullName ...Contact } "
        "fragment Contact on User { email }"
    )
    assert " ".join(made["Me"].text.split()) == "query Me { me { id ...Own } } fragment Own on User { locale }"


def test_lines_stay_those_of_the_files(team: Path) -> None:
    """Of the operation's own file, and of that of a fragment from elsewhere."""
    made = found(team)
    assert made["Me"].line == 3
    assert made["Me"].text.splitlines()[3] == "  me { id ...Own }"
    lines = made["People"].text.splitlines()
    for text, line in (("  fragment Card on User {", 3), ("    fullName ...Contact }", 4)):
        assert made["People"].place(lines.index(text) + 1) == (team / "shared" / "card.gql", line)
    assert made["People"].place(2) == (team / "people.graphql", 2)


def test_a_files_own_fragment_comes_first(team: Path) -> None:
    """Two files may use one name, as long as each spreads its own."""
    (team / "other.graphql").write_text("query Other { me { ...Own } } fragment Own on User { country }")
    assert "country" in found(team)["Other"].text
    assert "country" not in found(team)["Me"].text


def test_one_name_from_elsewhere_means_one_fragment(team: Path) -> None:
    """Twice the same is fine; two that differ cannot be told apart, and the team is told."""
    (team / "again.graphql").write_text("fragment Contact on User { email }")
    assert set(found(team)) == {"People", "Me"}
    (team / "other.graphql").write_text("fragment Card on User { country }")
    with pytest.raises(BadInput, match=r"The fragment Card.* is not the same in "):
        found(team)


def test_what_is_not_theirs_is_left_out(team: Path) -> None:
    """Packages, hidden folders, other files, and a schema that lies beside the operations."""
    for path in ("node_modules/x/a.graphql", ".cache/a.graphql", "notes.txt"):
        (team / path).parent.mkdir(parents=True, exist_ok=True)
        (team / path).write_text("query Foreign { me { id } }")
    (team / "schema.graphql").write_text("type Query { me: String }")
    assert set(found(team)) == {"People", "Me"}


def test_a_file_named_twice_is_read_once(team: Path) -> None:
    """By itself and in its folder."""
    assert len(list(pieces(read([team, team / "people.graphql"])))) == 2


def test_what_does_not_parse_is_named_with_its_place(team: Path) -> None:
    """The other files are read all the same."""
    (team / "broken.graphql").write_text("query {\n  me {")
    (team / "latin.graphql").write_bytes(b"# \xe9\nquery X { me { id } }")
    problems = {file.path.name: file.problem for file in read([team]) if file.problem}
    assert problems["broken.graphql"] is not None
    assert problems["broken.graphql"][1:] == (2, 7)
    assert problems["latin.graphql"] == ("The file is not UTF-8 text.", 1, 1)
    assert set(found(team)) == {"People", "Me"}


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    """A file that is missing, a folder without any."""
    with pytest.raises(BadInput, match="no file or folder"):
        read([tmp_path / "missing.graphql"])
    with pytest.raises(BadInput, match=r"no \.graphql file"):
        read([tmp_path])
