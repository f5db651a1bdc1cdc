"""A real `fieldward serve` and those who ask it over HTTP, as outside scripts would."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import pymongo

from models.embedded import DATABASE
from models.embedded.folder import read_running
from models.embedded.users import root_address
from tests.e2e.codes import COMPLETE, CONFIRM, ENROL, STEP_UP, Codes

PASSWORD: Final = "fieldward-demo-password"
USERNAMES: Final = ("subject", "minor", "support", "analyst", "privacy", "security", "admin")
STAFF: Final = frozenset({"support", "analyst", "privacy", "security", "admin"})
SERVICE: Final = ("demo-service", "fieldward-demo-secret")
GRAPHQL: Final = "application/graphql-response+json"
JSON: Final = "application/json"
_START_SECONDS: Final = 120  # on a machine that has much else to do
_STOP_SECONDS: Final = 40
_TOKEN_SECONDS: Final = 200  # well before it expires
_PROOF_SECONDS: Final = 600  # well before it is no longer recent

Json = Any  # an answer, as parsed


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


class Server:
    """One `fieldward serve` on its own port and folder; `said()` is all that it wrote so far.

    With `trust` it is asked by https, as a client that trusts these certificates.
    """

    def __init__(
        self, folder: Path, *, launcher: Path | None = None, trust: ssl.SSLContext | None = None, **settings: str
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"{'http' if trust is None else 'https'}://127.0.0.1:{self.port}"
        self._enforcing = settings.get("STEP_UP") == "on"
        self._factors: dict[str, Codes] = {}
        self._log = folder.parent / f"{folder.name}.log"
        given = {"DATA_DIR": str(folder), "PORT": str(self.port), **settings}
        clean = {key: value for key, value in os.environ.items() if not key.startswith("FIELDWARD_")}
        command = [sys.executable, str(launcher)] if launcher else [str(Path(sys.executable).with_name("fieldward"))]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "serve"],
                env=clean | {f"FIELDWARD_{name}": value for name, value in given.items()},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.http = httpx.Client(base_url=self.url, timeout=20, verify=trust or True)

    def ready(self) -> Server:
        """Wait until it answers with its demo data loaded."""
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            if self.process.poll() is not None:
                break
            try:
                if self.http.get("/health/ready").status_code == 200:
                    return self
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        self.stop()
        raise AssertionError(f"it was not ready in time:\n{self.said()}")

    def stop(self) -> None:
        """End it, and wait until it has."""
        self.http.close()
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def said(self) -> str:
        """Standard output and error so far."""
        return self._log.read_text(errors="replace")

    def children(self) -> dict[int, str]:
        """The processes it has started, and what they run."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return {int(pid): Path(f"/proc/{pid}/comm").read_text().strip() for pid in listed}

    def mongod(self) -> int:
        """The process id of its embedded database."""
        return next(pid for pid, name in self.children().items() if name == "mongod")

    def signal_mongod(self, sign: signal.Signals) -> None:
        """Pause, go on with or kill the embedded database."""
        os.kill(self.mongod(), sign)

    def database(self) -> pymongo.MongoClient[dict[str, Any]]:
        """A plain client on the service's own database (`get_default_database()`), who may do everything there."""
        identity = read_running(self.folder / "mongodb")
        assert identity is not None, "the embedded database does not run"
        return pymongo.MongoClient(root_address(identity.port, identity.root, DATABASE))

    def post(
        self,
        query: str,
        variables: Mapping[str, object] | None = None,
        *,
        token: str | None = None,
        purpose: str | None = None,
        accept: str = GRAPHQL,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """One GraphQL request by POST."""
        return self.http.post(
            "/graphql",
            json={"query": query, "variables": dict(variables or {})},
            headers=request_headers(token, purpose, accept) | dict(headers or {}),
        )

    def sign_in(self, login: str, password: str = PASSWORD) -> Account:
        """A signed-in person. Where step-up is asked for, the demo's staff get a second factor and use it."""
        name = login.partition("@")[0]
        answer = self._payload(SIGN_IN, {"login": login, "password": password})
        if answer["secondFactor"] is not None:
            given = {"challenge": answer["secondFactor"]["challenge"], **self._factors[name].proof()}
            answer = self._payload(COMPLETE, {"input": given})
        assert answer["errors"] == [], answer["errors"]
        account = Account(self, answer["accessToken"], answer["refreshToken"], answer["user"]["id"])
        if self._enforcing and name in STAFF and name not in self._factors:
            self._factors[name] = account.enrol()
        account.codes = self._factors.get(name)
        return account

    def _payload(self, query: str, variables: Mapping[str, object]) -> Json:
        response = self.post(query, variables)
        assert response.status_code == 200, f"{response.text}\n{self.said()}"
        [payload] = response.json()["data"].values()
        return payload

    def service(self) -> Account:
        """The demo service, by client credentials."""
        answer = self.http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=SERVICE)
        assert answer.status_code == 200, answer.text
        return Account(self, answer.json()["access_token"], is_service=True)


