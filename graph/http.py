"""GraphQL over HTTP, as the draft specification says (https://graphql.github.io/graphql-over-http/draft/).

One endpoint: reads a request, finds out who asks, hands both to the engine, sends its answer. POST
with a JSON body, and GET for queries; one operation per request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any, Final, Protocol

import orjson
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from auth.devices import DEVICE_COOKIE
from auth.identity import REFRESH_COOKIE, Credentials, cookie_name
from auth.principal import Principal
from graph.deadlines import Deadlines
from graph.errors import BAD_USER_INPUT, STATUS, UNAVAILABLE, fieldward_error, internal_error
from graph.headers import PREFLIGHT_HEADER, read_headers
from graph.limits import Limits
from graph.messages import Answer, Client, Cookie, GraphQLRequest
from graph.negotiation import GRAPHQL, JSON, choose_media_type, prefers_html
from graph.observation import Pseudonyms, observation_of
from graph.pages.plain import plain_page
from graph.reading import RequestRefused, check_content, parse_body, parse_query_string, read_body
from models.errors import FieldwardError

Headers = tuple[tuple[bytes, bytes], ...]

CSRF: Final = "CSRF"
_METHODS: Final = (b"allow", b"GET, POST, OPTIONS")
_ALWAYS: Final[Headers] = (
    (b"cache-control", b"no-store"),
    (b"vary", b"Accept, Authorization, Cookie, Data-Purpose"),
    (b"x-content-type-options", b"nosniff"),
)
_HEADERS: Final[Mapping[str, Headers]] = {
    kind: ((b"content-type", f"{kind}; charset=utf-8".encode()), *_ALWAYS) for kind in (GRAPHQL, JSON)
}
_LONGEST_USER_AGENT: Final = 200
_RETRY: Final[Headers] = ((b"retry-after", b"1"),)
_OPTIONS: Final = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC


class Answers(Protocol):
    """What the endpoint needs of the engine."""

    async def answer(
        self,
        request: GraphQLRequest,
        principal: Principal,
        *,
        declared_purpose: str | None,
        queries_only: bool,
        client: Client,
    ) -> Answer: ...


class Identifies(Protocol):
    """What the endpoint needs of `auth.identity`."""

    async def principal(self, credentials: Credentials) -> Principal: ...


@dataclass(slots=True)
class GraphQLEndpoint:
    """The ASGI application at `/graphql`.

    `page` answers browsers. `allowed_origins` (`https://shop.example`) may use cookie sessions from
    elsewhere; `secure_cookies` keeps cookies to HTTPS and to this very host.
    """

    engine: Answers
    identity: Identifies
    limits: Limits
    allowed_origins: frozenset[str] = frozenset()
    secure_cookies: bool = True
    page: ASGIApp = plain_page
    pseudonyms: Pseudonyms = field(default_factory=Pseudonyms)
    _body_deadlines: Deadlines = field(init=False, repr=False)
    _deadlines: Deadlines = field(init=False, repr=False)
    _cookies: tuple[str, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._body_deadlines = Deadlines(self.limits.body_seconds)
        self._deadlines = Deadlines(self.limits.seconds)
        refresh, device = (cookie_name(it, secure=self.secure_cookies) for it in (REFRESH_COOKIE, DEVICE_COOKIE))
        self._cookies = refresh, device

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; every failure becomes a well-formed error."""
        if scope["method"] == "OPTIONS":
            await _send(scope, send, 204, None, (*_ALWAYS, _METHODS))
            return
        headers, credentials = read_headers(scope)
        accept = headers.get("accept")
        if scope["method"] == "GET" and b"query=" not in scope["query_string"] and prefers_html(accept):
            await self.page(scope, receive, send)
            return
        media_type = choose_media_type(accept)
        try:
            if media_type is None:
                raise RequestRefused(406, f"This endpoint answers with {GRAPHQL} or {JSON}.")
            answer = await self._answer(scope, receive, headers, credentials)
        except RequestRefused as refused:
            status = 200 if refused.well_formed and media_type == JSON else refused.status
            _observe(scope, {"errors": [refused.error]})
            await _send(
                scope, send, status, {"errors": [refused.error]}, _HEADERS[media_type or JSON] + refused.headers
            )
        except ClientDisconnect:
            return
        else:
            _observe(scope, answer.body)
            await self._send_answer(scope, send, answer, media_type)

    async def _answer(
        self, scope: Scope, receive: Receive, headers: Mapping[str, str], credentials: Credentials
    ) -> Answer:
        request = await self._read(scope, receive, headers)
        if (observation := observation_of(scope)) is not None:
            observation.document = self.pseudonyms.name(request.query)
        deadline = self._deadlines.begin()
        try:
            with deadline:
                principal = await self.identity.principal(credentials)
                if observation is not None:
                    observation.principal_kind = principal.shape.kind
                    observation.principal = self.pseudonyms.name(principal.id) if principal.id else None
                client = self._client(scope, headers, credentials)
                if principal.from_cookie or client.refresh_token is not None:
                    self._check_origin(scope, headers)
                return await self.engine.answer(
                    request,
                    principal,
                    declared_purpose=headers.get("data-purpose"),
                    queries_only=scope["method"] == "GET",
                    client=client,
                )
        except RequestRefused:
            raise
        except FieldwardError as error:
            return Answer({"errors": [fieldward_error(error)]}, STATUS.get(error.code, 500))
        except Exception as error:  # noqa: BLE001 - the last resort: masked for the client, logged with an id
            if deadline.expired:
                raise RequestRefused(503, "The request took too long.", UNAVAILABLE, headers=_RETRY) from None
            return Answer({"errors": [internal_error(error)]}, 500)

    async def _read(self, scope: Scope, receive: Receive, headers: Mapping[str, str]) -> GraphQLRequest:
        if scope["method"] == "GET":
            return parse_query_string(scope["query_string"])
        if scope["method"] != "POST":
            raise RequestRefused(405, "Use POST, or GET for queries.", headers=(_METHODS,))
        check_content(headers.get("content-type"), headers.get("content-encoding"))
        return parse_body(await read_body(receive, headers.get("content-length"), self.limits, self._body_deadlines))

    def _client(self, scope: Scope, headers: Mapping[str, str], credentials: Credentials) -> Client:
        """Where the request came from; its refresh cookie counts only where no other credential is presented."""
        peer = scope.get("client")
        address = peer[0] if peer else None
        agent = headers.get("user-agent", "")[:_LONGEST_USER_AGENT] or None
        if not credentials.cookies:
            return Client(address, agent)
        refresh, device = (credentials.cookies.get(name) or None for name in self._cookies)
        return Client(address, agent, None if credentials.authorizations else refresh, device)

    def _check_origin(self, scope: Scope, headers: Mapping[str, str]) -> None:
        """Hold cookie sessions to requests that a foreign page cannot make (OWASP, CSRF prevention).

        A POST is `application/json` by now, which browsers send across origins only after asking.
        """
        if scope["method"] == "GET" and PREFLIGHT_HEADER not in headers:
            raise RequestRefused(403, "A cookie session needs the header GraphQL-Require-Preflight with GET.", CSRF)
        origin = headers.get("origin")
        if origin is None or origin in self.allowed_origins:
            return
        if origin != f"{scope['scheme']}://{headers.get('host')}":
            raise RequestRefused(403, "A cookie session cannot be used from this origin.", CSRF)

    async def _send_answer(self, scope: Scope, send: Send, answer: Answer, media_type: str) -> None:
        status = answer.status if media_type == GRAPHQL or answer.status == 405 else 200
        headers = _HEADERS[media_type]
        challenge = answer.challenge or ("Bearer" if status == 401 else None)
        if challenge is not None and status in (401, 403):
            headers += ((b"www-authenticate", challenge.encode("latin-1", "replace")),)
        if status == 405:
            headers += ((b"allow", b"POST"),)
        if answer.retry_after is not None:
            headers += ((b"retry-after", b"%d" % answer.retry_after),)
        for cookie in answer.cookies:
            headers += ((b"set-cookie", self._cookie(cookie)),)
        await _send(scope, send, status, answer.body, headers)

    def _cookie(self, cookie: Cookie) -> bytes:
        jar: SimpleCookie = SimpleCookie()
        name = cookie_name(cookie.name, secure=self.secure_cookies)
        jar[name] = cookie.value or ""
        morsel = jar[name]
        morsel["path"], morsel["httponly"], morsel["samesite"] = cookie.path, True, "Lax"
        morsel["max-age"] = cookie.max_age if cookie.value is not None else 0
        morsel["secure"] = self.secure_cookies
        return morsel.OutputString().encode("latin-1")


def cors(app: ASGIApp, allowed_origins: frozenset[str]) -> ASGIApp:
    """Wrap `app` so that pages of the allowed origins, and no others, may call it with credentials."""
    if not allowed_origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=sorted(allowed_origins),
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", "Data-Purpose", "GraphQL-Require-Preflight", "Sec-GPC"],
        allow_credentials=True,
        expose_headers=["Retry-After", "WWW-Authenticate"],
        max_age=600,
    )


def _observe(scope: Scope, body: Mapping[str, Any]) -> None:
    if "errors" in body and (observation := observation_of(scope)) is not None:
        observation.codes = [error.get("extensions", {}).get("code", BAD_USER_INPUT) for error in body["errors"]]


async def _send(scope: Scope, send: Send, status: int, body: Mapping[str, Any] | None, headers: Headers) -> None:
    content = b""
    if body is not None and scope["method"] != "HEAD":
        try:
            content = orjson.dumps(body, option=_OPTIONS)
        except orjson.JSONEncodeError as error:
            status, content = 500, orjson.dumps({"errors": [internal_error(error)]})
    if body is not None:
        headers += ((b"content-length", b"%d" % len(content)),)
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": content})
