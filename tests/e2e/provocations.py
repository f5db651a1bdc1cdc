"""Every kind of error, provoked with planted values wherever a request can carry one."""

from __future__ import annotations

import base64
import signal
from typing import Final

from tests.e2e.conftest import REGISTER
from tests.e2e.people import UPDATE
from tests.e2e.planted import EMAIL, GIVEN, SECRET, SENT, USERNAME, Planted
from tests.e2e.server import GRAPHQL, SIGN_IN

LITERAL, VARIABLE = SENT["literal"], SENT["variable"]
LOOKUP: Final = "query ($by: UserBy!) { user(by: $by) { id email } }"
DELETE: Final = "mutation ($password: String!) { deleteUser(input: {password: $password}) { errors { code message } } }"
HEADERS: Final = {
    "authorization": f"Bearer {SENT['bearer']}",
    "data-purpose": SENT["header"],
    "cookie": f"fieldward_access={SENT['bearer']}; fieldward_refresh={SENT['header']}; other={SENT['header']}",
    "user-agent": SENT["header"],
    "origin": f"https://{SENT['header']}.example",
    "referer": f"https://{SENT['header']}.example/",
    "x-forwarded-for": SENT["header"],
    "x-request-id": SENT["header"],
    "traceparent": SENT["header"],
    "accept-language": SENT["header"],
    "sec-gpc": SENT["header"],
}


def provoke(person: Planted) -> None:
    """Every kind of error, with markers wherever a request can carry them."""
    documents(person)
    values(person)
    accounts(person)
    headers(person)
    bodies(person)
    oauth(person)
    defects(person)
    outages(person)


def documents(person: Planted) -> None:
    """Documents that do not parse, validate, or stay within the limits."""
    deep = f'{{ me {{ a(b: "{LITERAL}") ' + "{ a " * 60 + "}" * 61 + "}"
    aliases = "{" + " ".join(f'a{n}: user(by: {{username: "{LITERAL}"}}) {{ id }}' for n in range(400)) + "}"
    for query in (
        f'{{ user(by: {{email: "{LITERAL}" }} {{ id }}',
        f'"{LITERAL}" {{ me {{ id }} }}',
        f'{{ user(by: {{email: "{LITERAL}\n"}}) {{ id }} }}',
        f'{{ user(by: {{email: "{EMAIL}", username: "{USERNAME}"}}) {{ id }} }}',
        f'{{ user(by: {{emial: "{EMAIL}"}}) {{ id }} }}',
        f'{{ user(by: "{EMAIL}") {{ id }} }}',
        f'{{ users(first: "{LITERAL}") {{ nodes {{ id }} }} }}',
        f'{{ users(filter: {{createdFrom: "{LITERAL}"}}) {{ nodes {{ id }} }} }}',
        f"{{ users(orderBy: {{field: {LITERAL}}}) {{ nodes {{ id }} }} }}",
        f'query @purpose(is: "{LITERAL}") {{ me {{ id }} }}',
        f'query ($a: String = 5, $b: Int = "{LITERAL}") {{ me {{ id }} }}',
        f'{{ me {{ id @skip(if: "{LITERAL}") }} }}',
        f'mutation {{ signIn(input: {{login: "{LITERAL}", pasword: "{SECRET}"}}) {{ accessToken }} }}',
        f'{{ me {{ id(x: "{LITERAL}") }} }}',
        f'{{ users(after: "{LITERAL}") {{ nodes {{ id }} }} }}',
        f'{{ node(id: "{LITERAL}") {{ id }} }} {{ me {{ id }} }}',
        deep,
        aliases,
        f'{{ users(first: 5000, after: "{LITERAL}") {{ nodes {{ id }} }} }}',
    ):
        person.keep(query[:60], person.account.ask(query, purpose="ACCOUNT"))


