"""Who opens what is sealed, what the service opens for itself, and what lies open although its label asks otherwise."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from beanie import Document
from pydantic import BaseModel

from models.activity import DeviceDocument, IpLogDocument
from models.base import COMPARED, KEYED_CODES, SORTED, PersonalDocument
from models.factor import FactorDocument, FactorRemovalDocument
from models.fields import clear_reason, label_of
from models.labels import LABELS, Protection
from models.registry import DOCUMENTS
from models.sealed import sealed_fields, sealed_type
from models.session import SessionDocument
from models.ticket import TicketDocument
from models.user import UserDocument
from models.uses import USES, Use

ROOT: Final = Path(__file__).parents[2]
SOURCES: Final = sorted(
    path.relative_to(ROOT) for package in ("auth", "graph", "models") for path in (ROOT / package).rglob("*.py")
)

# What opens rows, and what those that can are called where they are held.
ROWS: Final = frozenset({"open_rows", "open_slowly"})
HOLDERS: Final = frozenset({"sealing", "sealer", "_sealer"})

OPENERS: Final = {
    Path("models/reader.py"),  # under a grant
    Path("models/database/sealed.py"),  # `opened`: for a use that `USES` names
    Path("models/rotation/index.py"),  # what codes are made of anew
}
"""Who may ask that rows be opened."""

CIPHERS: Final = {
    Path("models/crypto/envelope.py"),  # where it is
    Path("models/sealing/opening.py"),  # for those above
    Path("models/rotation/data.py"),  # from one version of a key to the next
}
"""Who may open a single value."""


def calls(source: str) -> Iterator[tuple[str, str]]:
    """Each call of a method or function: what it is called on (its last word), and its name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            yield last_word(node.value), node.attr
        elif isinstance(node, ast.Name):
            yield "", node.id


