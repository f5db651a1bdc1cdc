"""Only the policy makes grants, and what decides touches nothing but its arguments."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("auth", "graph", "models")
THE_MAKER: Final = Path("auth/policy.py")
SOURCES: Final = sorted(path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

DECIDING: Final = ("auth.policy", "auth.rules", "auth.purposes", "auth.principal")
# Everything that what decides may import besides this project's own modules; none of it does I/O. `datetime` is
# for types: the calls below that read the clock stay out.
PURE: Final = frozenset(
    {"__future__", "collections.abc", "dataclasses", "datetime", "enum", "functools", "hashlib", "types", "typing"}
)
IMPURE_CALLS: Final = frozenset(
    {"open", "print", "input", "exec", "eval", "compile", "__import__", "now", "utcnow", "today", "time", "sleep"}
)


def made_grants(source: str) -> Iterator[int]:
    """The lines that make a `Grant`: by its name, an alias, its module, `replace`, `__new__` or a subclass."""
    tree = ast.parse(source)
    names = {"Grant"} | {
        alias.asname
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name == "Grant" and alias.asname
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            copied = node.args[:1] if named(node.func) in {"replace", "__new__"} else []
            if named(node.func) in names or any(named(argument) in {*names, "grant"} for argument in copied):
                yield node.lineno
        elif isinstance(node, ast.ClassDef) and any(named(base) in names for base in node.bases):
            yield node.lineno


def named(node: ast.expr) -> str:
    """The last word of `name` or `module.name`, else nothing."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def impurities(source: str) -> Iterator[str]:
    """What a source imports or calls that could reach outside of its arguments."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if not allowed(alias.name))
        elif isinstance(node, ast.ImportFrom):
            module = node.module or "."
            if node.level or not allowed(module):
                yield module
        elif isinstance(node, ast.Call) and (name := named(node.func)) in IMPURE_CALLS:
            yield f"{name}()"


def allowed(module: str) -> bool:
    """Whether a module is pure, or one of this project's own (which is looked at in its turn)."""
    return module in PURE or module.partition(".")[0] in PACKAGES


def reached_from(modules: tuple[str, ...]) -> dict[str, str]:
    """The sources of `modules` and of all modules of this project that they import, by name."""
    found: dict[str, str] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        path = ROOT / Path(*name.split("."))
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if name in found or not file.exists():
            continue
        found[name] = file.read_text("utf-8")
        for node in ast.walk(ast.parse(found[name])):
            if isinstance(node, ast.ImportFrom) and (module := node.module or "").partition(".")[0] in PACKAGES:
                parts = module.split(".")
                waiting += [".".join(parts[: n + 1]) for n in range(len(parts))]
                waiting += [f"{module}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Import):
                waiting += [alias.name for alias in node.names if alias.name.partition(".")[0] in PACKAGES]
    return found


@pytest.mark.parametrize("path", [path for path in SOURCES if path != THE_MAKER], ids=str)
def test_only_the_policy_makes_grants(path: Path) -> None:
    """There is no way to personal data around the policy."""
    assert list(made_grants((ROOT / path).read_text("utf-8"))) == []


def test_the_policy_makes_grants_in_one_place() -> None:
    """The one that every grant comes from; were it elsewhere, the test above would look past it."""
    assert len(list(made_grants((ROOT / THE_MAKER).read_text("utf-8")))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "from models.grant import Grant\ngrant = Grant(purpose, '1', {}, {})",
        "from models.grant import Grant as Permission\nPermission(purpose, '1', {}, {})",
        "import models.grant\nmodels.grant.Grant(purpose, '1', {}, {})",
        "from models import grant\ngrant.Grant(purpose, '1', {}, {})",
        "from dataclasses import replace\nreplace(grant, decisions={})",
        "import dataclasses\ndataclasses.replace(self.grant, decisions={})",
        "object.__new__(Grant)",
        "class Wider(Grant):\n    pass",
    ],
)
def test_a_made_grant_is_seen(source: str) -> None:
    """Each way to make one is found by the walk above."""
    assert list(made_grants(source))


@pytest.mark.parametrize(
    "source",
    [
        "grant = policy.grant(shape, purpose, claims)",
        "RoleGrant(role=role)",
        "def read(grant: Grant) -> None: ...",
        "isinstance(grant, Grant)",
        "replace(principal, problem='expired')",
    ],
)
def test_a_used_grant_is_not_a_made_one(source: str) -> None:
    """Asking the policy, passing a grant on and other things of a similar name are fine."""
    assert list(made_grants(source)) == []


@pytest.mark.parametrize("module", sorted(reached_from(DECIDING)))
def test_what_decides_does_no_io(module: str) -> None:
    """Nor does anything of this project that it imports; no files, no network, no clock."""
    assert list(impurities(reached_from(DECIDING)[module])) == []


def test_what_decides_is_looked_at_to_the_end() -> None:
    """The walk reaches the modules below."""
    assert {*DECIDING, "auth", "models", "models.vocabulary", "models.grant"} <= set(reached_from(DECIDING))


@pytest.mark.parametrize(
    "source",
    [
        "import os",
        "import os.path",
        "import socket",
        "from pathlib import Path",
        "from asyncio import sleep",
        "import httpx",
        "from time import monotonic",
        "from . import clock",
        "from datetime import datetime\ndatetime.now()",
        "import datetime\ndatetime.datetime.utcnow()",
        "from datetime import date\ndate.today()",
        "open('rules.yaml')",
        "__import__('os')",
    ],
)
def test_impure_sources_are_seen(source: str) -> None:
    """Each of these would be found by the walk above."""
    assert list(impurities(source))
