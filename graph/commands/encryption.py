"""How `fieldward serve` encrypts what it sends: its own TLS, and the word to browsers that there is nothing else."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import uvicorn

from graph.settings import Settings
from models.crypto.tls import TlsFiles

HSTS: Final = ("Strict-Transport-Security", "max-age=63072000; includeSubDomains")  # RFC 6797; two years


def check_tls(settings: Settings) -> None:
    """Raise `ConfigurationError` for a certificate or a key that clients cannot be served with."""
    if settings.tls is not None:
        settings.tls.check(datetime.now(UTC))


def encryption(settings: Settings) -> dict[str, Any]:
    """What uvicorn is to be told.

    Its default headers are on every answer, refused requests included. In development this one would bind a browser
    to https for all that runs on this machine.
    """
    return {
        "headers": [HSTS] if settings.production else [],
        # A partial of a function, not a context: workers get it pickled.
        "ssl_context_factory": partial(_context, settings.tls) if settings.tls else None,
    }


def _context(files: TlsFiles, _config: uvicorn.Config, _default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    return files.server_context()
