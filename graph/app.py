"""The composition root: every part is made here and handed to those who need it.

What only computes is made at once; what talks to the database when the application starts.
"""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from multiprocessing import parent_process
from signal import SIGTERM
from typing import Final

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route

from auth.addresses import Addresses
from auth.break_glass import BreakGlass
from auth.clients import Clients
from auth.factors import Enrolment, Factors, relying_party
from auth.identity import Identity
from auth.mail import Notice
from auth.oauth import PATHS as OAUTH_PATHS
from auth.oauth import OAuth
from auth.passwords import Passwords
from auth.policy import Policy
from auth.recovery import Recovery
from auth.revocations import Revocations
from auth.roles import Roles
from auth.sessions import Sessions
from auth.throttle import Throttle
from auth.tickets import Tickets
from auth.tokens import Tokens
from graph import logs, schema
from graph.catalogue import read_catalogue
from graph.commands.demo import DEMO_PASSWORD
from graph.commands.key_store import opened, sealed
from graph.commands.posting import outbox_of
from graph.context import Services
from graph.documents import Documents
from graph.engine import Engine
from graph.front import Application
from graph.health import ROUTES, Metrics, health_routes
from graph.http import GraphQLEndpoint, cors
from graph.limits import Limits
from graph.mail_settings import ACCOUNT_PATH
from graph.operations import Operations
from graph.pages.account import AccountPage
from graph.pages.plain import plain_page
from graph.pages.workbench import ASSETS as WORKBENCH
from graph.pages.workbench import DemoSignIns, Workbench
from graph.plan import Planner
from graph.request_log import RequestLines, RequestLog
from graph.settings import Settings, load_settings
from models import addresses as databases
from models.base import PersonalDocument
from models.crypto.key_file import KeyWatch, load_or_create
from models.crypto.macs import load_or_create_mac_key
from models.database import Database
from models.demo import DEMO_USERNAMES, is_loaded
from models.embedded import die_with_parent, running_addresses
from models.errors import DatabaseUnavailable
from models.keystore import Keys
from models.reader import Reader
from models.registry import DOCUMENTS, check_labels
from models.user import UserDocument
from models.writer import Writer

GRAPHQL_PATH: Final = "/graphql"
_ASSETS_PATH: Final = f"{GRAPHQL_PATH}/assets"
_NAMED_ROUTES: Final = ROUTES | {
    GRAPHQL_PATH,
    ACCOUNT_PATH,
    *OAUTH_PATHS,
}


def create() -> Starlette:
    """The application of one worker process, from the environment (uvicorn's factory)."""
    # A supervisor killed hard could not stop its workers. Its id is the one that multiprocessing remembers:
    # getppid() is another one already when it went while this process was being imported.
    supervisor = parent_process()
    if supervisor is not None and supervisor.pid is not None:
        die_with_parent(supervisor.pid, SIGTERM)()
    settings = load_settings(os.environ)
    logs.configure(development=not settings.production)
    return create_app(settings)


def create_app(
    settings: Settings,
    *,
    addresses: databases.Addresses | None = None,
    database: Database | None = None,
    key_store: Database | None = None,
) -> Starlette:
    """The application. `addresses` name the databases, or `database` and `key_store` are open already.

    With neither: those of the settings, or the embedded server that runs on the data folder. Labels
    are checked here; indexes are made by the command that starts the service. Raises
    `ConfigurationError` for what must not start.
    """
    check_labels()
    parts = _Computing(settings)
    app: Application

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None, None]:
        async with AsyncExitStack() as stack:
            people, store = database, key_store
            if people is None or store is None:
                people, store = await opened(addresses or _addresses(settings), stack)
            keys = await stack.enter_async_context(sealed(people, store, settings))
            app.router.routes.extend(await _connect(parts, settings, people, keys, stack))
            app.shorten(GRAPHQL_PATH)
            # What was made so far lives as long as the process: no collection need look at it again.
            gc.collect()
            gc.freeze()
            stack.callback(gc.unfreeze)
            yield

    lines = RequestLines(readable=not settings.production)
    app = Application(
        lambda inner: RequestLog(inner, routes=_NAMED_ROUTES, lines=lines, metrics=parts.metrics), lifespan=lifespan
    )
    return app


