"""The page for links in mails, in a real browser on a running service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest

from models.user import UserDocument
from tests.browser.chromium import Page, browser
from tests.e2e.conftest import NEW_PASSWORD, REGISTER
from tests.e2e.databases import on_database
from tests.e2e.mailbox import Mailbox, token_of
from tests.e2e.server import Server

pytestmark = pytest.mark.slow

ASK: Final = "mutation ($l: String!) { requestPasswordReset(input: {login: $l}) { requested } }"
OTHER_PASSWORD: Final = "another-quiet-harbour"
PHONE: Final = (390, 844)


@pytest.fixture(scope="module")
def server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running service."""
    running = Server(tmp_path_factory.mktemp("account") / "data").ready()
    yield running
    running.stop()


@pytest.fixture
def page(chromium: str, server: Server, tmp_path: Path) -> Iterator[Page]:
    """A new browser. At the end nothing has left the host, and nothing has complained."""
    with browser(chromium, tmp_path / "profile") as opened:
        yield opened
        opened.text()
    assert [each for each in opened.requests if not each.startswith((server.url, "data:", "about:"))] == []
    assert opened.errors == []


@pytest.fixture
def newcomer(server: Server) -> tuple[str, Mailbox]:
    """Somebody's address, and what was mailed."""
    name = f"new.{uuid4().hex[:12]}"
    made = {"username": name, "email": f"{name}@people.example", "password": NEW_PASSWORD}
    assert server.post(REGISTER, {"input": made}).json()["data"]["register"]["errors"] == []
    return made["email"], Mailbox(server.folder / "mail")


def shown(page: Page, title: str) -> str:
    """All that the page says once it has this title."""
    page.wait(f"document.getElementById('title')?.textContent === '{title}'", what=title)
    return page.text()


def test_an_address_is_confirmed_by_a_click_and_not_before(
    page: Page, server: Server, newcomer: tuple[str, Mailbox]
) -> None:
    """Programs that open links spend none; the token is out of the address bar at once. The second time it says so."""
    address, mailbox = newcomer
    token = token_of(mailbox.latest(address, "Confirm your email address"))
    page.open(f"{server.url}/account#verify={token}", width=PHONE[0], height=PHONE[1])
    shown(page, "Your email address")
    assert page.evaluate("location.href") == f"{server.url}/account"
    assert not verified(server, address)
    page.click("#confirm")
    assert "Your email address is confirmed." in shown(page, "Confirmed")
    assert verified(server, address)
    page.open(f"{server.url}/account#verify={token}")
    shown(page, "Your email address")
    page.click("#confirm")
    assert "It was used before, or it is too old." in shown(page, "This link does not work any more")


def test_a_password_is_chosen(page: Page, server: Server, newcomer: tuple[str, Mailbox]) -> None:
    """A weak one is refused in words, and the link still holds; the new one signs in."""
    address, mailbox = newcomer
    server.post(ASK, {"l": address})
    token = token_of(mailbox.latest(address, "Choose a new password"))
    page.open(f"{server.url}/account#reset={token}", width=PHONE[0], height=PHONE[1])
    shown(page, "Choose a new password")
    page.click("#password")
    page.type("short")
    page.press("Enter")
    page.wait("document.getElementById('said').textContent.includes('use at least 15 characters')")
    page.evaluate("document.getElementById('password').value = ''")
    page.click("#show")
    assert page.evaluate("document.getElementById('password').type") == "text"
    page.click("#password")
    page.type(OTHER_PASSWORD)
    page.click("#reset button")
    assert "You can sign in with it now." in shown(page, "Your password is new")
    assert OTHER_PASSWORD not in page.evaluate("document.documentElement.outerHTML")
    assert page.evaluate("document.getElementById('password').value") == ""
    server.sign_in(address, OTHER_PASSWORD)
    page.open("about:blank")
    page.open(f"{server.url}/account#reset={token}")
    shown(page, "Choose a new password")
    page.click("#password")
    page.type(NEW_PASSWORD)
    page.press("Enter")
    assert "You can ask for a new one here." in shown(page, "This link does not work any more")


def test_without_a_link_the_page_says_so_and_sends_one(
    page: Page, server: Server, newcomer: tuple[str, Mailbox]
) -> None:
    """The same words whether there is such an account or not."""
    address, mailbox = newcomer
    page.open(f"{server.url}/account", width=PHONE[0], height=PHONE[1])
    assert "Open the link from your mail" in shown(page, "There is no link here")
    said = []
    for login in (address, "nobody@people.example"):
        page.open("about:blank")
        page.open(f"{server.url}/account#reset=not%20a%20token")
        assert "The link is not whole." in shown(page, "There is no link here")
        page.click("#login")
        page.type(login)
        page.press("Enter")
        said.append(shown(page, "Look into your mail"))
    assert said[0] == said[1]
    mailbox.latest(address, "Choose a new password")


@pytest.mark.parametrize("link", ["", "#reset=a", "#verify=a", "#nonsense"])
@pytest.mark.parametrize(("width", "height"), [PHONE, (320, 600), (1280, 800)])
def test_it_is_readable_in_any_window(link: str, width: int, height: int, page: Page, server: Server) -> None:
    """Nothing is cut off, and what is to be pressed is large enough for a thumb."""
    page.open("about:blank")
    page.open(f"{server.url}/account{link}", width=width, height=height)
    page.wait("document.querySelector('button')?.checkVisibility() || document.querySelector('form:not([hidden])')")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    small = page.evaluate(
        "[...document.querySelectorAll('button, input:not([type=checkbox])')]"
        ".filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 44).length"
    )
    assert small == 0


def verified(server: Server, address: str) -> bool:
    """Whether an address is proven."""
    row = on_database(server, lambda database: database.find_one(UserDocument, {"email": address}))
    assert row is not None
    return bool(row["email_verified"])
