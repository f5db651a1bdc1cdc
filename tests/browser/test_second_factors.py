"""The workbench asks for second factors, and for a fresh proof where the API wants one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from tests.browser.authenticator import CREATE, give_authenticator
from tests.browser.chromium import Page, browser
from tests.browser.editor import result, run, said
from tests.e2e.second_factors import CONFIRM_PASSKEY, ENROL_PASSKEY, App, Person, arrive
from tests.e2e.server import Server

pytestmark = pytest.mark.slow

NEW_CODES: Final = "mutation { newRecoveryCodes { recoveryCodes errors { code } } }"
EMAILS: Final = "{ users(first: 3) { nodes { username email } } }"
PROBLEM: Final = "document.querySelector('dialog[open] .problem')?.textContent"


@pytest.fixture(scope="module")
def server(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service of its own, which asks for step-up."""
    running = Server(tmp_path_factory.mktemp("factors") / "data", STEP_UP="on").ready()
    yield running
    running.stop()


@pytest.fixture
def page(chromium: str, server: Server, tmp_path: Path) -> Iterator[Page]:
    """The workbench, by the name that browsers make passkeys for, and a device that verifies its user."""
    with browser(chromium, tmp_path / "profile") as opened:
        opened.open(f"http://localhost:{server.port}/graphql")
        opened.see(".graphiql-query-editor .view-line")
        give_authenticator(opened)
        yield opened
        opened.evaluate("0")  # one round trip: all that the browser has reported until now is read
    assert opened.errors == []


def begin(page: Page, name: str, password: str) -> None:
    """The first step, in the box."""
    page.click(".top > button.primary")
    page.wait("document.activeElement.id === 'login'", what="the sign-in box")
    page.type(name)
    page.press("Tab")
    page.type(password)
    page.press("Enter")


def give(page: Page, proof: str) -> None:
    """Type a proof where one is asked for, once the field is there and empty."""
    page.wait("document.activeElement.id === 'proof' && document.activeElement.value === ''", what="the field")
    page.type(proof)
    page.press("Enter")


def choose(page: Page, text: str) -> None:
    """Click the button of the open box that says so."""
    find = f"[...document.querySelectorAll('dialog[open] button')].find(e => e.textContent === {json.dumps(text)})"
    page.wait(f"{find} && !{find}.disabled && ({find}.click(), true)", what=text)


def signed_in(page: Page, name: str) -> None:
    """Wait until the page says who is signed in, and the box is gone."""
    shown = f"document.querySelector('.account .name')?.textContent === {json.dumps(name)}"
    page.wait(f"{shown} && !document.querySelector('dialog[open]')", what=f"{name} signed in")


def enrol_passkey(page: Page, person: Person) -> None:
    """With the browser's device; the person's session goes on."""
    begun: dict[str, Any] = person.ask(ENROL_PASSKEY)
    made = str(page.evaluate(CREATE.replace("OPTIONS", json.dumps(begun["options"]))))
    person.confirmed(person.ask(CONFIRM_PASSKEY, challenge=begun["challenge"], passkey=made, name="Browser"))


def let_time_pass(server: Server, person: Person, page: Page) -> None:
    """Make all sessions of a person an hour old; the browser's next access token says so."""
    with server.database() as client:
        sessions = client.get_default_database()["sessions"]
        for row in sessions.find({"person": person.account.id}, {"authenticated_at": 1}):
            earlier = row["authenticated_at"] - timedelta(hours=1)
            sessions.update_one({"_id": row["_id"]}, {"$set": {"authenticated_at": earlier}})
    page.call("Network.deleteCookies", name="fieldward_access", url=page.evaluate("location.href"))


@pytest.fixture
def person(server: Server) -> Person:
    """Somebody new."""
    return arrive(server)


@pytest.fixture
def app(person: Person) -> App:
    """Their authenticator app."""
    return person.enrol_app()


def test_a_code_completes_the_sign_in(page: Page, person: Person, app: App) -> None:
    """A wrong one is said and may be mended."""
    begin(page, person.name, person.password)
    give(page, app.wrong())
    page.wait(f"{PROBLEM}.length > 5", what="what is wrong")
    give(page, app.code())
    signed_in(page, person.name)


