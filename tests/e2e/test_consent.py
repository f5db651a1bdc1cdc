"""Consent over HTTP: given and withdrawn, it holds from the next request on."""

from __future__ import annotations

import time

from tests.e2e.conftest import Newcomer
from tests.e2e.people import changed
from tests.e2e.server import Account, Json


def personalised(account: Account) -> Json:
    """The answer to one's own row under PERSONALISATION."""
    return account.ask("{ me { locale preferences { theme } } }", purpose="PERSONALISATION").json()


def withheld(answer: Json) -> set[tuple[str, int]]:
    """Reasons and counts."""
    return {(entry["reason"], entry["count"]) for entry in answer.get("extensions", {}).get("withheld", ())}


def test_consent_holds_from_the_next_request_on(newcomer: Newcomer) -> None:
    """Given, withdrawn and given again; the person's own list says so."""
    account = newcomer()
    changed(account, locale="sv-SE", birthDate="1990-05-17")
    assert withheld(personalised(account)) == {("CONSENT", 1)}
    assert (personalised(account)["data"]["me"] or {}).get("locale") is None
    for mutation, given in (("giveConsent", True), ("withdrawConsent", False), ("giveConsent", True)):
        query = f"mutation {{ {mutation}(input: {{purpose: PERSONALISATION}}) {{ purpose given errors {{ code }} }} }}"
        payload = account.data(query, purpose="ACCOUNT")[mutation]
        assert payload == {"purpose": "PERSONALISATION", "given": given, "errors": []}
        answer = personalised(account)
        assert withheld(answer) == (set() if given else {("CONSENT", 1)})
        assert (answer["data"]["me"] or {}).get("locale") == ("sv-SE" if given else None)
        listed = account.data("{ me { consents { purpose given } } }", purpose="ACCOUNT")["me"]["consents"]
        assert listed == [{"purpose": "PERSONALISATION", "given": given}]


def test_a_minors_consent_is_not_enough(newcomer: Newcomer) -> None:
    """Personalising leaves minors out, whatever they agree to."""
    account = newcomer()
    changed(account, locale="sv-SE", birthDate=f"{time.gmtime().tm_year - 14}-01-01")
    account.data("mutation { giveConsent(input: {purpose: PERSONALISATION}) { given } }", purpose="ACCOUNT")
    assert withheld(personalised(account)) == {("AGE", 1)}


def test_what_does_not_rest_on_consent_cannot_be_agreed_to(newcomer: Newcomer) -> None:
    """A typed error."""
    query = "mutation { giveConsent(input: {purpose: LEGAL}) { given errors { code path } } }"
    payload = newcomer().data(query, purpose="ACCOUNT")["giveConsent"]
    assert payload == {"given": False, "errors": [{"code": "NOT_BY_CONSENT", "path": ["input", "purpose"]}]}