SIGN_IN: Final = """
mutation ($login: String!, $password: String!) {
  signIn(input: {login: $login, password: $password}) {
    accessToken refreshToken expiresIn user { id } secondFactor { challenge } errors { code message path }
  }
}"""
REFRESH: Final = """
mutation ($token: String!) {
  refreshSession(input: {refreshToken: $token}) { accessToken refreshToken expiresIn errors { code } }
}"""


def request_headers(token: str | None = None, purpose: str | None = None, accept: str = GRAPHQL) -> dict[str, str]:
    """The headers of a GraphQL request."""
    made = {"accept": accept}
    if token is not None:
        made["authorization"] = f"Bearer {token}"
    if purpose is not None:
        made["data-purpose"] = purpose
    return made


@dataclass
class Account:
    """Somebody who is signed in; the token is renewed before it expires, without hashing.

    With `codes`, somebody who has proven themself by a second factor, and does so again in time.
    """

    server: Server
    access_token: str
    refresh_token: str | None = None
    id: str = ""
    codes: Codes | None = None
    is_service: bool = False
    _since: float = field(default_factory=time.monotonic)
    _proven: float = field(default_factory=time.monotonic)

    @property
    def token(self) -> str:
        """A token that holds for some more time."""
        if self.refresh_token is not None and time.monotonic() - self._since > _TOKEN_SECONDS:
            session = self.server.post(REFRESH, {"token": self.refresh_token}).json()["data"]["refreshSession"]
            self.access_token, self.refresh_token = session["accessToken"], session["refreshToken"]
            self._since = time.monotonic()
        if self.is_service and time.monotonic() - self._since > _TOKEN_SECONDS:
            self.access_token, self._since = self.server.service().access_token, time.monotonic()
        if self.codes is not None and time.monotonic() - self._proven > _PROOF_SECONDS:
            self.step_up(**self.codes.proof())
        return self.access_token

    def enrol(self) -> Codes:
        """Get an authenticator app; the session goes on as one that has shown it."""
        made = self.data(ENROL, purpose="ACCOUNT")["enrolTotp"]
        codes = Codes(made["secret"])
        given = {"factorId": made["factorId"], "code": codes.code()}
        confirmed = self.data(CONFIRM, {"input": given}, purpose="ACCOUNT")["confirmTotp"]
        assert confirmed["errors"] == [], confirmed
        self.access_token, codes.recovery = confirmed["accessToken"], confirmed["recoveryCodes"]
        return codes

    def step_up(self, **proof: str) -> None:
        """Prove once more who it is: `password=...`, `code=...` or `recoveryCode=...`."""
        answer = self.server.post(STEP_UP, {"input": proof}, token=self.access_token).json()
        payload = answer["data"]["stepUp"]
        assert payload["errors"] == [], payload
        self.access_token, self._proven = payload["accessToken"], time.monotonic()

    def ask(
        self,
        query: str,
        variables: Mapping[str, object] | None = None,
        *,
        purpose: str | None = None,
        accept: str = GRAPHQL,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """One GraphQL request as this account."""
        return self.server.post(query, variables, token=self.token, purpose=purpose, accept=accept, headers=headers)

    def data(self, query: str, variables: Mapping[str, object] | None = None, *, purpose: str | None = None) -> Json:
        """What a request without errors answers."""
        response = self.ask(query, variables, purpose=purpose)
        answer = response.json()
        assert response.status_code == 200, answer
        assert "errors" not in answer, answer["errors"]
        return answer["data"]
