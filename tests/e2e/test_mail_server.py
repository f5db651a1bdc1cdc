"""A service that mails by SMTP: what arrives, and what happens while nobody takes it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from queue import Queue
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from tests.e2e.conftest import NEW_PASSWORD, REGISTER, Serve
from tests.e2e.server import Json, Server, free_port


class Handler:
    """Keeps what arrives."""

    def __init__(self) -> None:
        self.arrived: Queue[Envelope] = Queue()

    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:  # noqa: N802 - the library's name
        """Take a mail."""
        self.arrived.put(envelope)
        return "250 OK"


@pytest.fixture
def smtp() -> Iterator[tuple[Handler, int]]:
    """A mail server without TLS, for development; and its port."""
    handler, port = Handler(), free_port()
    controller = Controller(handler, "127.0.0.1", port)
    controller.start()
    yield handler, port
    controller.stop()


def register(server: Server, address: str) -> Json:
    """Make an account with this address."""
    made = {"username": f"new.{uuid4().hex[:12]}", "email": address, "password": NEW_PASSWORD}
    return server.post(REGISTER, {"input": made}).json()["data"]["register"]


def figure(server: Server, outcome: str) -> float:
    """How many mails ended so, by `/metrics`."""
    for line in server.http.get("/metrics").text.splitlines():
        if line.startswith("fieldward_mails_total{") and f'outcome="{outcome}"' in line:
            return float(line.rpartition(" ")[2])
    return 0.0


@pytest.mark.slow
def test_a_mail_arrives_by_smtp(serve: Serve, smtp: tuple[Handler, int]) -> None:
    """With the sender and the page that the settings name."""
    handler, port = smtp
    server = serve(
        SMTP_URL=f"smtp://127.0.0.1:{port}?tls=off",
        MAIL_FROM="Users <no-reply@users.example>",
        ACCOUNT_URL="https://app.example/links",
    )
    assert register(server, "alice@people.example")["errors"] == []
    envelope = handler.arrived.get(timeout=20)
    assert (envelope.mail_from, envelope.rcpt_tos) == ("no-reply@users.example", ["alice@people.example"])
    assert isinstance(envelope.content, bytes)
    assert b"\r\nhttps://app.example/links#verify=" in envelope.content
    assert not (server.folder / "mail").exists()
    assert "Mails are not sent" not in server.said()


@pytest.mark.slow
def test_a_mail_server_that_is_down_stops_nobody(serve: Serve) -> None:
    """People go on, and when the service stops what could not be sent is told, without an address."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    server = serve(SMTP_URL=f"smtp://127.0.0.1:{port}?tls=off")
    assert register(server, "alice@people.example")["errors"] == []
    assert server.post("{ purposes { key } }").status_code == 200
    assert figure(server, "sent") == 0
    server.stop()
    said = server.said()
    assert "mail_dropped" in said
    assert "unavailable" in said
    assert "alice" not in said
