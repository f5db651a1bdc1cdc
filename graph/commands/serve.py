"""`fieldward serve`: everything a running service needs, started together and stopped together."""

from __future__ import annotations

import asyncio
import http.client
import os
import signal
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final, Never

import typer
import uvicorn
from uvicorn.supervisors import Multiprocess

from auth.passwords import Passwords
from graph import logs
from graph.app import GRAPHQL_PATH, create_app
from graph.commands.demo import load_demo, sign_ins
from graph.commands.encryption import check_tls, encryption
from graph.commands.key_store import journal_of, open_key_store, sealed
from graph.commands.listening import listen, reachable, trusted
from graph.commands.migrating import migrate, require_migrated
from graph.commands.opening import KEYS_BESIDE_DATA, Say, connect, embedded_mongodb, migrated
from graph.connections import PromptProtocol
from graph.settings import Settings, load_settings, unknown_settings
from models.addresses import Addresses
from models.crypto.key_file import load_or_create
from models.database import Database
from models.demo import is_loaded
from models.embedded import Embedded
from models.registry import check_labels
from models.replay import replay
from models.user import UserDocument

CLEAR_VALUES: Final = (
    "WARNING: some personal values are stored in the clear, by an earlier version. Seal them while the service runs: "
    "fieldward keys seal"
)
_CONNECTIONS: Final = 2_000  # per worker; those over it get 503
_KEEP_ALIVE: Final = 5  # seconds
_GRACE: Final = 15  # seconds for what was begun, when told to stop
_PAUSE: Final = 0.1  # seconds


@dataclass(frozen=True, slots=True)
class _Prepared:
    """Whether the demo people are there; databases in memory, which are open and have to stay so."""

    demo: bool
    database: Database | None = None
    key_store: Database | None = None


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @app.command()
    def serve() -> None:
        """Start the API, with the embedded MongoDB unless FIELDWARD_MONGODB_URL is set."""
        settings = load_settings(os.environ)
        check_tls(settings)
        for name in unknown_settings(os.environ):
            typer.echo(f"WARNING: {name} is not a setting of this version, so it changes nothing.", err=True)
        # TERM would end the process without stopping what it started; from here on it unwinds like Ctrl-C.
        signal.signal(signal.SIGTERM, _unwind)
        with suppress(KeyboardInterrupt):
            _serve(settings, typer.echo)
        typer.echo("Stopped.")


def _unwind(_signal: int, _frame: FrameType | None) -> Never:
    raise KeyboardInterrupt


def _serve(settings: Settings, say: Say) -> None:
    logs.configure(development=not settings.production)
    with ExitStack() as stack:
        listening = stack.enter_context(closing(listen(settings)))
        addresses = settings.addresses
        if own := addresses is None:
            server = stack.enter_context(embedded_mongodb(settings, say))
            addresses = server.addresses if server else None
            stack.enter_context(_watching(server, say))
        elif settings.keystore_url is None:
            say(KEYS_BESIDE_DATA)
        ready = asyncio.run(_prepare(addresses, settings, say, own=own))
        where = _place(settings) if ready.database is None else "in memory"
        _announce_when_ready(settings, say, where=where, demo=ready.demo)
        if ready.database is not None or settings.workers == 1:
            if settings.workers > 1:
                say("In memory there is one worker only: others would not see its data.")
            application = create_app(settings, addresses=addresses, database=ready.database, key_store=ready.key_store)
            uvicorn.Server(uvicorn.Config(application, **_options(settings))).run([listening])
        else:
            config = uvicorn.Config("graph.app:create", factory=True, workers=settings.workers, **_options(settings))
            Multiprocess(config, [listening]).run()


