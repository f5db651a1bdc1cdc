"""Services on a running Fieldward: registered by the command beside it, and asking over HTTP."""

from __future__ import annotations

import os
from collections.abc import Mapping

import httpx
from typer.testing import CliRunner

from graph.cli import build
from tests.e2e.server import SERVICE, Server

GRANT = {"grant_type": "client_credentials"}


def fieldward(server: Server, *arguments: str) -> str:
    """Run a command beside the running service, in this process; what it printed."""
    others: dict[str, str | None] = {name: None for name in os.environ if name.startswith("FIELDWARD_")}
    done = CliRunner().invoke(build(), arguments, env={**others, "FIELDWARD_DATA_DIR": str(server.folder)})
    assert done.exit_code == 0, done.output
    return done.stdout


def command(server: Server, *arguments: str) -> dict[str, str]:
    """Run `fieldward clients ...`; what it printed as `name: value`."""
    lines = fieldward(server, "clients", *arguments).splitlines()
    return {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines if ":" in line)}


def registered(server: Server, *options: str) -> tuple[str, str]:
    """A new service that may read contact data for SUPPORT, with these options: id and secret."""
    made = command(server, "add", "A service", "--scope", "user.contact:read", "--purpose", "SUPPORT", *options)
    return made["client_id"], made.get("client_secret", "")


def token(server: Server, credentials: tuple[str, str] = SERVICE, **narrowed: str) -> str:
    """An access token by client credentials."""
    answer = server.http.post("/oauth/token", data={**GRANT, **narrowed}, auth=credentials)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def asked(
    server: Server, access_token: str, fields: str = "email", *, http: httpx.Client | None = None
) -> httpx.Response:
    """The answer to a look-up of one person, as that service, on a connection."""
    query = f'{{ user(by: {{email: "subject@demo.example"}}) {{ {fields} }} }}'
    headers: Mapping[str, str] = {
        "Accept": "application/graphql-response+json",
        "Authorization": f"Bearer {access_token}",
    }
    return (http or server.http).post("/graphql", json={"query": query}, headers=headers)
