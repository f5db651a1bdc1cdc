"""The operations in a client team's files, each with the fragments it needs, wherever those are written.

Teams share fragments between files, so an operation is seldom a document by itself: it is made one
here, with everything left in its place, so that lines and columns stay those of the files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from graphql import (
    DefinitionNode,
    ExecutableDefinitionNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    Visitor,
    parse,
    visit,
)

from graph.errors import syntax_error
from models.errors import BadInput

_SUFFIXES: Final = frozenset({".graphql", ".gql"})
_NOT_THEIRS: Final = frozenset({"node_modules"})
_VISIBLE: Final = re.compile(r"[^\n]")


@dataclass(frozen=True, slots=True)
class File:
    """One file, parsed. `problem` says why it could not be, with its line and column."""

    path: Path
    text: str = ""
    definitions: tuple[DefinitionNode, ...] = ()
    problem: tuple[str, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Fragment:
    """A fragment and where it is."""

    file: File
    node: FragmentDefinitionNode

    @property
    def text(self) -> str:
        return self.file.text[self.node.loc.start : self.node.loc.end] if self.node.loc else ""


@dataclass(frozen=True, slots=True)
class Piece:
    """One operation as a document of its own; `borrowed` are (first line here, file, line there)."""

    path: Path
    name: str | None
    line: int
    text: str
    borrowed: tuple[tuple[int, Path, int], ...]

    def place(self, line: int) -> tuple[Path, int]:
        """The file and line of a line of `text`."""
        for first, path, there in reversed(self.borrowed):
            if line >= first:
                return path, line - first + there
        return self.path, line


def read(paths: Iterable[Path]) -> list[File]:
    """All files of operations at or below `paths`, in order. Raises `BadInput` where there are none."""
    found: dict[Path, File] = {}
    for path in paths:
        if not path.exists():
            raise BadInput(f"There is no file or folder {path}.")
        inside = sorted(_below(path)) if path.is_dir() else [path]
        if not inside:
            raise BadInput(f"There is no .graphql file in {path}.")
        found.update((each, _parse(each)) for each in inside if each not in found)
    return list(found.values())


def pieces(files: Sequence[File]) -> Iterator[Piece]:
    """Every operation of the files. Raises `BadInput` when one spreads a fragment that two others define."""
    fragments: dict[str, list[Fragment]] = {}
    for file in files:
        for definition in file.definitions:
            if isinstance(definition, FragmentDefinitionNode):
                fragments.setdefault(definition.name.value, []).append(Fragment(file, definition))
    for file in files:
        for definition in file.definitions:
            if isinstance(definition, OperationDefinitionNode):
                yield _piece(file, definition, _needed(file, definition, fragments))


def _below(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        hidden = any(part in _NOT_THEIRS or part.startswith(".") for part in parts)
        if path.suffix in _SUFFIXES and path.is_file() and not hidden:
            yield path


def _parse(path: Path) -> File:
    try:
        text = path.read_text("utf-8")
        document = parse(text) if text.strip() else None
    except UnicodeDecodeError:
        return File(path, problem=("The file is not UTF-8 text.", 1, 1))
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from None
    except GraphQLError as error:
        where = (syntax_error(error).get("locations") or [{"line": 1, "column": 1}])[0]
        return File(path, problem=(syntax_error(error)["message"], where["line"], where["column"]))
    definitions = document.definitions if document else ()
    # A schema that lies among the operations, as some tools want it, is none of them.
    return File(path, text, tuple(it for it in definitions if isinstance(it, ExecutableDefinitionNode)))


def _piece(file: File, operation: OperationDefinitionNode, needed: Sequence[Fragment]) -> Piece:
    text = _only(file.text, [operation, *(it.node for it in needed if it.file is file)])
    borrowed: list[tuple[int, Path, int]] = []
    for fragment in needed:
        if fragment.file is not file and fragment.node.loc is not None:
            start = fragment.node.loc.start_token
            borrowed.append((text.count("\n") + 2, fragment.file.path, start.line))
            text += "\n" + " " * (start.column - 1) + fragment.text
    name = operation.name.value if operation.name else None
    line = operation.loc.start_token.line if operation.loc else 1
    return Piece(file.path, name, line, text, tuple(borrowed))


def _only(text: str, kept: Iterable[DefinitionNode]) -> str:
    """`text` with everything but `kept` made blank."""
    ranges = sorted((node.loc.start, node.loc.end) for node in kept if node.loc is not None)
    made, end = [], 0
    for first, last in ranges:
        made += [_VISIBLE.sub(" ", text[end:first]), text[first:last]]
        end = last
    return "".join([*made, _VISIBLE.sub(" ", text[end:])])


def _needed(
    file: File, operation: OperationDefinitionNode, fragments: Mapping[str, Sequence[Fragment]]
) -> list[Fragment]:
    """The fragments that an operation spreads, at once or through others."""
    found: dict[str, Fragment] = {}
    waiting: list[tuple[File, DefinitionNode]] = [(file, operation)]
    while waiting:
        inside, definition = waiting.pop()
        spreads = _Spreads()
        visit(definition, spreads)
        for name in spreads.names:
            if name in fragments and name not in found:
                found[name] = _choose(inside, name, fragments[name])
                waiting.append((found[name].file, found[name].node))
    return list(found.values())


def _choose(file: File, name: str, candidates: Sequence[Fragment]) -> Fragment:
    """The file's own, or else the only one there is."""
    own = [it for it in candidates if it.file is file]
    chosen = own or candidates
    if len({it.text for it in chosen}) > 1:
        places = " and ".join(str(it.file.path) for it in chosen)
        raise BadInput(f"The fragment {name}, which {file.path} spreads, is not the same in {places}.")
    return chosen[0]


class _Spreads(Visitor):
    """Finds the names of the fragments that a definition spreads itself."""

    def __init__(self) -> None:
        super().__init__()
        self.names: dict[str, None] = {}

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: object) -> None:
        """Note one."""
        self.names[node.name.value] = None
