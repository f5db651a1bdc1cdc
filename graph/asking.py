"""Turns the root fields of a request into what the gate decides: whose rows, and what is touched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql.execution.values import VariableValues

from auth.principal import Principal
from graph.access import Rows
from graph.arguments import Chosen, arguments_of, chosen, touched_by
from graph.catalogue import Catalogue
from graph.gate import Asked, Gate
from graph.plan import Plan, PlanRoot
from models.database import Database
from models.user import UserDocument
from models.vocabulary import Purpose, Relation

Arguments = Mapping[str, Mapping[str, Any]]
_NO_ARGUMENTS: Mapping[str, Any] = {}


def arguments_by_root(plan: Plan, variables: VariableValues) -> Arguments:
    """The coerced arguments of each root field, by response key."""
    return {root.field.key: arguments_of(root, variables) for root in plan.roots}


class Asker:
    """Looks at arguments, and where it matters at the caller's own row."""

    def __init__(self, gate: Gate, catalogue: Catalogue, database: Database) -> None:
        self._gate = gate
        self._catalogue = catalogue
        self._database = database

    async def ask(
        self, plan: Plan, arguments: Arguments, principal: Principal, purpose: Purpose | None
    ) -> tuple[Asked, ...]:
        """What each root asks for."""
        return tuple([await self._root(root, arguments[root.field.key], principal, purpose) for root in plan.roots])

    async def _root(
        self, root: PlanRoot, arguments: Mapping[str, Any], principal: Principal, purpose: Purpose | None
    ) -> Asked:
        touched = touched_by(root, arguments, self._catalogue) if arguments else ()
        match root.opens.rows:
            case Rows.OWN:
                # A service has no data of its own.
                return Asked(Relation.OTHER if principal.person is None else Relation.SELF, touched)
            case Rows.MANY:
                return Asked(None, touched)
            case Rows.CHOSEN:
                target = chosen(root, arguments)
                if target is not None and target.path == "_id" and target.value != principal.person:
                    return Asked(Relation.OTHER, touched)
                matters = self._gate.relation_matters(principal.shape, purpose, root, touched)
                own = target is None or (matters and await self._is_own(target, principal))
                return Asked(Relation.SELF if own and principal.person else Relation.OTHER, touched)
            case _:
                return Asked(Relation.SELF, touched)

    async def _is_own(self, target: Chosen, principal: Principal) -> bool:
        """Whether the named person is the caller. Looks only at the caller's own row, so that the
        answer and the work are the same whether anybody else of that name exists."""
        if principal.person is None:
            return False
        if target.path == "_id":
            return target.value == principal.person
        own = {"$and": [{"_id": principal.person}, target.filter]}
        return await self._database.find_one(UserDocument, own, projection={"_id": 1}) is not None
