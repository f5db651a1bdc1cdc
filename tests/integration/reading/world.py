"""A small world to read: generated people in a real MongoDB, asked through the engine as anybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from auth.policy import Policy
from auth.principal import Principal
from graph.catalogue import read_catalogue
from graph.context import Services
from graph.documents import Documents
from graph.engine import Engine
from graph.limits import Limits
from graph.messages import Answer, Client, GraphQLRequest
from graph.operations import Operations
from graph.plan import Planner
from graph.schema import PURPOSE_DIRECTIVE, build, graphql_schema
from models.base import PersonalDocument
from models.database import Database
from models.reader import Reader
from models.registry import DOCUMENTS
from models.user import UserDocument
from models.vocabulary import Purpose
from models.writer import Writer
from tests.stores import clear_row

PEOPLE = 40
Maker = Callable[..., Principal]


class Recorder(CommandListener):
    """Keeps the commands that really went to MongoDB."""

    def __init__(self) -> None:
        self.commands: list[dict[str, Any]] = []

    def started(self, event: CommandStartedEvent) -> None:
        """Note one command."""
        self.commands.append(dict(event.command))

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Not needed."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Not needed."""

    def reads(self) -> list[dict[str, Any]]:
        """The finds and aggregations since the last `clear`."""
        return [command for command in self.commands if "find" in command or "aggregate" in command]

    def clear(self) -> None:
        """Forget."""
        self.commands.clear()


@dataclass
class World:
    """`ask` runs an operation; `slowly` runs it through ordinary resolvers only."""

    database: Database
    ids: list[str]
    engine: Engine
    slow_engine: Engine
    recorder: Recorder = field(default_factory=Recorder)

    async def ask(self, who: Principal, text: str, purpose: Purpose | None = None, **variables: object) -> Answer:
        """The answer by renderers."""
        return await _answer(self.engine, who, text, purpose, variables)

    async def slowly(self, who: Principal, text: str, purpose: Purpose | None = None, **variables: object) -> Answer:
        """The answer by resolvers."""
        return await _answer(self.slow_engine, who, text, purpose, variables)

    async def row(self, identifier: str) -> dict[str, Any]:
        """A person as stored, opened."""
        return await clear_row(self.database, UserDocument, {"_id": identifier})


async def _answer(
    engine: Engine, who: Principal, text: str, purpose: Purpose | None, variables: Mapping[str, Any]
) -> Answer:
    return await engine.answer(
        GraphQLRequest(text, None, variables),
        who,
        declared_purpose=purpose,
        queries_only=False,
        client=Client(),
    )


def make_engine(database: Database, *, by_rows: bool, limits: Limits | None = None) -> Engine:
    """An engine without sign-in, through renderers or resolvers only."""
    schema, limits = graphql_schema(build()), limits or Limits()
    catalogue = read_catalogue(schema)
    purpose = schema.get_directive(PURPOSE_DIRECTIVE)
    assert purpose is not None
    used: dict[str, Any] = {
        "database": database,
        "reader": Reader(database),
        "writer": Writer(database, [it for it in DOCUMENTS if issubclass(it, PersonalDocument)]),
        "region": "eu",
        "max_page": limits.max_page,
    }
    nothing: dict[str, Any] = dict.fromkeys(part.name for part in fields(Services))  # nobody signs in here
    services = Services(**(nothing | used))
    operations = Operations(schema, Planner(schema, catalogue), purpose)
    return Engine(schema, catalogue, Documents(schema, limits), operations, Policy("eu"), services, by_rows=by_rows)
