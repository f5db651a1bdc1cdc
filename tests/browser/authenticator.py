"""A device in the browser that makes passkeys and verifies its user, without anybody to touch it."""

from __future__ import annotations

from typing import Final

from tests.browser.chromium import Page

CREATE: Final = """navigator.credentials.create({publicKey:
  PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(OPTIONS))}).then(made => JSON.stringify(made.toJSON()))"""


def give_authenticator(page: Page) -> None:
    """Give the browser of `page` such a device (the WebAuthn domain of the DevTools protocol)."""
    page.call("WebAuthn.enable")
    device = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    page.call(
        "WebAuthn.addVirtualAuthenticator",
        options={**device, "isUserVerified": True, "automaticPresenceSimulation": True},
    )
