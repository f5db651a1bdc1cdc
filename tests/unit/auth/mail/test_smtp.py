"""SMTP: mails leave encrypted or not at all; what the server says decides whether to try again."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

from auth.mail.letters import Letters, Recipient, read_sender
from auth.mail.mailer import NotSent
from auth.mail.smtp import SmtpMailer, SmtpServer
from tests.certificates import make_certificate

ADDRESS = "alice@people.example"
LETTERS = Letters(read_sender("Users <no-reply@users.example>"), "https://users.example/account")
LETTER = LETTERS.reset(Recipient(ADDRESS), "token")


class Handler:
    """A server that keeps what it is given, unless `answer` says otherwise."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.answer = "250 OK"
        self.greeted: list[str] = []

    async def handle_EHLO(  # noqa: N802 - the library's name
        self, _server: object, session: Session, _envelope: object, hostname: str, responses: list[str]
    ) -> list[str]:
        """Note who calls."""
        self.greeted.append(hostname)
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, _server: object, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take or refuse a recipient."""
        if self.answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer

    async def handle_DATA(self, _server: object, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - the library's name
        """Keep the mail."""
        self.envelopes.append(envelope)
        return "250 OK"


Listen = Callable[..., int]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody else trusts, with its key."""
    return make_certificate(tmp_path_factory.mktemp("tls") / "server.pem")


