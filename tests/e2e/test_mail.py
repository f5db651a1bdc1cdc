"""Links in mails over HTTP: addresses are proven, passwords reset, and nobody learns who has an account."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from uuid import uuid4

import pytest

from tests.e2e.conftest import NEW_PASSWORD, REGISTER, Newcomer, Who
from tests.e2e.mailbox import Mailbox, token_of
from tests.e2e.people import refused_soon, status_of_me
from tests.e2e.server import SIGN_IN, Account, Json, Server
from tests.e2e.services import command
from tests.e2e.services import token as token_of_service

VERIFY: Final = "mutation ($t: String!) { verifyEmail(input: {token: $t}) { verified errors { code path } } }"
ASK_VERIFY: Final = "mutation { requestEmailVerification { requested errors { code } } }"
ASK_RESET: Final = "mutation ($l: String!) { requestPasswordReset(input: {login: $l}) { requested errors { code } } }"
RESET: Final = """mutation ($t: String!, $p: String!) {
  resetPassword(input: {token: $t, newPassword: $p}) { reset errors { code message path } } }"""
CHANGE: Final = """mutation ($id: ID, $email: String) {
  updateUser(input: {id: $id, email: $email}) { pendingEmail errors { code path } } }"""
ME: Final = "{ me { username email emailVerified } }"
CONFIRM, CONFIRM_NEW = "Confirm your email address", "Confirm your new email address"
CHOOSE, ASKED, CHANGED = (
    "Choose a new password",
    "A new email address was asked for",
    "The email address of your account",
)
OTHER_PASSWORD: Final = "another-quiet-harbour"
BAD_LINK: Final = [{"code": "BAD_LINK", "path": ["input", "token"]}]


@pytest.fixture(scope="module")
def mailbox(server: Server) -> Mailbox:
    """What the service of the run has written."""
    return Mailbox(server.folder / "mail")


def address_of(account: Account) -> str:
    """Where somebody is written to."""
    return str(me(account)["email"])


def me(account: Account) -> Json:
    """User name, address, and whether it is proven."""
    return account.data(ME, purpose="ACCOUNT")["me"]


def verify(server: Server, token: str) -> Json:
    """What becomes of a link that proves an address."""
    return server.post(VERIFY, {"t": token}).json()["data"]["verifyEmail"]


def reset(server: Server, token: str, password: str) -> Json:
    """What becomes of a link to a new password."""
    return server.post(RESET, {"t": token, "p": password}).json()["data"]["resetPassword"]


def reset_link(server: Server, mailbox: Mailbox, account: Account) -> str:
    """A link to a new password, as it comes by mail."""
    assert server.post(ASK_RESET, {"l": address_of(account)}).json()["data"]["requestPasswordReset"]["requested"]
    return token_of(mailbox.latest(address_of(account), CHOOSE))


def change(account: Account, email: str) -> Json:
    """Ask for another address."""
    return account.data(CHANGE, {"email": email}, purpose="ACCOUNT")["updateUser"]


def some_address() -> str:
    """One that nobody has."""
    return f"other.{uuid4().hex[:12]}@people.example"


def test_a_new_address_is_proven_by_the_link_in_the_mail(server: Server, newcomer: Newcomer, mailbox: Mailbox) -> None:
    """Once; then the link is as good as none."""
    account = newcomer()
    mail = mailbox.latest(address_of(account), CONFIRM)
    assert me(account)["emailVerified"] is False
    assert verify(server, token_of(mail)) == {"verified": True, "errors": []}
    assert me(account)["emailVerified"] is True
    assert verify(server, token_of(mail)) == {"verified": False, "errors": BAD_LINK}


def test_a_mail_is_plain_text_with_nothing_personal_in_its_subject(
    server: Server, newcomer: Newcomer, mailbox: Mailbox
) -> None:
    """Nor, while the address is not proven, anything that somebody chose in its text."""
    account = newcomer()
    username, address = me(account)["username"], address_of(account)
    mail = mailbox.latest(address, CONFIRM)
    assert (mail.get_content_type(), mail["Auto-Submitted"]) == ("text/plain", "auto-generated")
    assert username not in mail.get_content() + mail["Subject"]
    assert f"{server.url}/account#verify=" in mail.get_content()
    verify(server, token_of(mail))
    server.post(ASK_RESET, {"l": address})
    assert username not in mailbox.latest(address, CHOOSE)["Subject"]


def test_only_who_has_not_proven_their_address_gets_another_link(
    server: Server, newcomer: Newcomer, mailbox: Mailbox, who: Who
) -> None:
    """The answer is the same; nobody signed in is refused, and a service has no address."""
    account = newcomer()
    address = address_of(account)
    first = mailbox.latest(address, CONFIRM)
    assert account.data(ASK_VERIFY)["requestEmailVerification"] == {"requested": True, "errors": []}
    assert token_of(mailbox.latest(address, CONFIRM, at_least=2)) != token_of(first)
    assert verify(server, token_of(first))["verified"]
    assert account.data(ASK_VERIFY)["requestEmailVerification"] == {"requested": True, "errors": []}
    server.post(ASK_RESET, {"l": address})
    mailbox.latest(address, CHOOSE)  # later than the one before would have come
    assert len([mail for mail in mailbox.to(address) if mail["Subject"] == CONFIRM]) == 2
    assert server.post(ASK_VERIFY).status_code == 401
    answer = who("service").data(ASK_VERIFY)["requestEmailVerification"]
    assert answer == {"requested": False, "errors": [{"code": "NOT_A_PERSON"}]}


def test_asking_for_a_reset_tells_nobody_whether_there_is_an_account(server: Server, newcomer: Newcomer) -> None:
    """Status, body and headers are equal for a name, an address, an unknown one and what can be neither."""
    account = newcomer()
    known = me(account)
    answers = [
        server.post(ASK_RESET, {"l": login})
        for login in (known["username"], known["email"], some_address(), "nobody-at-all", "", "a b@", "x" * 3000)
    ]
    assert {(answer.status_code, answer.text, *sorted(answer.headers.keys())) for answer in answers} == {
        (200, answers[0].text, *sorted(answers[0].headers.keys()))
    }
    assert answers[0].json()["data"]["requestPasswordReset"] == {"requested": True, "errors": []}


def test_too_many_wishes_for_a_reset_have_to_wait(server: Server, newcomer: Newcomer, mailbox: Mailbox) -> None:
    """Of an unknown account just like of a known one, in whatever spelling; five links fill nobody's mailbox."""
    known = address_of(newcomer())

    def refused(login: str) -> int:
        for asked in range(1, 12):
            answer = server.post(ASK_RESET, {"l": (login, login.upper(), login.replace(".", "\uff0e", 1))[asked % 3]})
            if "errors" in answer.json():
                error = answer.json()["errors"][0]
                assert error["extensions"]["code"] == "RATE_LIMITED"
                assert int(answer.headers["retry-after"]) == error["extensions"]["retryAfter"] > 0
                return asked
        return 0

    assert refused(known) == refused(some_address()) > 1
    mailbox.latest(known, CHOOSE, at_least=5)


