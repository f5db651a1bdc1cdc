"""Mails by SMTP (RFC 5321), encrypted: TLS from the first byte (RFC 8314) or by STARTTLS (RFC 3207)."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

import aiosmtplib

from auth.mail.mailer import NotSent

SECONDS: Final = 20.0  # for one mail, from the connection on
_PERMANENT: Final = range(500, 600)


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mails go. `implicit`: TLS from the first byte; otherwise STARTTLS unless `plain`."""

    host: str
    port: int
    implicit: bool = False
    plain: bool = False
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    @classmethod
    def read(cls, url: str) -> SmtpServer:
        """From `smtps://user:password@host:465` or `smtp://host:587`; `?tls=off` sends without TLS.

        Raises `ValueError`, without the address, for anything else.
        """
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        plain = options.pop("tls", "on") == "off"
        odd = options or parts.path.strip("/") or parts.fragment or not parts.hostname
        implicit = parts.scheme == "smtps"
        if parts.scheme not in ("smtp", "smtps") or odd or (implicit and plain) or (parts.password and plain):
            raise ValueError("not an SMTP address")
        port = parts.port or (465 if implicit else 587)
        username, password = (None if it is None else unquote(it) for it in (parts.username, parts.password))
        return cls(parts.hostname or "", port, implicit, plain, username or None, password)


class SmtpMailer:
    """One connection per mail. `context` decides which certificates are trusted; by default the system's."""

    def __init__(self, server: SmtpServer, *, context: ssl.SSLContext | None = None) -> None:
        self._server, self._context = server, context or ssl.create_default_context()

    async def send(self, message: EmailMessage) -> None:
        """Hand over to the server. Raises `NotSent`: for good only when the server refuses this very mail."""
        server = self._server
        try:
            await aiosmtplib.send(
                message,
                hostname=server.host,
                port=server.port,
                use_tls=server.implicit,
                start_tls=not (server.implicit or server.plain),
                tls_context=self._context,
                username=server.username,
                password=server.password,
                # Left to itself the library looks this machine's name up, on the event loop.
                local_hostname=message["From"].addresses[0].domain,
                timeout=SECONDS,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            again = all(one.code not in _PERMANENT for one in error.recipients)
        except (aiosmtplib.SMTPAuthenticationError, aiosmtplib.SMTPConnectError):
            again = True  # a matter of the server, which somebody may mend
        except aiosmtplib.SMTPResponseException as error:
            again = error.code not in _PERMANENT
        except aiosmtplib.SMTPNotSupported:
            again = False
        except (aiosmtplib.SMTPException, OSError):
            again = True
        else:
            return
        # Outside of the handlers: the library's errors name the recipient.
        raise NotSent("The mail server did not take a mail.", again=again)
