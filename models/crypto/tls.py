"""The certificate and the key by which the service proves itself to its clients: TLS 1.2 or newer (RFC 9325)."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Never

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from models.crypto.private_file import PrivateFile
from models.errors import ConfigurationError

CERTIFICATE: Final = "FIELDWARD_TLS_CERTIFICATE"
KEY: Final = "FIELDWARD_TLS_KEY"
# RFC 9325, section 4.2: a fresh key for each connection, and authenticated encryption. Level 2 of OpenSSL refuses
# keys of less than 112 bits of strength. TLS 1.3 has only such suites, and is not named here.
CIPHERS: Final = "@SECLEVEL=2:ECDHE+AESGCM:ECDHE+CHACHA20"
_SERVES: Final = frozenset({ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE})


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Two files in PEM form: the certificate, followed by those that lead to its authority, and its key.

    All methods raise `ConfigurationError`, in one line that names the setting, for files that cannot be used.
    """

    certificate: Path
    key: Path

    def check(self, now: datetime) -> None:
        """Whether clients can be served with them at `now`."""
        shown = self._shown()
        if not shown.not_valid_before_utc <= now < shown.not_valid_after_utc:
            since, until = shown.not_valid_before_utc, shown.not_valid_after_utc
            raise ConfigurationError(f"{CERTIFICATE} holds from {since:%Y-%m-%d} to {until:%Y-%m-%d} only: renew it.")
        if not _serves(shown):
            raise ConfigurationError(f"{CERTIFICATE} is not meant for a server (extended key usage).")
        PrivateFile(self.key, f"the key of {KEY}").read()
        self.server_context()

    def server_context(self) -> ssl.SSLContext:
        """What the service answers with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(CIPHERS)
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(self.certificate, self.key, _refuse_pass_phrase)
        except ssl.SSLError as error:
            problem = _unusable(error)
        except OSError as error:
            problem = ConfigurationError(f"{CERTIFICATE} and {KEY} cannot be read: {_reason(error)}.")
        else:
            return context
        raise problem

    def client_context(self) -> ssl.SSLContext:
        """What this machine asks itself with: it trusts this one certificate, whatever names it has, and no other."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.load_verify_locations(cadata=self._shown().public_bytes(Encoding.DER))
        return context

    def _shown(self) -> x509.Certificate:
        try:
            return x509.load_pem_x509_certificates(self.certificate.read_bytes())[0]
        except OSError as error:
            problem = f"{CERTIFICATE} cannot be read: {_reason(error)}."
        except ValueError:
            problem = f"{CERTIFICATE} is no certificate in PEM form."
        raise ConfigurationError(problem)


def _serves(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return not _SERVES.isdisjoint(usage)


def _refuse_pass_phrase() -> Never:
    # OpenSSL would ask for it at the terminal.
    raise ConfigurationError(f"{KEY} is locked by a pass phrase: store it without, readable by its owner only.")


def _unusable(error: ssl.SSLError) -> ConfigurationError:
    if error.reason == "KEY_VALUES_MISMATCH":
        return ConfigurationError(f"{KEY} is not the key of {CERTIFICATE}.")
    words = (error.reason or "no key in PEM form").replace("_", " ").lower()
    return ConfigurationError(f"{CERTIFICATE} and {KEY} cannot be used: {words}.")


def _reason(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else "unknown reason"
