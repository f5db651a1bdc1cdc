"""Reading rows: every broken line is one rejection with its number, and reading goes on."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import BadInput
from models.importing.lines import MAX_LINE
from models.importing.mapping import ColumnMapping
from models.importing.rejection import RejectCode
from models.importing.source import Record, open_source

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file and returns its path."""

    def make(content: bytes, name: str = "people.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return make


def rows(path: Path) -> list[Record]:
    """All rows of a file."""
    with open_source(path, ColumnMapping()) as source:
        return list(source.records())


def seen(path: Path) -> list[tuple[int, Any]]:
    """(line, user name or what is wrong) of each row."""
    return [(r.line, r.cells.get("username") if r.cells is not None else r.problem) for r in rows(path)]


HEAD = b"username,full_name\n"


@pytest.mark.parametrize("separator", [b",", b";", b"\t", b"|"])
def test_the_separator_is_found_in_the_header(write: Write, separator: bytes) -> None:
    """Comma, semicolon, tab and bar are all in use."""
    path = write(b"username,email\nanna,a@example.org\n".replace(b",", separator))
    assert [dict(r.cells or {}) for r in rows(path)] == [{"username": "anna", "email": "a@example.org"}]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_the_utf8_mark_are_not_data(write: Write, end: bytes, mark: bytes) -> None:
    """Files from spreadsheets read like any other; the last line needs no end."""
    path = write(mark + b"username,full_name" + end + b"anna,Anna" + end + end + b"bo,Bo")
    assert seen(path) == [(2, "anna"), (4, "bo")]


def test_a_quoted_cell_may_hold_separators_quotes_and_line_ends(write: Write) -> None:
    """RFC 4180, and the next row still has the right line number."""
    path = write(HEAD + b'anna,"A, ""the"" \nsecond\r\nthird"\nbo,Bo\n')
    found = rows(path)
    assert [(r.line, r.next_line) for r in found] == [(2, 5), (5, 6)]
    assert (found[0].cells or {})["full_name"] == 'A, "the" \nsecond\r\nthird'


def test_a_quote_inside_a_cell_is_a_character(write: Write) -> None:
    """`5" pipe` opens nothing."""
    assert seen(write(HEAD + b'anna,5" pipe\nbo,Bo\n')) == [(2, "anna"), (3, "bo")]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (b'anna,"never closed\nbo,Bo\ncy,Cy\n', [(2, RejectCode.UNBALANCED_QUOTES), (3, "bo"), (4, "cy")]),
        (b'anna,"open\nbo,"Bo"\ncy,Cy\n', [(2, RejectCode.UNBALANCED_QUOTES), (3, "bo"), (4, "cy")]),
        (b'anna,"open\nbo,"",x\n', [(2, RejectCode.UNBALANCED_QUOTES), (3, RejectCode.WRONG_COLUMN_COUNT)]),
        (b'anna,"A"x\nbo,Bo\n', [(2, RejectCode.BAD_CSV), (3, "bo")]),
        (b"anna\nbo,Bo\n", [(2, RejectCode.WRONG_COLUMN_COUNT), (3, "bo")]),
        (b"anna,A,B\nbo,Bo\n", [(2, RejectCode.WRONG_COLUMN_COUNT), (3, "bo")]),
        (b"anna,\xff\xfe\nbo,Bo\n", [(2, RejectCode.BAD_ENCODING), (3, "bo")]),
        (b"anna,\x00\nbo,Bo\n", [(2, RejectCode.NUL_BYTE), (3, "bo")]),
        (b"anna," + b"x" * MAX_LINE + b"\nbo,Bo\n", [(2, RejectCode.LINE_TOO_LONG), (3, "bo")]),
        (b"anna," + b"x" * 3 * MAX_LINE, [(2, RejectCode.LINE_TOO_LONG)]),
    ],
)
def test_a_broken_line_is_a_rejection_and_the_next_is_read(write: Write, lines: bytes, expected: list[Any]) -> None:
    """An unclosed quote rejects its own line only, not the rest of the file."""
    assert seen(write(HEAD + lines)) == expected