def values(person: Planted) -> None:
    """Variables that are of a wrong type, unknown, or ask for what is denied."""
    account = person.account
    for by in ({"email": {"$ne": VARIABLE}}, {"email": [EMAIL]}, {VARIABLE: EMAIL}, {"email": EMAIL, "id": VARIABLE}):
        person.keep("coercion", account.ask(LOOKUP, {"by": by}, purpose="ACCOUNT"))
    for given in ({"email": EMAIL}, {"username": USERNAME}, {"username": VARIABLE}, {"id": VARIABLE}):
        # One's own row is one's own; somebody else is refused.
        person.keep("denied", person.other.ask(LOOKUP, {"by": given}, purpose="SECURITY"))
        person.keep("nobody", person.server.post(LOOKUP, {"by": given}))
    query = "mutation ($input: UpdateUserInput!) { updateUser(input: $input) { errors { code message path } } }"
    for given in ({"birthDate": VARIABLE}, {"marketingOptIn": VARIABLE}, {"address": VARIABLE}, {VARIABLE: VARIABLE}):
        person.keep("input", account.ask(query, {"input": given}, purpose="ACCOUNT"))
    for name in ("phone", "country", "locale", "email", "username"):
        person.keep("invalid", account.ask(query, {"input": {name: f"{VARIABLE} {VARIABLE}"}}, purpose="ACCOUNT"))
    person.keep("unknown variables", account.ask("{ __typename }", {"extra": VARIABLE, VARIABLE: 1}))


def accounts(person: Planted) -> None:
    """Taken names, weak and wrong passwords, sessions that are none."""
    server = person.server
    new = {"username": "somebody.else", "email": "somebody.else@people.example", "password": "a-long-quiet-harbour"}
    for given in (
        {**new, "username": USERNAME},
        {**new, "email": EMAIL},
        {**new, "password": USERNAME},
        {**new, "username": VARIABLE, "password": f"{VARIABLE}-{VARIABLE}"},
        {**new, "email": VARIABLE},
    ):
        person.keep("register", server.post(REGISTER, {"input": given}))
    person.keep("taken", person.other.ask(UPDATE, {"input": {"email": EMAIL}}, purpose="ACCOUNT"))
    for login in (EMAIL, USERNAME, VARIABLE):
        person.keep("wrong password", server.post(SIGN_IN, {"login": login, "password": f"{SECRET}!"}))
    person.keep("delete", person.account.ask(DELETE, {"password": f"{SECRET}!"}, purpose="ACCOUNT"))
    refresh = f'mutation {{ refreshSession(input: {{refreshToken: "{LITERAL}"}}) {{ errors {{ code message }} }} }}'
    person.keep("refresh", server.post(refresh))


def headers(person: Planted) -> None:
    """Markers in headers, methods, addresses and parameters."""
    http, good = person.server.http, {"query": "{ me { id } }"}
    for name, value in HEADERS.items():
        person.keep(name, http.post("/graphql", json=good, headers={name: value}))
        person.keep(name, person.account.ask("{ me { id } }", headers={name: value}))
    for kind in ("accept", "content-type", "content-encoding", "host"):
        person.keep(kind, http.post("/graphql", json=good, headers={kind: f"text/{SENT['header']}"}))
    for path in (f"/{SENT['path']}", f"/graphql/{SENT['path']}", f"/oauth/{SENT['path']}?a={SENT['path']}"):
        person.keep(path, http.get(path))
    for query in (f'{{ user(by: {{email: "{EMAIL}"}}) {{ id }} }}', f'mutation {{ x(a: "{LITERAL}") }}', LITERAL):
        parameters = {"query": query, "variables": f'{{"a": "{VARIABLE}"', "operationName": SENT["path"]}
        person.keep("get", http.get("/graphql", params=parameters, headers={"accept": GRAPHQL}))
        person.keep("get", http.get("/graphql", params={"query": query}, headers={"accept": GRAPHQL}))