def last_word(node: ast.expr) -> str:
    """The last word of `name` or `module.name`, else nothing."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def is_opening(names: Iterable[tuple[str, str]]) -> bool:
    """Whether rows are opened by whoever seals, or by the function that does it."""
    return any((name == "open" and holder in HOLDERS) or name in ROWS for holder, name in names)


@cache
def names_in(path: Path) -> frozenset[tuple[str, str]]:
    """What `calls` finds in a file."""
    return frozenset(calls((ROOT / path).read_text()))


def users(*names: str) -> set[Path]:
    """The files that use one of these names."""
    return {path for path in SOURCES if any(name in names for _, name in names_in(path))}


def test_only_three_modules_open_rows() -> None:
    """The reader, under a grant; the database, for the uses below; the rotation of the indexes."""
    inside = {path for path in SOURCES if path.parts[:2] == ("models", "sealing")}
    assert {path for path in SOURCES if is_opening(names_in(path))} - inside == OPENERS


def test_only_named_modules_open_values() -> None:
    """Nobody else has a key in hand."""
    assert users("open_at") == CIPHERS


def test_only_the_encoding_takes_values_out() -> None:
    """A value that waits to be sealed comes out on its way into the database, and nowhere else."""
    assert users("value_to_seal") == {Path("models/database/encoding.py")}
    within = {path for path in users("_held") if "models.encrypted" in (ROOT / path).read_text()}
    assert within == set()


def test_only_what_seals_has_peoples_keys() -> None:
    """Where they are made, where values are sealed and opened, and where keys are replaced."""
    assert {path.parts[:2] for path in users("DataKeys")} == {
        ("models", part) for part in ("crypto", "sealing", "keystore", "rotation")
    }


@pytest.mark.parametrize(
    "source",
    [
        "await self._database.sealing.open(document, rows, paths)",
        "opener = database.sealing.open",
        "from models.sealing import opening\nopening.open_rows(plan)",
        "from models.sealing.opening import open_slowly as slowly\nopen_slowly(plan)",
        "sealer.open(document, [row], [path])",
    ],
)
def test_a_way_around_would_be_seen(source: str) -> None:
    """Each of these opens rows."""
    assert is_opening(calls(source))


def test_other_things_are_opened_by_anybody() -> None:
    """Files, for instance."""
    assert not is_opening(calls("open('a'), path.open('rb'), os.open('a', 0), services.break_glass.open(who)"))


def test_what_the_service_opens_for_itself() -> None:
    """Written out once more: a new use is a decision. Everything else that is sealed opens under a grant only."""
    assert {use: dict(documents) for use, documents in USES.items()} == {
        Use.PASSWORD: {UserDocument: ("password_hash",)},
        Use.SCREENING: {UserDocument: ("email", "full_name")},
        Use.MAIL: {UserDocument: ("email",), TicketDocument: ("email",)},
        Use.SECOND_FACTOR: {FactorDocument: ("secret",)},
        Use.IMPORT: {UserDocument: ("email", "import_key")},
        Use.OPERATOR: {FactorDocument: ("name",), FactorRemovalDocument: ("reason",)},
    }
    assert set(USES) == set(Use)


def test_a_use_opens_sealed_fields() -> None:
    """Each path is one that is sealed: a misspelt one would open nothing."""
    for documents in USES.values():
        for document, paths in documents.items():
            assert set(paths) <= set(sealed_fields(document))


def test_uses_are_read_and_not_changed() -> None:
    """The table is what it was declared to be, for as long as the process runs."""
    with pytest.raises(TypeError):
        USES[Use.MAIL] = {}  # type: ignore[index]  # the point


def personal() -> list[type[PersonalDocument]]:
    """Every document class that holds personal data."""
    return [document for document in DOCUMENTS if issubclass(document, PersonalDocument)]


def lies_open(document: type[BaseModel]) -> dict[str, str]:
    """The fields of labels that ask for encryption, and that are not sealed, with the reason given."""
    return {
        name: clear_reason(field) or "no reason"
        for name, field in document.model_fields.items()
        if (label := label_of(field)) is not None and LABELS[label].encrypted and sealed_type(field.annotation) is None
    }


def test_what_lies_open_although_its_label_asks_for_encryption() -> None:
    """Written out once more, each with its reason: another exception is a decision."""
    assert {document: found for document in personal() if (found := lies_open(document))} == {
        UserDocument: {"email_index": KEYED_CODES, "phone_index": KEYED_CODES, "password_short": COMPARED},
        DeviceDocument: {"first_seen_at": SORTED, "last_seen_at": SORTED},
        IpLogDocument: {"at": SORTED},
        SessionDocument: {"created_at": SORTED, "last_used_at": SORTED, "expires_at": SORTED},
        FactorDocument: {"kind": COMPARED, "confirmed": COMPARED, "created_at": SORTED, "last_used_at": COMPARED},
        FactorRemovalDocument: {"factors": COMPARED, "kinds": COMPARED, "at": SORTED},
        TicketDocument: {"created_at": SORTED, "expires_at": SORTED},
    }


def test_the_labels_that_ask_for_encryption() -> None:
    """Those of the contract's table, written out once more."""
    assert {label.value for label, spec in LABELS.items() if spec.encrypted} == {
        "user.contact",
        "user.contact.email",
        "user.contact.phone_number",
        "user.contact.address",
        "user.name",
        "user.name.first",
        "user.name.last",
        "user.demographic.date_of_birth",
        "user.location",
        "user.location.precise",
        "user.device",
        "user.device.device_id",
        "user.device.ip_address",
        "user.content",
        "user.authorization.password",
    }


def test_who_is_looked_up_by_what() -> None:
    """Searchable labels have a blind index on the person, and so has the key of an import; nothing else has one."""
    searchable = {label for label, spec in LABELS.items() if spec.protection is Protection.SEARCHABLE}
    indexed = {path for path, field in sealed_fields(UserDocument).items() if field.label in searchable}
    assert set(UserDocument.LOOKED_UP) == indexed | {"import_key"}
    others: list[type[Document]] = [document for document in personal() if document.LOOKED_UP]
    assert others == [UserDocument]