def test_many_open_quotes_stay_many_single_rejections(write: Write) -> None:
    """Each line is looked at a bounded number of times."""
    path = write(HEAD + b'anna,"open\n' * 300)
    assert len(rows(path)) >= 150
    assert rows(path)[-1].line == 301


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"username": "anna"}', "anna"),
        (b'{"username": ', RejectCode.BAD_JSON),
        (b"[" * 5000 + b"]" * 5000, RejectCode.BAD_JSON),
        (b'{"username": NaN}', RejectCode.BAD_JSON),
        (b'["anna"]', RejectCode.NOT_AN_OBJECT),
        (b'{"username": "\xff"}', RejectCode.BAD_ENCODING),
        (b'{"email": "a@example.org", "mail": "b@example.org"}', RejectCode.AMBIGUOUS),
    ],
)
def test_json_lines_are_read_one_by_one(write: Write, line: bytes, expected: object) -> None:
    """A broken object is one rejection."""
    assert seen(write(line + b"\n\n" + b'{"username": "bo"}', "people.jsonl")) == [(1, expected), (3, "bo")]


def test_inner_objects_are_read_one_level_down(write: Write) -> None:
    """`address` and `preferences` may be objects; whatever is deeper stays what it is and is refused later."""
    path = write(b'{"id": 7, "address": {"city": "Oslo", "postalCode": {"$gt": ""}}}', "people.jsonl")
    expected = {"import_key": 7, "address.city": "Oslo", "address.postal_code": {"$gt": ""}}
    assert [r.cells for r in rows(path)] == [expected]


@pytest.mark.parametrize("name", ["people.csv.gz", "people.csv"])
def test_a_compressed_file_is_known_by_its_content(write: Write, name: str) -> None:
    """gzip is read as a stream, whatever the file is called."""
    assert seen(write(gzip.compress(HEAD + b"anna,Anna\n"), name)) == [(2, "anna")]


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "people.csv", "first line"),
        (b"\xff\xfeu\x00", "people.csv", "UTF-16"),
        (HEAD, "people.txt", "--format"),
        (b"a,b\n1,2\n", "people.csv", "--map"),
    ],
)
def test_a_file_that_cannot_be_read_at_all_is_said_so(write: Write, content: bytes, name: str, message: str) -> None:
    """One line that says what to do."""
    with pytest.raises(BadInput, match=message):
        open_source(write(content, name), ColumnMapping())


def test_a_cut_off_archive_ends_with_a_clear_error(write: Write) -> None:
    """What was read before it stays read."""
    path = write(gzip.compress(HEAD + b"".join(b"a%d,x\n" % n for n in range(50_000)))[:-200], "people.csv.gz")
    with open_source(path, ColumnMapping()) as source, pytest.raises(BadInput, match="damaged"):
        list(source.records())


@pytest.mark.parametrize("compressed", [False, True])
def test_reading_can_go_on_at_any_row(write: Write, compressed: bool) -> None:
    """Every record knows where the next one starts; from there the rest reads the same."""
    content = b"\xef\xbb\xbf" + HEAD + b'a1,"x\ny"\nb2,\xff\n\nc3,Z\r\nd4,"open\ne5,E'
    path = write(gzip.compress(content) if compressed else content)
    whole = rows(path)
    for position, record in enumerate(whole):
        with open_source(path, ColumnMapping()) as source:
            source.resume(record.offset, record.next_line)
            assert list(source.records()) == whole[position + 1 :]


@given(st.binary(max_size=300))
def test_no_bytes_crash_the_reader(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Whatever a file holds, each row is cells or a problem, in rising order of lines."""
    for name in ("x.csv", "x.jsonl"):
        path = tmp_path_factory.getbasetemp() / name
        path.write_bytes(HEAD + content if name == "x.csv" else content)
        found = rows(path) if not content.startswith((b"\xff\xfe", b"\xfe\xff", b"\x1f\x8b")) else []
        assert all((r.cells is None) != (r.problem is None) for r in found)
        assert [r.line for r in found] == sorted({r.line for r in found})