def test_a_recovery_code_does_as_well(page: Page, person: Person, app: App) -> None:
    """For when the app is out of reach."""
    begin(page, person.name, person.password)
    choose(page, "Use a recovery code")
    give(page, person.codes[0])
    signed_in(page, person.name)


def test_a_challenge_that_has_ended_begins_anew(page: Page, server: Server, person: Person, app: App) -> None:
    """The box is at its first step again, and says why."""
    begin(page, person.name, person.password)
    page.wait("document.activeElement.id === 'proof'", what="the second step")
    with server.database() as client:
        client.get_default_database()["tickets"].delete_many({"person": person.account.id})
    give(page, app.code())
    page.wait("!!document.getElementById('login')", what="the first step")
    page.wait(f"{PROBLEM}.length > 5", what="why")


def test_a_passkey_completes_the_sign_in_and_replaces_it(page: Page, person: Person) -> None:
    """Beside the password; then without a name."""
    enrol_passkey(page, person)
    begin(page, person.name, person.password)
    choose(page, "Use a passkey")
    signed_in(page, person.name)
    page.click(".account summary")
    page.click(".menu button")
    page.see(".top > button.primary")
    page.click(".top > button.primary")
    choose(page, "Sign in with a passkey")
    signed_in(page, person.name)


@pytest.mark.parametrize("by", ["code", "passkey"])
def test_a_request_that_needs_a_fresh_proof_is_sent_again(page: Page, server: Server, person: Person, by: str) -> None:
    """An hour after signing in, the API asks who is there; then the request is answered."""
    app = person.enrol_app()
    if by == "passkey":
        enrol_passkey(page, person)
    begin(page, person.name, person.password)
    give(page, app.code())
    signed_in(page, person.name)
    let_time_pass(server, person, page)
    assert "1 field was denied: nothing was run." in run(page, NEW_CODES)
    page.click(".explanation .confirm button")
    if by == "passkey":
        choose(page, "Use a passkey")
    else:
        give(page, app.code())
    page.wait("document.querySelector('.explanation').textContent.includes('Nothing was denied')", what="the answer")
    assert "recoveryCodes" in result(page)
    assert not page.evaluate("!!document.querySelector('dialog[open]')")


def test_a_password_is_enough_where_there_is_no_factor(page: Page, server: Server, person: Person) -> None:
    """For enrolling the first one, an hour after signing in."""
    begin(page, person.name, person.password)
    signed_in(page, person.name)
    let_time_pass(server, person, page)
    assert "nothing was run" in run(page, "mutation { enrolTotp { factorId errors { code } } }")
    page.click(".explanation .confirm button")
    give(page, "wrong")
    page.wait(f"{PROBLEM}.length > 5", what="what is wrong")
    give(page, person.password)
    page.wait("document.querySelector('.explanation').textContent.includes('Nothing was denied')", what="the answer")


def test_staff_without_a_factor_are_told_how_to_get_one(page: Page) -> None:
    """Whoever reads other people's data needs one."""
    begin(page, "analyst", "fieldward-demo-password")
    signed_in(page, "analyst")
    run(page, EMAILS.replace("email", "country"))
    assert "STEP_UP" in said(page)
    page.click(".explanation .confirm button")
    page.wait("document.querySelector('dialog[open]')?.textContent.includes('enrolTotp')", what="how to enrol")


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_the_boxes_fit_the_window(page: Page, person: Person, app: App, width: int, height: int) -> None:
    """Nothing of the second step is cut off."""
    page.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
    enrol_passkey(page, person)
    begin(page, person.name, person.password)
    page.wait("document.activeElement.id === 'proof'", what="the field")
    for selector in ("h2", "#proof", ".way", "button.primary", "button.link"):
        place = page.evaluate(
            f"(() => {{ const r = document.querySelector('dialog[open] {selector}').getBoundingClientRect();"
            "return [r.left >= 0, r.top >= 0, r.right <= innerWidth, r.bottom <= innerHeight, r.width > 20]; })()"
        )
        assert all(place), selector
