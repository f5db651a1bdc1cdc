"""Conducts one GraphQL operation: document, plan, purpose, gate, execution, answer.

The order is the product: nothing touches a personal document before the whole operation was decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, Final

from graphql import GraphQLError, GraphQLSchema
from graphql.execution.values import VariableValues

from auth.policy import Policy
from auth.principal import Principal
from graph import direct
from graph.access import Rows
from graph.asking import Asker, arguments_by_root
from graph.catalogue import Catalogue
from graph.context import Context, Services
from graph.documents import Document, Documents
from graph.errors import STATUS, ErrorMap, RefusedError, error_map, fieldward_error, format_error, internal_error
from graph.executor import RowExecutor
from graph.explaining.explainer import Explainer
from graph.gate import Admission, Gate, Question, Refusal
from graph.introspection import Introspection
from graph.messages import Answer, Client, GraphQLRequest
from graph.operations import Operation, Operations
from graph.plan import Plan, Planner
from graph.purpose import Declared, choose
from graph.refusals import nulls, refuse, sign_in_first, withheld
from graph.rows import read_attribute
from graph.variables import coerce_variables
from models.errors import FieldwardError

_SERVERS_PART: Final = frozenset({"UNAVAILABLE", "RATE_LIMITED", "INTERNAL_SERVER_ERROR", "SEAL_BROKEN"})


@dataclass(frozen=True, slots=True)
class _Prepared:
    """An operation with its variables, planned."""

    document: Document
    operation: Operation
    variables: VariableValues
    plan: Plan


class Engine:
    """Answers operations. One per process; holds only caches."""

    def __init__(
        self,
        schema: GraphQLSchema,
        catalogue: Catalogue,
        documents: Documents,
        operations: Operations,
        policy: Policy,
        services: Services,
        *,
        by_rows: bool = True,
    ) -> None:
        self._schema = schema
        self._documents = documents
        self._operations = operations
        self._gate = Gate(policy, catalogue)
        self._asker = Asker(self._gate, catalogue, services.database)
        self._directs = direct.Directs()
        self._introspection = Introspection(schema, catalogue, policy)
        self._explainer = Explainer(schema, documents, Planner(schema, catalogue), catalogue, policy)
        self._services = services
        self._by_rows = by_rows

    async def answer(
        self,
        request: GraphQLRequest,
        principal: Principal,
        *,
        declared_purpose: str | None,
        queries_only: bool,
        client: Client,
    ) -> Answer:
        """Answer one request; every failure is an answer too."""
        try:
            document = self._documents.get(request.query)
            if document.errors:
                return _refused(document.errors)
            prepared = self._prepare(document, request)
            if queries_only and not prepared.operation.is_query:
                return Answer({"errors": [error_map("Mutations go by POST.", "BAD_USER_INPUT")]}, status=405)
            return await self._run(prepared, principal, declared_purpose, client)
        except RefusedError as error:
            return _refused(error.errors)
        except FieldwardError as error:
            return _refused([fieldward_error(error)])
        except GraphQLError as error:  # an argument that turns out wrong only with its variables filled in
            return _refused([format_error(error)])
        except Exception as error:  # noqa: BLE001 - the last resort: logged with an id, shown without its text
            return _refused([internal_error(error)])

    def _prepare(self, document: Document, request: GraphQLRequest) -> _Prepared:
        node = self._documents.operation(document, request.operation_name)
        operation = self._operations.get(document, node)
        variables = coerce_variables(self._schema, node, request.variables)
        self._documents.check_cost(document, request.operation_name, variables.coerced)
        return _Prepared(
            document, operation, variables, self._operations.plan(operation, variables, kept=document.kept)
        )

    async def _run(self, prepared: _Prepared, principal: Principal, header: str | None, client: Client) -> Answer:
        plan = prepared.plan
        directive, on_denied = self._operations.declared(prepared.operation, prepared.variables)
        if not plan.public and not principal.authenticated:
            return sign_in_first(principal, _guarded(plan))
        purpose, why_none = (None, "") if plan.public else choose(principal, directive, header)
        arguments = arguments_by_root(plan, prepared.variables)
        asked = await self._asker.ask(plan, arguments, principal, purpose)
        decided = self._gate.check(Question(plan, principal.shape, purpose, on_denied, asked))
        if isinstance(decided, Refusal):
            return refuse(decided.denials, principal, purpose, why_none)
        context = Context(
            principal,
            self._services,
            client,
            decided,
            prepared.variables,
            arguments,
            Declared(directive, header),
            self._explainer,
            self._by_rows,
        )
        answer = await self._answer(prepared, decided, context)
        if plan.meta is not None:
            self._introspection.complete(answer.body, plan, prepared.operation, context)
        return answer

    async def _answer(self, prepared: _Prepared, admission: Admission, context: Context) -> Answer:
        """Read directly what can be, execute the rest."""
        roots = self._directs.get(admission) if self._by_rows else None
        if roots is not None:
            outcome = await direct.run(roots, context)
            return _assemble(outcome.data, outcome.errors, admission, context)
        result: Any = self._executor(prepared, context).execute_operation()
        if isawaitable(result):
            result = await result
        return _assemble(result.data, [format_error(error) for error in result.errors or ()], admission, context)

    def _executor(self, prepared: _Prepared, context: Context) -> RowExecutor:
        operation = prepared.operation
        return RowExecutor(
            self._schema,
            dict(operation.fragments),
            operation.details,
            None,
            context,
            prepared.plan.operation,
            prepared.variables,
            read_attribute,
            _no_abstract_type,
            read_attribute,
            hide_suggestions=True,
        )


def _assemble(data: dict[str, Any] | None, errors: list[ErrorMap], admission: Admission, context: Context) -> Answer:
    body: dict[str, Any] = {"data": data}
    status = _status(errors, data)
    if admission.denials:
        errors += nulls(admission.denials, admission.purpose)
    if errors:
        body["errors"] = errors
    if context.tally:
        body["extensions"] = {"withheld": withheld(context.tally)}
    personal = not admission.plan.public or bool(context.cookies)
    return Answer(body, status, context.cookies, retry_after=_retry_after(errors), personal=personal)


def _guarded(plan: Plan) -> list[Any]:
    """What nobody may use: the guarded selections, or the root itself where nothing is selected."""
    found = []
    for root in plan.roots:
        if root.opens.rows in (Rows.PUBLIC, Rows.SUBJECT):
            continue
        found += [places[0] for places in root.selected.values()] or [root.field]
    return found


def _refused(errors: Any) -> Answer:  # noqa: ANN401 - a sequence of error maps
    listed: list[ErrorMap] = list(errors)
    status = STATUS.get(listed[0]["extensions"]["code"], 400)
    return Answer({"errors": listed}, status, retry_after=_retry_after(listed))


def _retry_after(errors: list[ErrorMap]) -> int | None:
    """The longest wait that any of the errors asks for."""
    waits: list[int] = [error["extensions"]["retryAfter"] for error in errors if "retryAfter" in error["extensions"]]
    return max(waits, default=None)


def _status(errors: list[ErrorMap], data: Mapping[str, Any] | None) -> int:
    """200 once execution began (GraphQL over HTTP, section 6.4.2), but for an answer of nothing but
    nulls because the server could not do its part."""
    if errors and (data is None or all(value is None for value in data.values())):
        code = errors[0]["extensions"]["code"]
        return STATUS[code] if code in _SERVERS_PART else 200
    return 200


def _no_abstract_type(value: Any, _info: Any, _abstract: Any) -> str | None:  # noqa: ANN401 - graphql-core's signature
    """The concrete type of a row; each row knows its own."""
    return getattr(value, "type_name", None)