async def _prepare(addresses: Addresses | None, settings: Settings, say: Say, *, own: bool) -> _Prepared:
    """Check keys and databases, make what this version needs, undo what a restored backup has undone, load the demo."""
    check_labels()
    # The workers load the keys themselves, but what is wrong with the file could no longer be said in one line there.
    load_or_create(settings.keys_file)
    async with AsyncExitStack() as stack:
        database = await connect(addresses.api if addresses else None, settings, say)
        stack.push_async_callback(database.close)
        if addresses is not None:
            await (migrated(addresses, settings) if settings.may_migrate else require_migrated(database))
        store = await open_key_store(addresses.keystore if addresses else None)
        stack.push_async_callback(store.close)
        if addresses is None:
            await migrate(database, store, settings)
        async with sealed(database, store, settings) as keys:
            if erased := await replay(database, keys, journal_of(settings)):
                say(f"{erased} people who were erased before are erased again: a backup had brought them back.")
            if not keys.sealed:
                say(CLEAR_VALUES)
            demo = not settings.production and await _load_demo(database, settings, own=own)
        if database.in_memory:
            stack.pop_all()  # both live on in the application
            return _Prepared(demo, database, store)
    return _Prepared(demo)


async def _load_demo(database: Database, settings: Settings, *, own: bool) -> bool:
    """Load the demo, unless the database is somebody's own, which may hold real people; whether it is there."""
    if own or await database.find_one(UserDocument, {}, projection={"_id": 1}) is None:
        with closing(Passwords()) as passwords:
            await load_demo(database, passwords, region=settings.region, production=settings.production)
    return await is_loaded(database)


def _options(settings: Settings) -> dict[str, Any]:
    return {
        "loop": "graph.connections:PromptLoop",
        "http": PromptProtocol,
        "ws": "none",
        "lifespan": "on",
        "log_config": None,
        "log_level": "warning",
        "access_log": False,  # its lines hold query strings
        "server_header": False,
        # Left alone, uvicorn would believe whoever calls from this machine.
        "proxy_headers": bool(settings.trusted_proxies),
        "forwarded_allow_ips": trusted(settings),
        "limit_concurrency": _CONNECTIONS,
        "timeout_keep_alive": _KEEP_ALIVE,
        "timeout_graceful_shutdown": _GRACE,
        **encryption(settings),
    }


@contextmanager
def _watching(server: Embedded | None, say: Say) -> Iterator[None]:
    """Say so when the embedded server dies while it should run; the API answers UNAVAILABLE from then on."""
    stopping = threading.Event()

    def watch(process: subprocess.Popen[bytes]) -> None:
        process.wait()
        if not stopping.is_set():
            say(f"The embedded MongoDB has died (exit code {process.returncode}). Start again: its data is kept.")

    if server is not None:
        threading.Thread(target=watch, args=(server.process,), daemon=True).start()
    try:
        yield
    finally:
        stopping.set()


def _announce_when_ready(settings: Settings, say: Say, *, where: str, demo: bool) -> None:
    """Print where to go once the API answers, whichever process it is that does."""

    trusting = settings.tls.client_context() if settings.tls else None
    scheme = "https" if settings.tls else "http"

    def announce() -> None:
        while not _is_ready(settings, trusting):
            time.sleep(_PAUSE)
        host = reachable(settings)
        shown = f"[{host}]" if ":" in host else host
        say(f"Fieldward answers at {scheme}://{shown}:{settings.port}{GRAPHQL_PATH} (data {where})")
        if demo:
            for line in sign_ins():
                say(f"  {line}")
        if settings.smtp_url is None:
            say(f"  Mails are not sent: each becomes a file in {settings.mail_dir}")
        say("Ctrl-C stops it.")

    threading.Thread(target=announce, daemon=True).start()


def _is_ready(settings: Settings, trusting: ssl.SSLContext | None) -> bool:
    """Whether it answers; by https where `trusting` is given, which says whose certificate is believed."""
    host, port = reachable(settings), settings.port
    connection = (
        http.client.HTTPSConnection(host, port, timeout=2, context=trusting)
        if trusting is not None
        else http.client.HTTPConnection(host, port, timeout=2)
    )
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def _place(settings: Settings) -> str:
    return "in your MongoDB" if settings.mongodb_url else f"in {settings.mongodb_dir}"