def bodies(person: Planted) -> None:
    """Bodies that are no request."""
    marker = SENT["body"]
    for body in (
        f'{{"query": "{marker}',
        f'"{marker}"',
        f'["{marker}"]',
        f'{{"query": 5, "variables": "{marker}"}}',
        f'{{"query": "{{ me {{ id }} }}", "variables": ["{marker}"], "operationName": {{"{marker}": 1}}}}',
        f'{{"query": "{{ __typename }}", "extensions": "{marker}"}}',
        f'{{"extensions": {{"persistedQuery": {{"version": 1, "sha256Hash": "{marker}"}}}}}}',
        f'{{"query": "{{ __typename }} # {marker} \\u0000"}}',
        "[" * 20_000 + marker,
        marker * 400_000,
    ):
        for encoded in (body.encode(), body.encode() + b"\xff"):
            sent = {"content-type": "application/json", "accept": GRAPHQL}
            person.keep("body", person.server.http.post("/graphql", content=encoded, headers=sent))


def oauth(person: Planted) -> None:
    """Credentials, scopes and grant types that do not hold."""
    http, form = person.server.http, {"grant_type": "client_credentials"}
    person.keep("client", http.post("/oauth/token", data=form, auth=(VARIABLE, SECRET)))
    person.keep("secret", http.post("/oauth/token", data=form, auth=("demo-service", SECRET)))
    for more in ({"scope": VARIABLE}, {"purpose": VARIABLE}, {"grant_type": VARIABLE}, {"client_secret": VARIABLE}):
        answer = http.post("/oauth/token", data={**form, **more}, auth=("demo-service", "fieldward-demo-secret"))
        person.keep("grant", answer)
    raw = base64.b64encode(VARIABLE.encode()).decode()
    for value in (f"Basic {raw}", f"Basic {VARIABLE}!", f"Bearer {SENT['bearer']}"):
        person.keep("basic", http.post("/oauth/token", data=form, headers={"authorization": value}))


def defects(person: Planted) -> None:
    """Rows that hold what they cannot: sealed values that are none, and the internal errors that nobody foresees."""
    server = person.server
    name, marker = "broken.person", "mkbrokenqx"
    made = {"username": name, "email": f"{name}@people.example", "password": SECRET}
    assert server.post(REGISTER, {"input": made}).json()["data"]["register"]["errors"] == []
    broken = server.sign_in(name, SECRET)
    with server.database() as client:
        users = client.get_default_database().users
        users.update_one({"_id": broken.id}, {"$set": {"roles": [{"role": marker}]}})
        person.keep("broken", server.post(SIGN_IN, {"login": name, "password": SECRET}))
        for path, value in (("address", marker), ("location", [marker]), ("consents", marker)):
            # MongoDB itself refuses what is not sealed, from whoever does not go around its validators.
            users.update_one({"_id": broken.id}, {"$set": {path: value}}, bypass_document_validation=True)
    staff = server.sign_in("privacy")
    for field in ("address { city }", "location { latitude }", "consents { given }"):
        person.keep("broken", broken.ask(f"{{ me {{ {field} }} }}", purpose="ACCOUNT"))
        query = f"query ($id: ID!) {{ node(id: $id) {{ ... on User {{ {field} }} }} }}"
        person.keep("broken", staff.ask(query, {"id": broken.id}, purpose="LEGAL"))


def outages(person: Planted) -> None:
    """A database that does not answer."""
    server, query = (
        person.server,
        "mutation ($input: UpdateUserInput!) { updateUser(input: $input) { errors { code } } }",
    )
    server.signal_mongod(signal.SIGSTOP)
    try:
        person.keep("outage", person.account.ask(LOOKUP, {"by": {"email": EMAIL}}, purpose="ACCOUNT"))
        person.keep("outage", person.account.ask(query, {"input": GIVEN}, purpose="ACCOUNT"))
        person.keep("outage", server.post(SIGN_IN, {"login": EMAIL, "password": SECRET}))
    finally:
        server.signal_mongod(signal.SIGCONT)
