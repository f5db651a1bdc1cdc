"""The page for links in mails: what is served, under which headers, and what is not."""

from __future__ import annotations

import re

import httpx
import pytest
from starlette.applications import Starlette

from graph.pages.account import AccountPage

PAGE = AccountPage.read(base="/account", api="/graphql")


@pytest.fixture
def browser() -> httpx.AsyncClient:
    """A browser of sorts."""
    app = Starlette(routes=PAGE.routes())
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.example")


async def test_the_page_names_its_files_and_holds_no_script_or_style(browser: httpx.AsyncClient) -> None:
    """Everything is a file of this host, under a name that changes with its content."""
    page = await browser.get("/account")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    named = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    assert [re.sub(r"[0-9a-f]{16}", "#", name) for name in named] == [
        "data:,",
        "/account/account.#.css",
        "/account/account.#.js",
    ]
    assert re.search(r"<style|style=|\son\w+=|<script[^>]*>[^<]", page.text) is None
    assert 'data-api="/graphql"' in page.text
    assert "{" not in page.text
    for name in named[1:]:
        file = await browser.get(name)
        assert file.status_code == 200
        assert "immutable" in file.headers["cache-control"]
        assert file.headers["x-content-type-options"] == "nosniff"


async def test_the_page_may_load_and_be_framed_by_nothing_else(browser: httpx.AsyncClient) -> None:
    """It is not kept, tells nobody where it was, and no text in it becomes markup."""
    headers = (await browser.get("/account")).headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        **dict.fromkeys(("script-src", "style-src", "connect-src"), "'self'"),
        "img-src": "data:",
        **dict.fromkeys(("base-uri", "form-action", "frame-ancestors", "trusted-types"), "'none'"),
        "require-trusted-types-for": "'script'",
    }
    assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "no-referrer")


@pytest.mark.parametrize("name", ["account.html", "account.py", "../account.py", "%2e%2e/account.py", "x", ""])
async def test_nothing_else_can_be_asked_for(name: str, browser: httpx.AsyncClient) -> None:
    """Neither beside it nor above it."""
    assert (await browser.get(f"/account/{name}")).status_code in (307, 404)


async def test_it_only_answers(browser: httpx.AsyncClient) -> None:
    """A form that was sent without its script goes nowhere."""
    assert (await browser.post("/account")).status_code == 405