def test_a_reset_puts_a_new_password_in_force_and_ends_all_sessions(
    server: Server, newcomer: Newcomer, mailbox: Mailbox
) -> None:
    """It signs nobody in, and the person is told."""
    account = newcomer()
    name, address = me(account)["username"], address_of(account)
    token = reset_link(server, mailbox, account)
    weak = reset(server, token, "short")
    assert (weak["reset"], [error["code"] for error in weak["errors"]]) == (False, ["TOO_SHORT"])
    assert reset(server, token, OTHER_PASSWORD) == {"reset": True, "errors": []}
    assert refused_soon(lambda: status_of_me(account))
    old = server.post(SIGN_IN, {"login": name, "password": NEW_PASSWORD}).json()["data"]["signIn"]
    assert [error["code"] for error in old["errors"]] == ["BAD_CREDENTIALS"]
    again = server.sign_in(name, OTHER_PASSWORD)
    assert me(again)["emailVerified"] is True
    assert [error["code"] for error in reset(server, token, NEW_PASSWORD)["errors"]] == ["BAD_LINK"]
    assert name in mailbox.latest(address, "Your password was reset").get_content()


def test_a_link_does_nothing_but_what_it_is_for(server: Server, newcomer: Newcomer, mailbox: Mailbox) -> None:
    """A reset link proves no address by itself, and one that proves an address resets nothing."""
    account = newcomer()
    proving = token_of(mailbox.latest(address_of(account), CONFIRM))
    resetting = reset_link(server, mailbox, account)
    assert [error["code"] for error in reset(server, proving, OTHER_PASSWORD)["errors"]] == ["BAD_LINK"]
    for token in (resetting, "", "nonsense", "a" * 4000, "ä"):
        assert verify(server, token)["errors"] == BAD_LINK
    assert verify(server, proving)["verified"]