class _Computing:
    """The parts that need no database: schema, documents, plans, policy."""

    def __init__(self, settings: Settings) -> None:
        self.limits = Limits(max_page=settings.max_page)
        self.schema = schema.graphql_schema(schema.build())
        self.catalogue = read_catalogue(self.schema)
        self.documents = Documents(self.schema, self.limits)
        purpose = self.schema.get_directive(schema.PURPOSE_DIRECTIVE)
        if purpose is None:
            raise TypeError("the schema declares @purpose")
        self.operations = Operations(self.schema, Planner(self.schema, self.catalogue), purpose)
        self.policy = Policy(settings.region, step_up=settings.step_up)
        self.metrics = Metrics({"documents": self.documents.__len__})


async def _connect(
    parts: _Computing, settings: Settings, database: Database, keys: Keys, stack: AsyncExitStack
) -> Sequence[BaseRoute]:
    """Make what talks to the database, and the routes; `stack` stops it all."""
    tokens = await _tokens(settings, stack)
    revocations = Revocations(database)
    await revocations.start()
    stack.push_async_callback(revocations.stop)
    clients = Clients(database, revocations, region=settings.region)
    stack.push_async_callback(clients.close)
    services = _services(parts, settings, database, tokens, revocations, stack)
    engine = Engine(parts.schema, parts.catalogue, parts.documents, parts.operations, parts.policy, services)
    workbench = Workbench.read(WORKBENCH, base=_ASSETS_PATH, demo=await _demo(settings, database))
    endpoint = GraphQLEndpoint(
        engine,
        Identity(tokens, revocations, step_up=settings.step_up, secure_cookies=settings.production),
        parts.limits,
        allowed_origins=settings.allowed_origins,
        secure_cookies=settings.production,
        page=plain_page if workbench is None else workbench.page,
    )
    oauth = OAuth(database, clients, tokens, revocations, services.throttle)
    return [
        Route(GRAPHQL_PATH, cors(endpoint, settings.allowed_origins)),
        *([] if workbench is None else [workbench.route(_ASSETS_PATH)]),
        *AccountPage.read(base=ACCOUNT_PATH, api=GRAPHQL_PATH).routes(),
        *oauth.routes(),
        *health_routes(database, keys, parts.metrics),
    ]


async def _tokens(settings: Settings, stack: AsyncExitStack) -> Tokens:
    """Tokens signed by the keys of the file, and by the next ones once it has changed."""
    ring = load_or_create(settings.keys_file)
    tokens = Tokens(ring, issuer=settings.issuer, audience=f"{settings.issuer}{GRAPHQL_PATH}")
    keys = KeyWatch(settings.keys_file, tokens.use)
    await keys.start()
    stack.push_async_callback(keys.stop)
    return tokens


def _services(
    parts: _Computing,
    settings: Settings,
    database: Database,
    tokens: Tokens,
    revocations: Revocations,
    stack: AsyncExitStack,
) -> Services:
    """What resolvers are given."""
    passwords, tickets = Passwords(), Tickets(database)
    stack.callback(passwords.close)
    outbox = outbox_of(settings, database, count=parts.metrics.mail)
    stack.push_async_callback(outbox.stop)
    throttle_key = load_or_create_mac_key(settings.throttle_key_file)
    party = relying_party(settings.issuer, settings.allowed_origins)
    owned = [it for it in DOCUMENTS if issubclass(it, PersonalDocument) and it is not UserDocument]
    sessions = Sessions(
        database,
        passwords,
        tokens,
        revocations,
        on_reuse=lambda person: outbox.notify(person, Notice.SESSION_REUSED),
    )
    return Services(
        database=database,
        reader=Reader(database),
        writer=Writer(database, owned),
        sessions=sessions,
        passwords=passwords,
        revocations=revocations,
        tickets=tickets,
        factors=Factors(database, party),
        enrolment=Enrolment(database, tickets, party),
        outbox=outbox,
        addresses=Addresses(database, tickets, outbox),
        recovery=Recovery(database, tickets, outbox, passwords, sessions),
        roles=Roles(database, revocations),
        break_glass=BreakGlass(database, sessions),
        throttle=Throttle(database, throttle_key, count_loopback=settings.production),
        region=settings.region,
        max_page=settings.max_page,
    )


async def _demo(settings: Settings, database: Database) -> DemoSignIns | None:
    """The sign-ins that the page may offer: never in production, and only where the demo was loaded."""
    if not settings.production:
        with suppress(DatabaseUnavailable):  # the page can do without
            if await is_loaded(database):
                return DemoSignIns(DEMO_USERNAMES, DEMO_PASSWORD)
    return None


def _addresses(settings: Settings) -> databases.Addresses | None:
    """Where the databases are; None where everything is in memory."""
    return settings.addresses or running_addresses(settings.mongodb_dir)
