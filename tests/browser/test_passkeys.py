"""Passkeys as a browser makes and uses them, by its own authenticator in software."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.browser.authenticator import CREATE, give_authenticator
from tests.browser.chromium import Page, browser
from tests.e2e.conftest import REGISTER
from tests.e2e.second_factors import (
    BEGIN_PASSKEY,
    COMPLETE,
    CONFIRM_PASSKEY,
    ENROL_PASSKEY,
    SIGN_IN,
    WITH_PASSKEY,
    codes_of,
)
from tests.e2e.server import Server

pytestmark = pytest.mark.slow

PASSWORD: Final = "a-quiet-harbour-at-dawn"
GET: Final = """navigator.credentials.get({publicKey:
  PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(OPTIONS))}).then(got => JSON.stringify(got.toJSON()))"""


@pytest.fixture(scope="module")
def server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service of its own."""
    running = Server(tmp_path_factory.mktemp("passkeys") / "data").ready()
    yield running
    running.stop()


@pytest.fixture
def page(chromium: str, server: Server, tmp_path: Path) -> Iterator[Page]:
    """A page of the service by the name that browsers make passkeys for, and a device that verifies its user."""
    with browser(chromium, tmp_path / "profile") as opened:
        opened.open(f"http://localhost:{server.port}/health/live")
        opened.wait("location.hostname === 'localhost' && document.readyState === 'complete'")
        give_authenticator(opened)
        yield opened


def ask(page: Page, document: str, token: str | None = None, **given: object) -> Any:  # noqa: ANN401 - whatever JSON holds
    """The payload of the one field of `document`, asked by the page."""
    headers = {"content-type": "application/json", "data-purpose": "ACCOUNT"}
    headers |= {"authorization": f"Bearer {token}"} if token else {}
    body = {"query": document, "variables": {"input": given} if given else {}}
    request = {"method": "POST", "headers": headers, "body": json.dumps(body)}
    answer = page.evaluate(f"fetch('/graphql', {json.dumps(request)}).then(response => response.json())")
    assert "errors" not in answer, answer
    [payload] = answer["data"].values()
    return payload


def used(page: Page, how: str, options: str) -> str:
    """What the browser answers to options, as JSON."""
    return str(page.evaluate(how.replace("OPTIONS", json.dumps(options))))


def test_a_browser_enrols_a_passkey_and_signs_in_with_it(page: Page) -> None:
    """Beside the password, and without."""
    person = {"username": "browser.person", "email": "browser.person@people.example", "password": PASSWORD}
    assert ask(page, REGISTER, **person)["errors"] == []
    login = {"login": "browser.person", "password": PASSWORD}
    token = ask(page, SIGN_IN, **login)["accessToken"]
    begun = ask(page, ENROL_PASSKEY, token)
    answer = used(page, CREATE, begun["options"])
    confirmed = ask(page, CONFIRM_PASSKEY, token, challenge=begun["challenge"], passkey=answer, name="Browser")
    assert codes_of(confirmed) == []
    second = ask(page, SIGN_IN, **login)["secondFactor"]
    answer = used(page, GET, second["passkeyOptions"])
    assert codes_of(ask(page, COMPLETE, challenge=second["challenge"], passkey=answer)) == []
    begun = ask(page, BEGIN_PASSKEY)
    answer = used(page, GET, begun["options"])
    payload = ask(page, WITH_PASSKEY, challenge=begun["challenge"], passkey=answer)
    assert codes_of(payload) == []
    assert payload["accessToken"]
