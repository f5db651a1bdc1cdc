"""The workbench's page and files: what is served, under which headers, and what is not."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Final

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount

from graph.pages.plain import plain_page
from graph.pages.workbench import DemoSignIns, Workbench

SCRIPT: Final = b"export const x = 1;"
FILES: Final = {"main-AB12.js": SCRIPT, "main-CD34.css": b"body {}", "icon-EF56.svg": b"<svg/>"}
DEMO: Final = DemoSignIns(("subject", "</script>'\""), "a & b")


def build(folder: Path, **named: str) -> Path:
    """A folder as the build leaves it."""
    for name, content in FILES.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(content))
    script, style, icon = FILES
    manifest = {"script": script, "style": style, "icon": icon, "files": list(FILES)} | named
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "secret.txt").write_text("not listed")
    return folder


def read(folder: Path, demo: DemoSignIns | None = None) -> Workbench:
    """What was built, as the service reads it."""
    found = Workbench.read(folder, base="/graphql/assets", demo=demo)
    assert found is not None
    return found


def client(workbench: Workbench | None) -> httpx.AsyncClient:
    """A browser of sorts."""
    page = plain_page if workbench is None else workbench.page
    routes = [] if workbench is None else [workbench.route("/graphql/assets")]
    app = Starlette(routes=[*routes, Mount("/", app=page)])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.example")


async def test_the_page_names_its_files_and_holds_no_script(tmp_path: Path) -> None:
    """Everything that runs is a file of this host."""
    async with client(read(build(tmp_path))) as browser:
        page = await browser.get("/graphql")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert re.findall(r'(?:src|href)="([^"]*)"', page.text) == [
        "/graphql/assets/icon-EF56.svg",
        "/graphql/assets/main-CD34.css",
        "/graphql/assets/main-AB12.js",
    ]
    assert re.findall(r"<script[^>]*>([^<]*)", page.text) == [""]


@pytest.mark.parametrize("built", [True, False])
async def test_the_page_is_locked_down(tmp_path: Path, built: bool) -> None:
    """No script of elsewhere, none inline, no frame around it, nothing told to other hosts."""
    async with client(read(build(tmp_path)) if built else None) as browser:
        headers = (await browser.get("/graphql")).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy.get("script-src", "'self'") == policy.get("connect-src", "'self'") == "'self'"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


async def test_files_are_kept_for_ever(tmp_path: Path) -> None:
    """Their names change with their content."""
    async with client(read(build(tmp_path))) as browser:
        answer = await browser.get("/graphql/assets/main-AB12.js")
    assert (answer.status_code, answer.content) == (200, SCRIPT)
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "script-src 'self'" in answer.headers["content-security-policy"]  # a worker's own policy


async def test_a_client_without_gzip_gets_the_file_itself(tmp_path: Path) -> None:
    """Not every one can."""
    async with client(read(build(tmp_path))) as browser:
        answer = await browser.get("/graphql/assets/main-AB12.js", headers={"accept-encoding": "identity"})
    assert answer.content == SCRIPT
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("name", ["manifest.json", "secret.txt", "main-AB12.js.gz", "..", "../workbench.py", "%2e%2e"])
async def test_only_what_was_built_is_served(tmp_path: Path, name: str) -> None:
    """Nothing else in the folder, nor beside it."""
    scope = {"type": "http", "method": "GET", "path_params": {"name": name}, "headers": []}
    answer: Response = await read(build(tmp_path)).asset(Request(scope))
    assert (answer.status_code, answer.body) == (404, b"")


async def test_demo_sign_ins_are_on_the_page_when_given(tmp_path: Path) -> None:
    """As data: an attribute that cannot be left by what it holds."""
    async with client(read(build(tmp_path), DEMO)) as browser:
        page = (await browser.get("/")).text
    attribute = re.search(r'<div id="workbench" data-demo="([^"]*)"></div>', page)
    assert attribute is not None
    assert not set("<>'") & set(attribute[1])
    assert "data-demo" not in read(build(tmp_path)).page_bytes.decode()


@pytest.mark.parametrize("missing", ["manifest.json", "main-AB12.js.gz"])
def test_a_build_that_is_not_whole_does_not_count(tmp_path: Path, missing: str) -> None:
    """The plain page is better than a broken one."""
    (build(tmp_path) / missing).unlink()
    assert Workbench.read(tmp_path, base="/graphql/assets", demo=None) is None


def test_a_manifest_that_names_an_unknown_file_does_not_count(tmp_path: Path) -> None:
    """The same."""
    build(tmp_path, script="other.js")
    assert Workbench.read(tmp_path, base="/graphql/assets", demo=None) is None


async def test_without_a_build_the_page_says_how_to_make_one() -> None:
    """In one sentence."""
    async with client(None) as browser:
        page = (await browser.get("/graphql", headers={"accept": "text/html"})).text
    assert "GraphiQL is not here because its files are not built: run <code>make workbench</code>" in page
