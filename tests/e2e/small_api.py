"""A small API over HTTP with a made-up schema, engine and identity: what the tests of HTTP talk to."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx
from graphql import OperationType, execute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from auth.identity import Credentials
from auth.principal import NOBODY, Kind, Principal, Shape
from graph.documents import Documents
from graph.errors import STATUS, error_map, fieldward_error, format_error
from graph.http import GraphQLEndpoint, cors
from graph.limits import Limits
from graph.messages import Answer, Client, GraphQLRequest
from graph.variables import VariablesError, coerce_variables
from models.errors import FieldwardError
from tests.unit.graph.small_schema import small_schema

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
GOOD = {"query": "{me{id}}"}
LIMITS = Limits(max_body_bytes=50_000, seconds=0.3, body_seconds=0.2)
PERSON = Principal(Shape(Kind.PERSON), id="usr_eu_1")
WITH_COOKIE = Principal(Shape(Kind.PERSON), id="usr_eu_1", from_cookie=True)


@dataclass
class SmallEngine:
    """Runs a query as the real engine does, without a policy; `answer_with` overrides it."""

    answer_with: Answer | None = None
    raises: BaseException | None = None
    delay: float = 0.0
    asked: list[tuple[GraphQLRequest, str | None, Client]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.schema = small_schema()
        self.documents = Documents(self.schema, LIMITS)

    async def answer(
        self,
        request: GraphQLRequest,
        principal: Principal,  # noqa: ARG002 - the real engine's signature
        *,
        declared_purpose: str | None,
        queries_only: bool,
        client: Client,
    ) -> Answer:
        """Answer one request."""
        self.asked.append((request, declared_purpose, client))
        await asyncio.sleep(self.delay)
        if self.raises is not None:
            raise self.raises
        return self.answer_with or self._run(request, queries_only=queries_only)

    def _run(self, request: GraphQLRequest, *, queries_only: bool) -> Answer:
        document = self.documents.get(request.query)
        if document.errors:
            return Answer({"errors": list(document.errors)}, 400)
        try:
            operation = self.documents.operation(document, request.operation_name)
            if queries_only and operation.operation is not OperationType.QUERY:
                return Answer({"errors": [error_map("Use POST for mutations.", "BAD_USER_INPUT")]}, 405)
            variables = coerce_variables(self.schema, operation, request.variables)
            self.documents.check_cost(document, request.operation_name, variables.coerced)
        except VariablesError as error:
            return Answer({"errors": error.errors}, 400)
        except FieldwardError as error:
            return Answer({"errors": [fieldward_error(error)]}, STATUS[error.code])
        result = execute(
            self.schema,
            document.ast,
            {"me": {"id": "1"}},
            variable_values=dict(request.variables),
            operation_name=request.operation_name,
        )
        assert not asyncio.iscoroutine(result)
        body: dict[str, Any] = {"data": result.data}  # type: ignore[union-attr]  # synchronous by the schema
        if result.errors:  # type: ignore[union-attr]  # it is there, or the test fails
            body["errors"] = [format_error(error) for error in result.errors]  # type: ignore[union-attr]  # it is there, or the test fails
        return Answer(body)


@dataclass
class SmallIdentity:
    """Says that everybody is `who`."""

    who: Principal = NOBODY
    raises: Exception | None = None

    async def principal(self, credentials: Credentials) -> Principal:  # noqa: ARG002 - the real signature
        """The same for every connection."""
        if self.raises is not None:
            raise self.raises
        return self.who


class SmallApi:
    """The endpoint with its engine and identity, and a client that talks to it."""

    def __init__(self, who: Principal = NOBODY, origins: frozenset[str] = frozenset(), *, secure: bool = True) -> None:
        self.engine = SmallEngine()
        self.identity = SmallIdentity(who)
        self.endpoint = GraphQLEndpoint(self.engine, self.identity, LIMITS, origins, secure_cookies=secure)
        self.app: ASGIApp = cors(self.endpoint, origins)
        self.client = client_of(self.app)

    async def post(self, content: object, *, accept: str = GRAPHQL, **headers: str) -> httpx.Response:
        """Send a POST: bytes as they are, else as JSON."""
        sent = {
            "accept": accept,
            "content-type": JSON,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        if isinstance(content, bytes):
            return await self.client.post("/graphql", content=content, headers=sent)
        return await self.client.post("/graphql", json=content, headers=sent)

    async def get(
        self, *, accept: str = GRAPHQL, headers: dict[str, str] | None = None, **parameters: str
    ) -> httpx.Response:
        """Send a GET with parameters."""
        return await self.client.get("/graphql", params=parameters, headers={"accept": accept, **(headers or {})})

    async def assert_still_answers(self) -> None:
        """The next good query is answered."""
        response = await self.post(GOOD)
        assert (response.status_code, response.json()) == (200, {"data": {"me": {"id": "1"}}})


def client_of(app: ASGIApp) -> httpx.AsyncClient:
    """A client that talks to `app` without a network."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://api.example")


def code_of(response: httpx.Response) -> str:
    """The code of the first error, in an answer that has errors and no data."""
    body = response.json()
    assert "data" not in body
    code: str = body["errors"][0]["extensions"]["code"]
    return code


async def call(app: ASGIApp, chunks: list[Message | float], **headers: str) -> list[Message]:
    """Call an app with a body that comes in pieces; a number waits that many seconds."""
    sent: list[Message] = []
    waiting = iter(chunks)

    async def receive() -> Message:
        for item in waiting:
            if isinstance(item, float):
                await asyncio.sleep(item)
            else:
                return item
        return await asyncio.Event().wait()  # type: ignore[return-value]  # never returns

    async def send(message: Message) -> None:
        sent.append(message)

    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope: Scope = {
        "type": "http",
        "method": "POST",
        "scheme": "https",
        "path": "/graphql",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), *raw],
        "client": ("192.0.2.1", 1),
    }
    handlers: tuple[Receive, Send] = (receive, send)
    await app(scope, *handlers)
    return sent