def test_a_new_password_ends_the_links_to_another(server: Server, newcomer: Newcomer, mailbox: Mailbox) -> None:
    """Whoever reads old mails gains nothing."""
    account = newcomer()
    token = reset_link(server, mailbox, account)
    query = "mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { changed errors { code } } }"
    given = {"currentPassword": NEW_PASSWORD, "newPassword": OTHER_PASSWORD}
    address = address_of(account)
    assert account.data(query, {"input": given}, purpose="ACCOUNT")["changePassword"]["changed"]
    assert [error["code"] for error in reset(server, token, NEW_PASSWORD)["errors"]] == ["BAD_LINK"]
    mailbox.latest(address, "Your password was changed")


def test_of_many_who_use_a_link_at_once_one_succeeds(server: Server, newcomer: Newcomer, mailbox: Mailbox) -> None:
    """The others are told that it was used."""
    token = reset_link(server, mailbox, newcomer())
    passwords = [f"a-quiet-harbour-number-{number}" for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda password: reset(server, token, password)["reset"], passwords))
    assert sorted(done) == [False, False, False, True]


def test_who_has_a_second_factor_still_needs_it_after_a_reset(
    server: Server, newcomer: Newcomer, mailbox: Mailbox
) -> None:
    """The mailbox stands for the password alone, which may be shorter then."""
    account = newcomer()
    name = me(account)["username"]
    token = reset_link(server, mailbox, account)
    with server.database() as client:
        client.get_default_database().users.update_one({"_id": account.id}, {"$set": {"factor_kinds": ["TOTP"]}})
    short = reset(server, token, "abc12")
    assert "at least 8" in short["errors"][0]["message"]
    assert reset(server, token, "qz-harbour") == {"reset": True, "errors": []}
    answer = server.post(SIGN_IN, {"login": name, "password": "qz-harbour"}).json()["data"]["signIn"]
    assert answer["accessToken"] is None
    assert [error["code"] for error in answer["errors"]] == ["SECOND_FACTOR_REQUIRED"]


def test_a_suspended_account_gets_no_link(server: Server, newcomer: Newcomer, mailbox: Mailbox) -> None:
    """And one that it had no longer works."""
    account = newcomer()
    token = reset_link(server, mailbox, account)
    with server.database() as client:
        client.get_default_database().users.update_one({"_id": account.id}, {"$set": {"status": "SUSPENDED"}})
    assert [error["code"] for error in reset(server, token, OTHER_PASSWORD)["errors"]] == ["BAD_LINK"]


def test_a_new_address_waits_until_it_is_proven(server: Server, newcomer: Newcomer, mailbox: Mailbox) -> None:
    """Both are told; then the new one signs in and the old one does not."""
    account, new = newcomer(), some_address()
    old, name = address_of(account), me(account)["username"]
    verify(server, token_of(mailbox.latest(old, CONFIRM)))
    resetting = reset_link(server, mailbox, account)
    assert change(account, new) == {"pendingEmail": True, "errors": []}
    link = mailbox.latest(new, CONFIRM_NEW)
    assert name not in link.get_content()
    told = mailbox.latest(old, ASKED)
    assert name in told.get_content()
    assert new not in told.as_string()
    assert me(account) == {"username": name, "email": old, "emailVerified": True}
    assert verify(server, token_of(link)) == {"verified": True, "errors": []}
    assert me(account) == {"username": name, "email": new, "emailVerified": True}
    mailbox.latest(old, f"{CHANGED} was changed")
    assert [error["code"] for error in reset(server, resetting, OTHER_PASSWORD)["errors"]] == ["BAD_LINK"]
    assert server.sign_in(new, NEW_PASSWORD).id == account.id
    by_old = server.post(SIGN_IN, {"login": old, "password": NEW_PASSWORD}).json()["data"]["signIn"]
    assert [error["code"] for error in by_old["errors"]] == ["BAD_CREDENTIALS"]
    # It was their own wish: it opens a new password at once.
    assert reset(server, reset_link(server, mailbox, account), OTHER_PASSWORD)["reset"]


def test_the_latest_wish_for_an_address_counts(server: Server, newcomer: Newcomer, mailbox: Mailbox) -> None:
    """Whoever has the address that was a slip cannot take the account."""
    account, slip, meant = newcomer(), some_address(), some_address()
    change(account, slip)
    first = token_of(mailbox.latest(slip, CONFIRM_NEW))
    change(account, meant)
    second = token_of(mailbox.latest(meant, CONFIRM_NEW))
    assert verify(server, first)["errors"] == BAD_LINK
    assert verify(server, second)["verified"]


