"""Production with TLS on both sides: clients reach the service by it, and the service its MongoDB, or nobody does."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.certificates import Authority
from tests.e2e.conftest import NEW_PASSWORD, REGISTER, Serve
from tests.e2e.secure_mongod import SecureMongod
from tests.e2e.server import Server, free_port

pytestmark = pytest.mark.slow

HSTS = "max-age=63072000; includeSubDomains"
DATABASES = ("MONGODB_URL", "KEYSTORE_URL", "MIGRATOR_URL", "KEYSTORE_MIGRATOR_URL")
ME = "query @purpose(is: ACCOUNT) { me { username email } }"

Refused = Callable[..., str]
START: Serve = Server


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Signs for the service and for its MongoDB."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def trust(authority: Authority) -> ssl.SSLContext:
    """A client that trusts this authority only."""
    return ssl.create_default_context(cafile=authority.file)


@pytest.fixture(scope="module")
def secure_mongod(
    real_mongodb: None, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SecureMongod]:
    """A MongoDB that speaks TLS only."""
    running = SecureMongod(tmp_path_factory.mktemp("secure"), authority)
    yield running
    running.stop()


def production(addresses: dict[str, str], keyring: Path, certificate: Path, key: Path) -> dict[str, str]:
    """All that production asks for, but the data folder, which every `Server` has."""
    return {
        "ENV": "production",
        **addresses,
        "KEYRING": str(keyring),
        "ISSUER": "https://users.example",
        "SMTP_URL": f"smtps://127.0.0.1:{free_port()}",
        "MAIL_FROM": "no-reply@users.example",
        "TLS_CERTIFICATE": str(certificate),
        "TLS_KEY": str(key),
    }


@pytest.fixture(scope="module")
def addresses(secure_mongod: SecureMongod, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The addresses of all users of that MongoDB, by their settings, as its administrator has made them."""
    written = tmp_path_factory.mktemp("addresses") / "fieldward.env"
    done = provision(secure_mongod.admin_url, written)
    assert done.returncode == 0, done.stderr
    lines = dict(line.split("=", 1) for line in written.read_text().splitlines() if not line.startswith("#"))
    return {name.removeprefix("FIELDWARD_"): value.strip("'") for name, value in lines.items()}


