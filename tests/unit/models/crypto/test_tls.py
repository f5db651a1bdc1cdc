"""The certificate and key of the service: only such that clients can trust are served with, and nothing weak."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from models.crypto.tls import TlsFiles
from models.errors import ConfigurationError
from tests.certificates import Authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """One that signs for this test."""
    return Authority(tmp_path)


@pytest.fixture
def files(authority: Authority) -> TlsFiles:
    """A certificate as it should be."""
    return TlsFiles(*authority.issue("server"))


def problem(files: TlsFiles) -> str:
    """What is said about them, in one line."""
    with pytest.raises(ConfigurationError) as caught:
        files.check(datetime.now(UTC))
    assert "\n" not in caught.value.message
    assert "PRIVATE KEY" not in caught.value.message
    return caught.value.message


def handshake(server: ssl.SSLContext, client: ssl.SSLContext) -> ssl.SSLObject:
    """Let both talk without a network. Raises `ssl.SSLError` as the client sees it; the client's end."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(to_client, to_server, server_hostname="localhost")
    far = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for end in (near, far):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError:
                if end is near:
                    raise
    return near


def test_a_certificate_as_it_should_be_is_taken(files: TlsFiles, authority: Authority) -> None:
    """And a client that trusts its authority gets the newest TLS."""
    files.check(datetime.now(UTC))
    assert handshake(files.server_context(), ssl.create_default_context(cafile=authority.file)).version() == "TLSv1.3"


@pytest.mark.parametrize("days", [(-2, -1), (1, 2)], ids=["over", "not yet"])
def test_a_certificate_out_of_its_time_is_refused(authority: Authority, days: tuple[int, int]) -> None:
    """Clients would not take it."""
    assert problem(TlsFiles(*authority.issue("server", days=days))).startswith("FIELDWARD_TLS_CERTIFICATE holds from ")


def test_a_certificate_for_clients_is_refused(authority: Authority) -> None:
    """The same."""
    files = TlsFiles(*authority.issue("server", usage=ExtendedKeyUsageOID.CLIENT_AUTH))
    assert problem(files) == "FIELDWARD_TLS_CERTIFICATE is not meant for a server (extended key usage)."


def test_a_missing_certificate_is_named(files: TlsFiles, tmp_path: Path) -> None:
    """By its setting."""
    said = problem(TlsFiles(tmp_path / "none.crt", files.key))
    assert said == "FIELDWARD_TLS_CERTIFICATE cannot be read: No such file or directory."


def test_what_is_no_certificate_is_named(files: TlsFiles) -> None:
    """The key in its place, for instance."""
    assert problem(TlsFiles(files.key, files.key)) == "FIELDWARD_TLS_CERTIFICATE is no certificate in PEM form."


def test_a_missing_key_is_named(files: TlsFiles, tmp_path: Path) -> None:
    """By its setting."""
    said = problem(TlsFiles(files.certificate, tmp_path / "none.key"))
    assert said.endswith("No such file or directory. It holds the key of FIELDWARD_TLS_KEY.")


def test_a_key_that_others_can_read_is_refused(files: TlsFiles) -> None:
    """With what to do about it."""
    files.key.chmod(0o640)
    assert problem(files).endswith(f"Run: chmod 600 {files.key}")


def test_a_key_of_another_certificate_is_refused(files: TlsFiles, authority: Authority) -> None:
    """Such a pair cannot answer."""
    _, other = authority.issue("other")
    said = problem(TlsFiles(files.certificate, other))
    assert said == "FIELDWARD_TLS_KEY is not the key of FIELDWARD_TLS_CERTIFICATE."


def test_what_is_no_key_is_refused(files: TlsFiles) -> None:
    """The certificate in its place, for instance."""
    files.certificate.chmod(0o600)
    said = problem(TlsFiles(files.certificate, files.certificate))
    assert said.startswith("FIELDWARD_TLS_CERTIFICATE and FIELDWARD_TLS_KEY cannot be used: ")


def test_a_locked_key_is_refused(files: TlsFiles) -> None:
    """Nobody sits at the terminal to unlock it."""
    key = load_pem_private_key(files.key.read_bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"phrase"))
    files.key.write_bytes(locked)
    assert problem(files).startswith("FIELDWARD_TLS_KEY is locked by a pass phrase")


def test_a_weak_key_is_refused(authority: Authority) -> None:
    """RSA of 1,024 bits has long been within reach."""
    key = rsa.generate_private_key(65_537, 1_024)  # noqa: S505 - what is to be refused
    said = problem(TlsFiles(*authority.issue("server", key=key)))
    assert said == "FIELDWARD_TLS_CERTIFICATE and FIELDWARD_TLS_KEY cannot be used: ee key too small."


def test_nothing_weak_is_offered(files: TlsFiles) -> None:
    """A fresh key for each connection and authenticated encryption (RFC 9325, section 4.2)."""
    context = files.server_context()
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    for suite in context.get_ciphers():
        name = suite["name"]
        assert name.startswith(("TLS_", "ECDHE-")), name
        assert "GCM" in name or "CHACHA20" in name, name


@pytest.mark.parametrize("cipher", ["AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256"], ids=["no fresh key", "CBC"])
def test_a_client_with_weak_suites_only_is_turned_away(files: TlsFiles, authority: Authority, cipher: str) -> None:
    """Also where it speaks TLS 1.2."""
    client = ssl.create_default_context(cafile=authority.file)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers(cipher)
    with pytest.raises(ssl.SSLError, match="alert handshake failure"):
        handshake(files.server_context(), client)


def test_the_service_knows_itself_by_its_certificate(authority: Authority) -> None:
    """Whatever names are in it: it is asked at an address of this machine."""
    files = TlsFiles(*authority.issue("server", ["users.example"]))
    assert handshake(files.server_context(), files.client_context()).version() == "TLSv1.3"


def test_the_service_takes_nobody_else_for_itself(files: TlsFiles, authority: Authority) -> None:
    """A certificate of the same authority and for the same name is not enough."""
    other = TlsFiles(*authority.issue("other"))
    chain = files.certificate.read_bytes() + authority.file.read_bytes()
    files.certificate.write_bytes(chain)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(other.server_context(), files.client_context())
