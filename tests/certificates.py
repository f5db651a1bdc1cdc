"""Certificates for servers under test, and throw-away authorities that sign them: nobody else trusts either."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LOOPBACK: Final = ("127.0.0.1", "localhost")
Key: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_PEM: Final = serialization.Encoding.PEM


class Authority:
    """One authority; `file` is what its clients trust. All files are in `folder`."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(f"Throw-away {name}")
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        made = _builder(self._name, self._name, self._key).add_extension(constraints, critical=True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(made.sign(self._key, hashes.SHA256()).public_bytes(_PEM))

    def issue(
        self,
        name: str,
        hosts: Sequence[str] = LOOPBACK,
        *,
        days: tuple[int, int] = (-1, 1),
        usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH,
        key: Key | None = None,
    ) -> tuple[Path, Path]:
        """The files of a certificate for servers called `hosts`, and of its key; it holds from and until so many `days`
        from now."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        made = (
            _builder(_named(name), self._name, key, days)
            .add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        )
        certificate, private = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        certificate.write_bytes(made.sign(self._key, hashes.SHA256()).public_bytes(_PEM))
        private.touch(mode=0o600)
        private.write_bytes(_pem(key))
        return certificate, private


def make_certificate(path: Path) -> Path:
    """Write a certificate for 127.0.0.1 that is its own authority to `path`, with its key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), _named("127.0.0.1")
    names = x509.SubjectAlternativeName([_host("127.0.0.1")])
    made = _builder(name, name, key).add_extension(names, critical=False).sign(key, hashes.SHA256())
    path.write_bytes(_pem(key) + made.public_bytes(_PEM))
    return path


def _builder(
    subject: x509.Name, issuer: x509.Name, key: Key, days: tuple[int, int] = (-1, 1)
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
    )


def _pem(key: Key) -> bytes:
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
