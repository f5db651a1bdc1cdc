"""`fieldward factors` as an operator uses it."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import TypeVar

import pytest
import typer
from typer.testing import CliRunner, Result

from graph.cli import build
from graph.commands.opening import with_database
from graph.settings import load_settings
from models.database import Database
from models.encrypted import Unsealed
from models.errors import BadInput
from models.factor import FactorDocument, FactorRemovalDocument
from models.session import RevocationDocument, SessionDocument
from models.user import UserDocument
from models.vocabulary import FactorKind
from tests.stores import clear_row

T = TypeVar("T")
Run = Callable[..., Result]
WHY = ("--reason", "Has lost the phone; seen with passport at the desk")
ALICE, BOB = "usr_eu_01m0stgb9pbc0kw5x7y2x8qjxa", "usr_eu_01m0stgb9pbc0kw5x7y2x8qjxb"
PHONE, KEY, CODES = (f"fac_eu_01m0stgb9pbc0kw5x7y2x8qjx{sign}" for sign in "cde")
DAYS = [datetime(2026, 3, day, 8, 30, tzinfo=UTC) for day in (1, 2, 3)]
LATER = datetime(2099, 1, 1, tzinfo=UTC)
SECRETS = (b"totp-secret-qx", b"credential-qx", b"public-key-qx", b"code-hash-qx")


@pytest.fixture
def run(for_commands: None) -> Run:
    """Run a subcommand on a database with two people: `Alice` has an app, a passkey and recovery codes."""
    app: typer.Typer = build()
    on_database(make_people)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["factors", *arguments])

    return invoke


def on_database(work: Callable[[Database], Awaitable[T]]) -> T:
    """Do something on the database of the settings, as the commands do."""
    return with_database(load_settings(os.environ), lambda _line: None, work)


async def make_people(database: Database) -> None:
    """Both with a session."""
    for identifier, name in ((ALICE, "Alice"), (BOB, "bob")):
        email = f"{name.casefold()}@people.example"
        kinds = [FactorKind.PASSKEY, FactorKind.TOTP] if identifier == ALICE else None
        user = UserDocument(
            id=identifier,
            username=name,
            username_key=name.casefold(),
            email=email,
            password_hash="hash",
            factor_kinds=kinds,
        )
        await database.insert(user)
        session = SessionDocument(
            id=f"ses_{name}", person=identifier, refresh_hash="h", refresh_seed=b"s", expires_at=LATER
        )
        await database.insert(session)
    totp, credential, public, hashed = SECRETS
    common = {"person": ALICE, "confirmed": True}
    app = FactorDocument(
        id=PHONE, kind=FactorKind.TOTP, secret=Unsealed(totp), created_at=DAYS[0], name="Phone", **common
    )
    app.last_used_at = DAYS[2]
    await database.insert(app)
    key = FactorDocument(
        id=KEY, kind=FactorKind.PASSKEY, credential_id=credential, public_key=public, created_at=DAYS[1], **common
    )
    await database.insert(key)
    codes = FactorDocument(id=CODES, kind=FactorKind.RECOVERY_CODE, code_hashes=[hashed], created_at=DAYS[2], **common)
    await database.insert(codes)
    begun = FactorDocument(
        id="fac_begun", kind=FactorKind.TOTP, secret=Unsealed(totp), person=ALICE, created_at=DAYS[2]
    )
    await database.insert(begun)


def factors() -> set[str]:
    """The ids of all factors that are stored."""

    async def find(database: Database) -> set[str]:
        return {row["_id"] for row in await database.find(FactorDocument, {})}

    return on_database(find)


def account(person: str = ALICE) -> dict[str, object]:
    """What is stored of a person, opened."""
    return on_database(lambda database: clear_row(database, UserDocument, {"_id": person}))


@pytest.mark.parametrize("name", ["Alice", "ALICE", "alice@people.example", ALICE])
def test_factors_are_listed_without_secrets(run: Run, name: str) -> None:
    """By each name of the person; what was never confirmed is none."""
    listed = run("list", name)
    assert (listed.exit_code, listed.stdout.splitlines()) == (
        0,
        [
            ALICE,
            f"  {PHONE}",
            "    TOTP, Phone, created 2026-03-01 08:30 UTC, last used 2026-03-03 08:30 UTC",
            f"  {KEY}",
            "    PASSKEY, created 2026-03-02 08:30 UTC, last used never",
            f"  {CODES}",
            "    RECOVERY_CODE, created 2026-03-03 08:30 UTC, last used never",
        ],
    )


def test_who_has_none_is_told_so(run: Run) -> None:
    """With exit code 0."""
    listed = run("list", "bob")
    assert (listed.exit_code, listed.stdout) == (0, f"{BOB}\n  This person has no second factor.\n")


def test_one_factor_is_removed(run: Run) -> None:
    """The others stay, and so does what the account says of them."""
    removed = run("remove", "alice", PHONE, *WHY)
    assert removed.exit_code == 0
    assert removed.stdout == f"Removed of {ALICE}:\n  {PHONE} TOTP\nAll their sessions have ended.\n"
    assert factors() == {KEY, CODES, "fac_begun"}
    assert (account()["factor_kinds"], account()["password_hash"]) == (["PASSKEY"], "hash")


def test_the_last_factor_takes_the_codes_with_it(run: Run) -> None:
    """Named in the confirmation."""
    run("remove", "alice", PHONE, *WHY)
    removed = run("remove", "alice", KEY, *WHY)
    assert removed.stdout.splitlines()[1:3] == [f"  {KEY} PASSKEY", f"  {CODES} RECOVERY_CODE"]
    assert "factor_kinds" not in account()
    assert factors() == {"fac_begun"}


def test_all_are_removed_with_what_was_begun(run: Run) -> None:
    """And nothing of somebody else."""
    removed = run("remove", ALICE, "--all", *WHY)
    assert [line.split()[0] for line in removed.stdout.splitlines()[1:4]] == [PHONE, KEY, CODES]
    assert factors() == set()
    assert ("factor_kinds" in account(), account()["password_hash"]) == (False, "hash")


def test_all_sessions_end(run: Run) -> None:
    """Those of this person, with their tokens in every worker."""
    run("remove", "alice", PHONE, *WHY)

    async def find(database: Database) -> tuple[set[str], set[str]]:
        sessions = {row["person"] for row in await database.find(SessionDocument, {})}
        return sessions, {row["_id"] for row in await database.find(RevocationDocument, {})}

    assert on_database(find) == ({BOB}, {ALICE})


def test_the_person_is_told(run: Run, tmp_path: Path) -> None:
    """Who did it, without the reason: that is for operators."""
    run("remove", "alice", "--all", *WHY)
    [mail] = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in tmp_path.rglob("*.eml")]
    assert (mail["To"], mail["Subject"]) == (
        "alice@people.example",
        "A second factor was removed from your account",
    )
    assert "Removed by: an operator of this service" in mail.get_content()
    assert "passport" not in mail.get_content()


def test_the_reason_is_kept(run: Run) -> None:
    """And listed."""
    run("remove", "alice", "--all", *WHY)
    lines = run("list", "alice").stdout.splitlines()
    assert lines[1] == "  This person has no second factor."
    assert lines[2].startswith("  removed 20")
    assert " ".join(line.strip() for line in lines[3:]) == f"TOTP, PASSKEY, RECOVERY_CODE: {WHY[1]}"

    async def find(database: Database) -> list[str]:
        [row] = await database.find(FactorRemovalDocument, {})
        return list(row["factors"])

    assert on_database(find) == [PHONE, KEY, CODES]


def test_a_password_that_was_too_short_alone_goes_too(run: Run, tmp_path: Path) -> None:
    """With the last factor only; a link by mail gives a new one."""

    async def shorten(database: Database) -> None:
        await database.update_one(UserDocument, {"_id": ALICE}, {"$set": {"password_short": True}})

    on_database(shorten)
    assert "too short" not in run("remove", "alice", PHONE, *WHY).stdout
    assert account()["password_hash"] == "hash"
    assert "Their password was too short to be alone" in run("remove", "alice", KEY, *WHY).stdout
    assert not {"password_hash", "password_short", "factor_kinds"} & account().keys()
    texts = [path.read_text() for path in sorted(tmp_path.rglob("*.eml"))]
    assert ["Password: ended" in text for text in texts] == [False, True]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("list", "carol"), "There is no such person."),
        (("remove", "carol", "--all", *WHY), "There is no such person."),
        (("remove", "bob", "--all", *WHY), "This person has no second factor."),
        (("remove", "bob", PHONE, *WHY), "This person has no such factor."),
        (("remove", "alice", "fac_begun", *WHY), "This person has no such factor."),
        (("remove", "alice", *WHY), "Name one factor, or say --all."),
        (("remove", "alice", PHONE, "--all", *WHY), "Name one factor, or say --all."),
        (("remove", "alice", PHONE, "--reason", "because"), "The reason must be text of 10 to 500 characters."),
    ],
)
def test_what_is_wrong_is_an_error_to_show(run: Run, arguments: tuple[str, ...], expected: str) -> None:
    """Said in one line by the command's entry point, which exits with 1; nothing has changed."""
    result = run(*arguments)
    assert result.exit_code == 1
    assert isinstance(result.exception, BadInput)
    assert result.exception.message == expected
    assert factors() == {PHONE, KEY, CODES, "fac_begun"}


def test_a_reason_is_asked_for(run: Run) -> None:
    """Typer says so, with exit code 2; nothing is asked at the terminal."""
    assert run("remove", "alice", PHONE).exit_code == 2
    assert factors() == {PHONE, KEY, CODES, "fac_begun"}
