"""`fieldward explain` as a client team's CI runs it: no server, no database, and an exit code that tells."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from graph.cli import main

ALLOWED = "query People @purpose(is: SUPPORT) { users { nodes { id email } } }"
DENIED = "query Born @purpose(is: SUPPORT) {\n  users { nodes {\n    birthDate } } }"
Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Write files, run the command on their folder with some options, give its exit code."""
    monkeypatch.chdir(tmp_path)

    def invoke(*options: str, **files: str) -> int:
        for name, text in files.items():
            Path(f"{name}.graphql").write_text(text)
        monkeypatch.setattr(sys, "argv", ["fieldward", "explain", *options])
        with pytest.raises(SystemExit) as stopped:
            main()
        assert isinstance(stopped.value.code, int | None)
        return stopped.value.code or 0

    return invoke


def test_all_allowed_is_0(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """And says so, operation by operation."""
    assert run(".", "--role", "SUPPORT", one=ALLOWED) == 0
    assert capsys.readouterr().out.splitlines()[0] == "one.graphql:1: People: ALLOWED for SUPPORT"


def test_something_denied_is_2(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Each denial with its place, reason and remedy."""
    assert run(".", "--role", "SUPPORT", one=ALLOWED, two=DENIED) == 2
    said = capsys.readouterr().out
    assert "two.graphql:3:5: User.birthDate (READ): PURPOSE" in said
    assert "It is read by the person themself for ACCOUNT." in said
    assert "2 checked: 1 allowed, 1 refused" in said


def test_what_asks_for_step_up_is_said(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """It is allowed to those who have done it, as they must in production."""
    assert run(".", "--role", "PRIVACY", one=ALLOWED.replace("SUPPORT", "LEGAL")) == 0
    said = capsys.readouterr().out
    assert "People: ALLOWED for LEGAL\n  User.email asks for step-up: a proof of who you are" in said


def test_nulls_are_denials(run: Run) -> None:
    """An operation that runs with nulls is not what the team wrote it for."""
    assert run(".", "--role", "SUPPORT", one=DENIED.replace("SUPPORT)", "SUPPORT, onDenied: NULL)")) == 2


@pytest.mark.parametrize(
    ("options", "files"),
    [
        ((".",), {"one": "query {"}),
        ((".",), {"one": "{ me { nope } }"}),
        ((".", "--role", "SUPPORT"), {"one": DENIED, "two": "query {"}),
        (("missing.graphql",), {}),
        ((".",), {}),
        ((".",), {"one": "fragment Card on User { id }"}),
        ((".", "--role", "BOSS"), {"one": ALLOWED}),
        ((".", "--purpose", "FUN"), {"one": ALLOWED}),
        ((".", "--scope", "email"), {"one": ALLOWED}),
        ((".", "--scope", "user.name:read", "--role", "SUPPORT"), {"one": ALLOWED}),
        ((".", "--format", "xml"), {"one": ALLOWED}),
        ((".", "--rol", "SUPPORT"), {"one": ALLOWED}),
        ((), {"one": ALLOWED}),
    ],
    ids=str,
)
def test_an_error_is_1(run: Run, options: tuple[str, ...], files: dict[str, str]) -> None:
    """Also beside a denial, and for a mistake on the command line: 2 always means that something is denied."""
    assert run(*options, **files) == 1


def test_a_service_is_asked_about_by_its_scopes(run: Run) -> None:
    """As far as they reach, for the purpose given."""
    text = "{ users { nodes { fullName } } }"
    assert run(".", "--scope", "user.name:read", "--purpose", "SUPPORT", one=text) == 0
    assert run(".", "--scope", "user.contact:read", "--purpose", "SUPPORT", one=text) == 2
    assert run(".", "--scope", "user.name:read", "--purpose", "ANALYTICS", one=text) == 2


def test_without_a_role_a_person_is_asked_about(run: Run) -> None:
    """Who reads their own data under ACCOUNT; a purpose that they do not hold is denied."""
    assert run(".", "--purpose", "ACCOUNT", one="{ me { email } }") == 0
    assert run(".", "--purpose", "SUPPORT", one="{ me { email } }") == 2


@pytest.mark.parametrize(
    ("role", "code"), [("SUPPORT", 0), ("SECURITY", 0), ("PRIVACY", 0), ("ANALYST", 2), ("ADMIN", 2)]
)
def test_an_emergency_is_for_those_who_may_break_the_glass(run: Run, role: str, code: int) -> None:
    """They are taken to have done it."""
    text = 'query One @purpose(is: EMERGENCY) { user(by: {id: "x"}) { email } }'
    assert run(".", "--role", role, "--purpose", "EMERGENCY", one=text) == code


def test_an_emergency_opens_no_list(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """It says so where the list is asked for, and nothing of the fields, which are readable."""
    text = "{\n  users { nodes { id email } } }"
    assert run(".", "--role", "SUPPORT", "--purpose", "EMERGENCY", one=text) == 2
    assert capsys.readouterr().out.splitlines() == [
        "one.graphql:1: the operation: REFUSED for EMERGENCY",
        "  one.graphql:2:3: Query.users (READ): PURPOSE, EMERGENCY opens one named person at a time: use user or node.",
        "      Name one person, with `user` or `node`.",
        "1 checked: 1 refused",
    ]


def test_the_size_of_a_page_is_that_of_the_server(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """100 unless `FIELDWARD_MAX_PAGE` says otherwise; no other setting is looked at, even a wrong one."""
    text = "query @purpose(is: SUPPORT) { users(first: 150) { nodes { id } } }"
    monkeypatch.setenv("FIELDWARD_ENV", "production")
    monkeypatch.setenv("FIELDWARD_PORT", "none")
    assert run(".", "--role", "SUPPORT", one=text) == 1
    monkeypatch.setenv("FIELDWARD_MAX_PAGE", "150")
    assert run(".", "--role", "SUPPORT", one=text) == 0
    for wrong in ("0", "1001", "many"):
        monkeypatch.setenv("FIELDWARD_MAX_PAGE", wrong)
        assert run(".", "--role", "SUPPORT", one=text) == 1
        assert "FIELDWARD_MAX_PAGE must be a whole number from 1 to 1000." in capsys.readouterr().err


def test_json_is_for_programs(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """The same report, with the names that explainAccess has and the places in the files."""
    shared = "fragment Card on User {\n  birthDate }"
    text = "query Born { users { nodes { ...Card } } }"
    assert run(".", "--role", "SUPPORT", "--purpose", "SUPPORT", "--format", "json", one=text, shared=shared) == 2
    report = json.loads(capsys.readouterr().out)
    assert (report["exitCode"], report["counts"]["refused"]) == (2, 1)
    operation = report["operations"][0]
    assert (operation["file"], operation["operation"], operation["purposeFrom"]) == ("one.graphql", "Born", "HEADER")
    entry = next(it for it in operation["entries"] if it["coordinate"] == "User.birthDate")
    assert (entry["file"], entry["line"], entry["others"]["reason"]) == ("shared.graphql", 2, "PURPOSE")


def test_it_runs_by_itself(tmp_path: Path) -> None:
    """The real command, with nothing of the environment: no setting, server or database is needed."""
    (tmp_path / "one.graphql").write_text(DENIED)
    command = [str(Path(sys.executable).with_name("fieldward")), "explain", "one.graphql", "--role", "SUPPORT"]
    done = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "User.birthDate" in done.stdout
    assert list(tmp_path.iterdir()) == [tmp_path / "one.graphql"]