@pytest.fixture
def offering(certificate: Path) -> ssl.SSLContext:
    """What the server shows."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusting(certificate: Path) -> ssl.SSLContext:
    """A client that trusts that certificate."""
    return ssl.create_default_context(cafile=certificate)


@pytest.fixture
def handler() -> Handler:
    """The far end."""
    return Handler()


@contextmanager
def running(handler: Handler, **options: Any) -> Iterator[int]:  # noqa: ANN401 - those of aiosmtpd
    """A mail server; its port."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = int(found.getsockname()[1])
    controller = Controller(handler, "127.0.0.1", port, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


@pytest.fixture
def listen(handler: Handler) -> Iterator[Listen]:
    """Start mail servers; they are stopped at the end."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(running(handler, **options))


def mailer(url: str, context: ssl.SSLContext | None = None) -> SmtpMailer:
    """A mailer to the server at `url`."""
    return SmtpMailer(SmtpServer.read(url), context=context)


async def test_a_mail_goes_by_starttls(
    listen: Listen, handler: Handler, offering: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    """To the one recipient, from the sender's bare address."""
    port = listen(tls_context=offering, require_starttls=True)
    await mailer(f"smtp://127.0.0.1:{port}", trusting).send(LETTER)
    (envelope,) = handler.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == ("no-reply@users.example", [ADDRESS])
    assert handler.greeted == ["users.example", "users.example"]  # again once the connection is encrypted
    assert isinstance(envelope.content, bytes)
    assert b"https://users.example/account#reset=token" in envelope.content.splitlines()


async def test_a_mail_goes_by_tls_from_the_first_byte(
    listen: Listen, handler: Handler, offering: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    """RFC 8314."""
    port = listen(ssl_context=offering)
    await mailer(f"smtps://127.0.0.1:{port}", trusting).send(LETTER)
    assert len(handler.envelopes) == 1


async def test_a_credential_is_shown_within_tls(
    listen: Listen, handler: Handler, offering: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    """Percent-encoded in the setting, as it is on the wire."""
    shown: list[object] = []

    def check(_server: object, session: Session, _envelope: object, _mechanism: str, given: object) -> AuthResult:
        shown.append((given, session.ssl is not None))
        return AuthResult(success=True)

    port = listen(tls_context=offering, auth_required=True, authenticator=check)
    await mailer(f"smtp://api:p%40ss%2Fword@127.0.0.1:{port}", trusting).send(LETTER)
    assert shown == [(LoginPassword(b"api", b"p@ss/word"), True)]
    assert len(handler.envelopes) == 1


async def test_nothing_goes_without_tls_unless_that_is_asked_for(listen: Listen, handler: Handler) -> None:
    """A server that offers none, or somebody in between who says so."""
    port = listen()
    with pytest.raises(NotSent):
        await mailer(f"smtp://127.0.0.1:{port}").send(LETTER)
    assert handler.envelopes == []
    await mailer(f"smtp://127.0.0.1:{port}?tls=off").send(LETTER)
    assert len(handler.envelopes) == 1


async def test_nothing_goes_to_a_server_that_is_not_trusted(
    listen: Listen, handler: Handler, offering: ssl.SSLContext
) -> None:
    """Neither way; somebody may mend it."""
    ports = {"smtp": listen(tls_context=offering), "smtps": listen(ssl_context=offering)}
    for scheme, port in ports.items():
        with pytest.raises(NotSent) as caught:
            await mailer(f"{scheme}://127.0.0.1:{port}").send(LETTER)
        assert caught.value.again
    assert handler.envelopes == []


@pytest.mark.parametrize(
    ("answer", "again"), [("550 No such mailbox", False), ("450 Try later", True), ("421 Closing", True)]
)
async def test_the_servers_answer_decides_whether_to_try_again(
    answer: str, again: bool, listen: Listen, handler: Handler
) -> None:
    """And no address is told."""
    handler.answer = answer
    port = listen()
    with pytest.raises(NotSent) as caught:
        await mailer(f"smtp://127.0.0.1:{port}?tls=off").send(LETTER)
    assert caught.value.again is again
    assert ADDRESS not in caught.value.message
    assert caught.value.__context__ is None


async def test_where_nobody_listens_it_is_tried_again() -> None:
    """The server may come back."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    with pytest.raises(NotSent) as caught:
        await mailer(f"smtp://127.0.0.1:{port}?tls=off").send(LETTER)
    assert caught.value.again


async def test_an_address_of_another_script_is_written_to(listen: Listen, handler: Handler) -> None:
    """RFC 6531; a domain alone goes in its ASCII form."""
    port = listen(enable_SMTPUTF8=True)
    for email in ("müller@people.example", "mueller@bücher.example"):
        await mailer(f"smtp://127.0.0.1:{port}?tls=off").send(LETTERS.reset(Recipient(email), "token"))
    assert [envelope.rcpt_tos for envelope in handler.envelopes] == [
        ["müller@people.example"],
        ["mueller@xn--bcher-kva.example"],
    ]


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtps://mail.example", SmtpServer("mail.example", 465, implicit=True)),
        ("smtp://mail.example", SmtpServer("mail.example", 587)),
        ("smtp://mail.example:2525/", SmtpServer("mail.example", 2525)),
        ("smtp://mail.example?tls=off", SmtpServer("mail.example", 587, plain=True)),
        ("smtps://a:b%40c@mail.example:99", SmtpServer("mail.example", 99, True, False, "a", "b@c")),
    ],
)
def test_a_setting_names_a_server(url: str, server: SmtpServer) -> None:
    """With the usual ports."""
    assert SmtpServer.read(url) == server


@pytest.mark.parametrize(
    "url",
    [
        "mail.example:587",
        "http://mail.example",
        "smtp://",
        "smtp://mail.example/inbox",
        "smtp://mail.example:many",
        "smtp://mail.example?tls=on&x=y",
        "smtps://mail.example?tls=off",
        "smtp://user:secret@mail.example?tls=off",
        "smtp://mail.example#x",
    ],
)
def test_what_names_no_server_is_refused(url: str) -> None:
    """Also a password that would be shown in the clear."""
    with pytest.raises(ValueError, match=r".") as caught:
        SmtpServer.read(url)
    assert "secret" not in str(caught.value)


def test_a_repr_shows_no_credential() -> None:
    """It may come to a log."""
    assert "secret" not in repr(SmtpServer.read("smtps://user:secret@mail.example"))
