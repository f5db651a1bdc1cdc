"""GraphiQL as people use it: they sign in, choose what for, ask, and are told why not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.browser.chromium import Page, browser
from tests.browser.editor import result, run, said, write

pytestmark = pytest.mark.slow

PASSWORD: Final = "fieldward-demo-password"
EMAILS: Final = "{ users(first: 3) { nodes { username email } } }"
BIRTHDAYS: Final = "query Birthdays { users(first: 3) { nodes { username birthDate } } }"
MY_BIRTHDAY: Final = "{ me { birthDate } }"


def sign_in(page: Page, name: str) -> None:
    """By keyboard alone, once the box is open."""
    page.click(".top > button.primary")
    page.wait("document.activeElement.id === 'login'", what="the sign-in box")
    page.type(f"{name}@demo.example")
    page.press("Tab")
    page.type(PASSWORD)
    page.press("Enter")
    page.wait(f"document.querySelector('.account .name')?.textContent === {json.dumps(name)}", what=f"{name} signed in")


def choose(page: Page, purpose: str) -> None:
    """As the selector does; the schema is read again."""
    page.evaluate(
        "(() => { const select = document.getElementById('purpose');"
        "Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, 'value').set.call(select, "
        f"{json.dumps(purpose)}); select.dispatchEvent(new Event('change', {{bubbles: true}})); }})()"
    )
    page.wait("!document.querySelector('.graphiql-sidebar [class*=spin], .graphiql-spin')", what="the schema read")


def documented(page: Page, type_name: str) -> list[str]:
    """The fields that the documentation shows of a type, found by its search."""
    if not page.evaluate("!!document.querySelector('.graphiql-doc-explorer')"):
        page.click(".graphiql-sidebar button[aria-label='Show Documentation Explorer']")
    page.wait("!!document.querySelector('.graphiql-doc-explorer-type-name')", what="the documentation")
    while page.evaluate("!!document.querySelector('.graphiql-doc-explorer-back')"):
        page.click(".graphiql-doc-explorer-back")
    for name in ("Query", type_name):
        find = (
            f"[...document.querySelectorAll('.graphiql-doc-explorer-type-name')].find(e => e.textContent === '{name}')"
        )
        page.wait(f"{find} && ({find}.click(), true)", what=f"{name} in the documentation")
    page.wait(f"document.querySelector('.graphiql-doc-explorer-title')?.textContent === '{type_name}'")
    found = page.evaluate("[...document.querySelectorAll('.graphiql-doc-explorer-field-name')].map(e => e.textContent)")
    return [str(each) for each in found]


def completed(page: Page, beginning: str) -> list[str]:
    """What the editor offers after `beginning`, in a selection on oneself."""
    write(page, "{ me {  } }")
    for _ in range(4):
        page.press("ArrowLeft")
    page.type(beginning)
    page.press(" ", control=True)
    page.see(".suggest-widget.visible .monaco-list-row")
    rows = page.evaluate("[...document.querySelectorAll('.suggest-widget .label-name')].map(e => e.textContent)")
    page.press("Escape")
    return [str(each) for each in rows]


def test_somebody_signs_in_asks_and_signs_out(page: Page) -> None:
    """Name, role and purposes show; contact comes masked, and that is said."""
    sign_in(page, "support")
    assert page.evaluate("document.querySelector('.account .chip').textContent") == "SUPPORT"
    assert page.evaluate("[...document.querySelectorAll('#purpose option')].map(e => e.value)") == [
        "ACCOUNT",
        "SUPPORT",
    ]
    assert page.evaluate("document.getElementById('purpose').value") == "SUPPORT"
    run(page, EMAILS)
    page.wait("document.querySelector('.explanation').textContent.includes('MASKED')", what="the masked field")
    assert "User.email" in said(page)
    assert "•" in result(page)
    page.click(".account summary")
    page.click(".menu button")
    page.see(".top > button.primary")
    assert "Nobody is signed in" in run(page, MY_BIRTHDAY)


def test_a_wrong_password_is_said_in_the_box(page: Page) -> None:
    """And the box stays."""
    page.click(".top > button.primary")
    page.type("support")
    page.press("Tab")
    page.type("wrong")
    page.press("Enter")
    page.wait("document.querySelector('.sign-in .problem').textContent.includes('do not belong together')")
    assert page.evaluate("document.querySelector('dialog').open")


def test_no_script_sees_a_token(page: Page) -> None:
    """Cookies are HttpOnly, and nothing is stored."""
    sign_in(page, "support")
    kept = page.evaluate("document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage)")
    cookies = {each["name"]: each for each in page.call("Network.getCookies")["cookies"]}
    assert cookies["fieldward_access"]["httpOnly"]
    assert cookies["fieldward_refresh"]["httpOnly"]
    assert not any(each["value"] in kept for each in cookies.values())
    assert PASSWORD not in kept


def test_the_documentation_is_that_of_the_purpose(page: Page) -> None:
    """For SUPPORT nobody's date of birth is there; for ACCOUNT one's own is."""
    sign_in(page, "support")
    for_support = documented(page, "User")
    assert "email" in for_support
    assert "birthDate" not in for_support
    assert "Read by" in page.text()
    choose(page, "ACCOUNT")
    assert "birthDate" in documented(page, "User")


def test_completion_is_that_of_the_purpose(page: Page) -> None:
    """The editor offers what may be asked for, and nothing else."""
    sign_in(page, "support")
    for_support = completed(page, "b")
    choose(page, "ACCOUNT")
    assert "birthDate" in completed(page, "b")
    assert "birthDate" not in for_support


def test_a_denial_is_explained_with_what_would_allow_it(page: Page) -> None:
    """The field, the reason, its label, and who may."""
    sign_in(page, "support")
    assert "1 field was denied: nothing was run." in run(page, BIRTHDAYS)
    page.wait("document.querySelector('.explanation').textContent.includes('for ACCOUNT')", what="the remedy")
    assert "User.birthDate" in said(page)
    assert "PURPOSE" in said(page)
    assert "user.demographic.date_of_birth" in said(page)


def test_a_purpose_that_would_do_is_one_click_away(page: Page) -> None:
    """A denial names it, and the button chooses it."""
    sign_in(page, "support")
    run(page, MY_BIRTHDAY)
    page.click(".explanation p button")
    page.wait("document.getElementById('purpose').value === 'ACCOUNT'")
    assert "Nothing was denied or withheld." in run(page, MY_BIRTHDAY)


def test_what_is_withheld_row_by_row_is_counted(page: Page) -> None:
    """An administrator reads user names, and names only of their own."""
    sign_in(page, "admin")
    assert "Some values were withheld, row by row." in run(page, "{ users(first: 3) { nodes { username fullName } } }")
    assert "3 times" in said(page)


def test_a_session_goes_on_when_its_access_token_has_ended(page: Page) -> None:
    """The refresh cookie brings another, and the request is sent again."""
    sign_in(page, "subject")
    page.call("Network.deleteCookies", name="fieldward_access", url=page.evaluate("location.href"))
    assert "Nothing was denied or withheld." in run(page, MY_BIRTHDAY)
    page.call("Network.deleteCookies", name="fieldward_access", url=page.evaluate("location.href"))
    page.call("Page.reload")
    page.wait("document.querySelector('.account .name')?.textContent === 'subject'", what="still signed in")


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_everything_fits_the_window(page: Page, workbench: str, width: int, height: int) -> None:
    """Nothing is cut off at the side, and what matters is in sight."""
    page.open(workbench, width=width, height=height)
    page.see(".graphiql-query-editor .view-line")
    assert page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [
        width,
        height,
    ]
    for selector in (".top h1", "#purpose", ".top > button.primary", ".graphiql-execute-button", ".result-window"):
        place = page.evaluate(
            f"(() => {{ const r = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
            "return [r.left >= 0, r.top >= 0, r.right <= innerWidth, r.bottom <= innerHeight, r.width > 20]; })()"
        )
        assert all(place), selector


@pytest.fixture
def careless(chromium: str, workbench: str, tmp_path: Path) -> Iterator[Page]:
    """The same page, where complaints are expected."""
    with browser(chromium, tmp_path / "profile") as opened:
        opened.open(workbench)
        opened.see(".graphiql-query-editor .view-line")
        yield opened


@pytest.mark.parametrize(
    "attempt",
    [
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))",
        "setTimeout('window.ran = 1', 0)",
        "document.body.append(Object.assign(document.createElement('img'), {src: 'http://127.0.0.1:9/x.png'}))",
    ],
    ids=["inline", "eval", "elsewhere"],
)
def test_the_policy_stops_what_should_not_be(careless: Page, attempt: str) -> None:
    """And the browser says so: were the page to do it, the other tests would fail."""
    careless.evaluate(f"setTimeout(() => {{ {attempt} }}, 0)")
    careless.wait("new Promise(done => setTimeout(() => done(true), 500))")
    assert not careless.evaluate("'ran' in window")
    assert any("Content Security Policy" in each for each in careless.errors)