def test_an_address_that_is_taken_shows_only_to_who_reads_its_mails(
    server: Server, newcomer: Newcomer, mailbox: Mailbox
) -> None:
    """The wish is answered like any other; the link then finds it taken, and nothing changes."""
    account, other = newcomer(), newcomer()
    mine, theirs = address_of(account), address_of(other)
    assert change(account, theirs) == change(account, some_address())
    change(account, theirs.upper())
    token = token_of(mailbox.latest(theirs, CONFIRM_NEW, at_least=2))
    assert verify(server, token) == {"verified": False, "errors": [{"code": "TAKEN", "path": ["input", "token"]}]}
    assert (address_of(account), address_of(other)) == (mine, theirs)


def test_of_two_accounts_that_prove_one_address_at_once_one_gets_it(
    server: Server, newcomer: Newcomer, mailbox: Mailbox
) -> None:
    """The index decides, not a look beforehand."""
    accounts, new = [newcomer(), newcomer()], some_address()
    for number, account in enumerate(accounts, 1):
        change(account, new)
        mailbox.latest(new, CONFIRM_NEW, at_least=number)
    tokens = [token_of(mail) for mail in mailbox.to(new)]
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda token: verify(server, token), tokens))
    assert sorted(each["verified"] for each in done) == [False, True]
    assert [error["code"] for each in done for error in each["errors"]] == ["TAKEN"]
    assert sorted(address_of(account) == new for account in accounts) == [False, True]


def test_a_privacy_officer_proposes_an_address_too(newcomer: Newcomer, who: Who, mailbox: Mailbox) -> None:
    """Whoever changes it, it is the mailbox that proves it."""
    account, new = newcomer(), some_address()
    old = address_of(account)
    answer = who("privacy").data(CHANGE, {"id": account.id, "email": new}, purpose="LEGAL")
    assert answer["updateUser"] == {"pendingEmail": True, "errors": []}
    mailbox.latest(new, CONFIRM_NEW)
    mailbox.latest(old, ASKED)
    assert address_of(account) == old


@pytest.mark.slow
def test_a_service_with_the_right_to_write_proposes_too(server: Server, newcomer: Newcomer, mailbox: Mailbox) -> None:
    """It learns nothing of whether an address is taken either."""
    account, other = newcomer(), newcomer()
    old, taken = address_of(account), address_of(other)
    made = command(server, "add", "Desk", "--scope", "user.contact.email:write", "--purpose", "SUPPORT")
    access = token_of_service(server, (made["client_id"], made["client_secret"]))
    for email in (some_address(), taken):
        answer = server.post(CHANGE, {"id": account.id, "email": email}, token=access, purpose="SUPPORT").json()
        assert answer["data"]["updateUser"] == {"pendingEmail": True, "errors": []}
        mailbox.latest(email, CONFIRM_NEW)
    assert (address_of(account), address_of(other)) == (old, taken)


def test_too_many_wishes_for_an_address_have_to_wait(newcomer: Newcomer) -> None:
    """Nobody sends mails to strangers through us without end."""
    account = newcomer()
    for _ in range(12):
        answer = account.ask(CHANGE, {"email": some_address()}, purpose="ACCOUNT").json()
        if "errors" in answer:
            break
    assert answer["errors"][0]["extensions"]["code"] == "RATE_LIMITED"


def test_what_would_break_out_of_a_header_is_no_address(server: Server, mailbox: Mailbox) -> None:
    """Neither a registration nor anything else writes one."""
    for email in (
        "a@people.example\r\nBcc: all@people.example",
        "a@people.example\nX: y",
        "a@people.example,b@c.example",
    ):
        made = {"username": f"new.{uuid4().hex[:12]}", "email": email, "password": NEW_PASSWORD}
        answer = server.post(REGISTER, {"input": made}).json()["data"]["register"]
        assert [(error["code"], error["path"]) for error in answer["errors"]] == [("INVALID", ["input", "email"])]
    assert mailbox.to("all@people.example") == []


def test_neither_address_nor_token_is_in_the_log(server: Server, newcomer: Newcomer, mailbox: Mailbox) -> None:
    """Nor in the database, where a link is a hash."""
    account = newcomer()
    address, token = address_of(account), reset_link(server, mailbox, account)
    reset(server, token, "short")
    time.sleep(0.2)
    said = server.said()
    assert "Mails are not sent: each becomes a file in" in said
    assert address not in said
    assert token not in said
    with server.database() as client:
        tickets = list(client.get_default_database().tickets.find({"person": account.id}))
    assert tickets
    assert token not in str(tickets)