@pytest.fixture(scope="module")
def settings(
    addresses: dict[str, str], authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """Those of a service beside that MongoDB."""
    return production(addresses, tmp_path_factory.mktemp("keys") / "root.json", *authority.issue("service"))


def provision(admin_url: str, written: Path) -> subprocess.CompletedProcess[str]:
    """Make the users, as the administrator's address says."""
    return subprocess.run(
        [Path(sys.executable).with_name("fieldward"), "database", "provision", "--output", written],
        env={"FIELDWARD_ENV": "production", "FIELDWARD_ADMIN_URL": admin_url},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def secure(
    settings: dict[str, str], trust: ssl.SSLContext, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A service in production, with two workers."""
    running = START(tmp_path_factory.mktemp("production") / "data", trust=trust, WORKERS="2", **settings)
    yield running.ready()
    running.stop()


@pytest.fixture
def refused(settings: dict[str, str], tmp_path: Path) -> Refused:
    """What a service in production says that does not start with these settings."""

    def start(**changes: str) -> str:
        server = START(tmp_path / "data", **{**settings, **changes})
        try:
            assert server.process.wait(60) == 1
        finally:
            server.stop()
        said = server.said()
        assert said.count("\n") == 1, said
        return said.rstrip()

    return start


def test_a_person_is_served_over_tls(secure: Server) -> None:
    """From the registration to their own data."""
    given = {"username": "tove", "email": "tove@people.example", "password": NEW_PASSWORD}
    assert secure.post(REGISTER, {"input": given}).json()["data"]["register"]["errors"] == []
    tove = secure.sign_in("tove", NEW_PASSWORD)
    assert tove.data(ME)["me"] == {"username": "tove", "email": "tove@people.example"}


def test_the_address_that_it_names_is_https(secure: Server) -> None:
    """It is asked there before it is named."""
    named, until = f"Fieldward answers at https://127.0.0.1:{secure.port}/graphql", time.monotonic() + 20
    while named not in secure.said() and time.monotonic() < until:
        time.sleep(0.05)
    assert named in secure.said()


@pytest.mark.parametrize("path", ["/graphql", "/health/live", "/health/ready", "/oauth/token", "/account", "/nowhere"])
def test_every_answer_says_that_there_is_tls_only(secure: Server, path: str) -> None:
    """RFC 6797, section 7.1; once, and whatever its status is."""
    assert secure.http.get(path).headers.get_list("strict-transport-security") == [HSTS]


def test_a_request_that_is_no_http_is_answered_so_too(secure: Server, trust: ssl.SSLContext) -> None:
    """It reaches none of the service's own code."""
    with (
        socket.create_connection(("127.0.0.1", secure.port), timeout=10) as plain,
        trust.wrap_socket(plain, server_hostname="localhost") as encrypted,
    ):
        encrypted.sendall(b"nonsense\r\n\r\n")
        answer = encrypted.recv(4096)
    assert answer.startswith(b"HTTP/1.1 400")
    assert HSTS.encode() in answer


def test_a_plain_request_gets_no_answer(secure: Server) -> None:
    """Not even a redirection, which somebody in between could change."""
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{secure.port}/health/live")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_tls_is_turned_away(secure: Server, authority: Authority) -> None:
    """TLS 1.2 is spoken, 1.1 is not (RFC 8996); this client itself would go so far down."""
    assert spoken(secure, authority, ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
    with pytest.raises(ssl.SSLError):
        spoken(secure, authority, ssl.TLSVersion.TLSv1_1)


def spoken(secure: Server, authority: Authority, newest: ssl.TLSVersion) -> str | None:
    """What a client and the service agree on that speaks `newest` and all before it."""
    client = ssl.create_default_context(cafile=authority.file)
    client.set_ciphers("ALL:@SECLEVEL=0")
    client.minimum_version, client.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, newest
    with (
        socket.create_connection(("127.0.0.1", secure.port), timeout=10) as plain,
        client.wrap_socket(plain, server_hostname="127.0.0.1") as encrypted,
    ):
        return encrypted.version()


def test_who_does_not_know_the_authority_does_not_talk_to_it(secure: Server) -> None:
    """As a client would take a stranger for the service otherwise."""
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{secure.url}/health/live")


def test_connections_that_come_to_nothing_leave_no_line(secure: Server) -> None:
    """Whoever scans the port would fill the log."""
    before = secure.said()
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{secure.port}/health/live")
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{secure.url}/health/live")
    assert secure.http.get("/health/live").status_code == 200
    [line] = secure.said().removeprefix(before).splitlines()
    assert '"route":"/health/live"' in line


def test_a_database_address_without_tls_stops_the_start(refused: Refused, addresses: dict[str, str]) -> None:
    """Before anything is sent there."""
    assert refused(MONGODB_URL=addresses["MONGODB_URL"].replace("tls=true", "tls=false")) == (
        "fieldward: FIELDWARD_MONGODB_URL must use TLS in production (tls=true or mongodb+srv://)."
    )


@pytest.mark.parametrize("name", DATABASES)
def test_a_database_of_a_strange_authority_stops_the_start(
    refused: Refused, addresses: dict[str, str], tmp_path: Path, name: str
) -> None:
    """It may be anybody's; and the credential has not left."""
    said = refused(**{name: trusting(addresses[name], Authority(tmp_path, "stranger").file)})
    assert said.startswith(f"fieldward: The certificate of the MongoDB at FIELDWARD_{name} is not trusted here")


def test_an_administrator_is_sent_to_no_stranger(secure_mongod: SecureMongod, tmp_path: Path) -> None:
    """Who makes the users holds the greatest right of all."""
    stranger = Authority(tmp_path, "stranger").file
    done = provision(trusting(secure_mongod.admin_url, stranger), tmp_path / "fieldward.env")
    assert done.returncode == 1
    assert "The certificate of the MongoDB at FIELDWARD_ADMIN_URL is not trusted here" in done.stderr
    assert "Traceback" not in done.stderr


def trusting(url: str, authority: Path) -> str:
    """The same address with another file of authorities."""
    return re.sub("tlsCAFile=[^&]+", f"tlsCAFile={authority}", url)


@pytest.mark.parametrize("content", [None, "no certificate"], ids=["missing", "of something else"])
def test_a_file_of_authorities_that_cannot_be_used_stops_the_start(
    refused: Refused, addresses: dict[str, str], tmp_path: Path, content: str | None
) -> None:
    """In one line."""
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)
    said = refused(MONGODB_URL=trusting(addresses["MONGODB_URL"], tmp_path / "ca.pem"))
    assert said == "fieldward: FIELDWARD_MONGODB_URL names a file for TLS that cannot be read or used."


def test_a_certificate_that_is_over_stops_the_start(refused: Refused, authority: Authority) -> None:
    """Before the database is asked for anything."""
    certificate, key = authority.issue("over", days=(-9, -2))
    said = refused(TLS_CERTIFICATE=str(certificate), TLS_KEY=str(key))
    assert said.startswith("fieldward: FIELDWARD_TLS_CERTIFICATE holds from ")


def test_development_may_use_tls_too(serve: Serve, authority: Authority, trust: ssl.SSLContext) -> None:
    """With one worker; a browser is bound to nothing by it."""
    certificate, key = authority.issue("development")
    server = serve(trust=trust, TLS_CERTIFICATE=str(certificate), TLS_KEY=str(key))
    answer = server.http.get("/health/ready")
    assert "strict-transport-security" not in answer.headers
    assert server.sign_in("subject").data(ME)["me"]["username"] == "subject"
