"""Asking in the workbench's editor, and what it shows of the answer."""

from __future__ import annotations

import json

from tests.browser.chromium import Page


def write(page: Page, query: str) -> None:
    """Replace what is in the editor."""
    page.click(".graphiql-query-editor .monaco-editor")
    page.press("a", control=True)
    page.press("Delete")
    page.type(query)


def run(page: Page, query: str) -> str:
    """Ask with the keyboard; what is said under the result."""
    before = page.evaluate(
        "document.querySelector('.explanation').textContent + document.querySelector('.result-window').textContent"
    )
    write(page, query)
    page.press("Enter", control=True)
    page.wait(
        "(() => { const said = document.querySelector('.explanation').textContent;"
        f"return said && said + document.querySelector('.result-window').textContent !== {json.dumps(before)}; }})()",
        what="an explained result",
    )
    return said(page)


def said(page: Page) -> str:
    """What is said under the result."""
    return str(page.evaluate("document.querySelector('.explanation').innerText"))


def result(page: Page) -> str:
    """What is in the result window, without the editor's spaces."""
    return str(page.evaluate("document.querySelector('.result-window').textContent")).replace("\xa0", " ")
