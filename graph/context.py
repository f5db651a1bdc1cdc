"""What resolvers are given: who asks, what was admitted, and the ways to rows."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import strawberry
from graphql.execution.values import VariableValues, get_argument_values

from auth.addresses import Addresses
from auth.break_glass import BreakGlass
from auth.factors import Enrolment, Factors
from auth.mail import Outbox
from auth.passwords import Passwords
from auth.principal import Principal
from auth.recovery import Recovery
from auth.revocations import Revocations
from auth.roles import Roles
from auth.sessions import Sessions
from auth.throttle import Throttle
from auth.tickets import Tickets
from graph.explaining.explainer import Explainer
from graph.gate import Admission, RootAccess
from graph.messages import Client, Cookie
from graph.purpose import Declared
from graph.rendering import Tally
from graph.rows import Row, RowList
from models.database import Database, Raw
from models.errors import BadInput
from models.reader import Reader
from models.reading import Loaded, Variant
from models.vocabulary import Relation
from models.writer import Writer

_PERSON: Final = "User"
Found: TypeAlias = tuple[Raw, Variant]


@dataclass(frozen=True, slots=True)
class Services:
    """What lives as long as the process."""

    database: Database
    reader: Reader
    writer: Writer
    sessions: Sessions
    passwords: Passwords
    revocations: Revocations
    tickets: Tickets
    factors: Factors
    enrolment: Enrolment
    outbox: Outbox
    addresses: Addresses
    recovery: Recovery
    roles: Roles
    break_glass: BreakGlass
    throttle: Throttle
    region: str
    max_page: int


@dataclass(slots=True)
class Context:
    """One operation being run. `arguments` are those of each root field, coerced, by response key;
    `declared` is what the request said of its purpose; `by_rows` False makes every row go through
    ordinary resolvers."""

    principal: Principal
    services: Services
    client: Client
    admission: Admission
    variables: VariableValues
    arguments: Mapping[str, Mapping[str, Any]]
    declared: Declared
    explainer: Explainer
    by_rows: bool = True
    tally: Tally = field(default_factory=Tally)
    cookies: list[Cookie] = field(default_factory=list)

    def access(self, info: Info) -> RootAccess | None:
        """What was admitted for the root field being resolved; None when it gives null."""
        access = self.admission.roots[str(info.path.key)]
        return None if access.closed else access

    async def find(self, access: RootAccess, filter: Mapping[str, Any]) -> Found | None:  # noqa: A002 - MongoDB's own word
        """The one person that `filter` names, as `access` allows."""
        relation = access.relation or Relation.OTHER
        return await self.services.reader.one(access.reading, relation, filter, self._limits(access))

    async def person(self, access: RootAccess, filter: Mapping[str, Any]) -> Row | None:  # noqa: A002 - MongoDB's own word
        """The same, for ordinary resolvers."""
        found = await self.find(access, filter)
        return Row(*found, access.judge, self.tally) if found else None

    async def load(
        self,
        access: RootAccess,
        filter: Mapping[str, Any],  # noqa: A002 - MongoDB's own word
        sort: Sequence[tuple[str, int]],
        limit: int,
    ) -> Loaded:
        """A page of people, as `access` allows; the order's path is loaded for the cursors."""
        return await self.services.reader.many(
            access.reading,
            self.principal.person,
            filter,
            sort,
            limit,
            self._limits(access),
            extra=sort[0][0],
        )

    def rows(self, access: RootAccess, loaded: Loaded) -> RowList:
        """What was loaded, for ordinary resolvers."""
        return RowList(loaded, access.judge, self.tally)

    def render(self, row: Row, position: tuple[str, ...]) -> dict[str, Any] | None:
        """The answer for a row by its renderer, or None when it has none."""
        if not self.by_rows:
            return None
        renderer = self.admission.roots[position[0]].renderer(position, row.type_name, row.variant)
        return renderer.row(row.raw, self.tally) if renderer else None

    def render_all(self, loaded: Loaded, position: tuple[str, ...]) -> list[dict[str, Any]] | None:
        """The answers for rows read together, or None when they have no renderer."""
        if not self.by_rows:
            return None
        access, tally = self.admission.roots[position[0]], self.tally
        usual = access.renderer(position, _PERSON, loaded.uniform)
        if usual is None:
            return None
        if not loaded.exceptions:
            return usual.rows(loaded.raws, tally)
        answers: list[dict[str, Any]] = []
        for place, variant in sorted(loaded.exceptions.items()):
            own = access.renderer(position, _PERSON, variant)
            if own is None:
                return None
            answers += usual.rows(loaded.raws[len(answers) : place], tally)
            answers.append(own.row(loaded.raws[place], tally))
        return answers + usual.rows(loaded.raws[len(answers) :], tally)

    def _limits(self, access: RootAccess) -> dict[Hashable, int]:
        limits: dict[Hashable, int] = {}
        if not access.nested:
            return limits
        for key, entry in access.nested.items():
            if entry.definition is not None:
                values = get_argument_values(entry.definition, entry.nodes[0], self.variables, None)
                limits[key] = page_size(values.get("first"), self.services.max_page)
        return limits


Info: TypeAlias = strawberry.Info[Context, None]


def page_size(first: int | None, most: int) -> int:
    """Check a page size; raises `BadInput` for one outside 1 to `most`."""
    if first is None:
        return 20
    if not 1 <= first <= most:
        raise BadInput(f'"first" must be from 1 to {most}.', path=("first",))
    return first
