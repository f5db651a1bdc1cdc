"""What people change about themselves, and whether their token still holds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from tests.e2e.server import Account, Json

UPDATE: Final = """
mutation ($input: UpdateUserInput!) {
  updateUser(input: $input) {
    user {
      username email emailVerified phone fullName givenName familyName birthDate ageBand country locale marketingOptIn
      address { street city region postalCode country } preferences { theme currency digest }
    }
    errors { code message path }
  }
}"""
PROFILE: Final = {
    "phone": "+46701740699",
    "fullName": "Åsa Öberg",
    "givenName": "Åsa",
    "familyName": "Öberg",
    "birthDate": "1990-05-17",
    "country": "SE",
    "locale": "sv-SE",
    "marketingOptIn": True,
    "address": {
        "street": "Storgatan 1",
        "city": "Malmö",
        "region": "Skåne",
        "postalCode": "211 34",
        "country": "SE",
    },
    "preferences": {"theme": "dark", "currency": "SEK", "digest": "never"},
}


def changed(account: Account, **fields: object) -> Json:
    """The payload of one `updateUser`."""
    return account.data(UPDATE, {"input": fields}, purpose="ACCOUNT")["updateUser"]


def refused_soon(ask: Callable[[], int]) -> bool:
    """Whether a token is refused within a second."""
    until = time.monotonic() + 1
    while time.monotonic() < until:
        if ask() == 401:
            return True
        time.sleep(0.05)
    return False


def status_of_me(account: Account) -> int:
    """How `me` is answered."""
    return account.ask("{ me { username } }", purpose="ACCOUNT").status_code
