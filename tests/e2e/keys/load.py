"""Clients of a service that never rest: whatever fails is kept, with what it was answered."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Final
from uuid import uuid4

import httpx

from tests.e2e.conftest import NEW_PASSWORD, REGISTER
from tests.e2e.people import UPDATE
from tests.e2e.server import Account, Json, Server, request_headers

_PAUSE: Final = 0.05  # seconds between two requests of one client
_LONG_PAUSE: Final = 2.0  # the same for whoever makes the service hash a password


@dataclass
class Load:
    """`done` counts the requests by what they asked; `failed` are those that were not answered as they should."""

    server: Server
    done: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    registered: dict[str, str] = field(default_factory=dict)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def ask(self, client: httpx.Client, who: Account | None, purpose: str | None, query: str, **given: object) -> Json:
        """The data of one answer; None, and a note of it, where something was wrong."""
        name = query.partition("{")[2].split()[0].partition("(")[0]
        token = None if who is None else who.token
        headers = request_headers(token, purpose) | {"x-forwarded-for": f"10.{self.done[name] % 250}.7.1"}
        try:
            answer = client.post("/graphql", json={"query": query, "variables": given}, headers=headers)
            body = answer.json()
        except (httpx.TransportError, ValueError) as error:
            self.failed.append(f"{name}: {error!r}")
            return None
        payload = next(iter((body.get("data") or {}).values()), None)
        if answer.status_code != 200 or "errors" in body or payload is None or payload.get("errors"):
            self.failed.append(f"{name}: {answer.status_code} {answer.text[:400]}")
            return None
        self.done[name] += 1
        return payload

    def me(self, client: httpx.Client, who: Account, _number: int) -> None:
        """Their own data, opened."""
        payload = self.ask(client, who, "ACCOUNT", "{ me { id username email fullName phone lastSeenIp } }")
        if payload and not payload["email"]:
            self.failed.append(f"me: {payload}")

    def update(self, client: httpx.Client, who: Account, number: int) -> None:
        """New values, which are in the answer."""
        phone = f"+4670{number:07}"
        payload = self.ask(client, who, "ACCOUNT", UPDATE, input={"phone": phone, "givenName": f"N{number}"})
        if payload and (payload["user"]["phone"], payload["user"]["givenName"]) != (phone, f"N{number}"):
            self.failed.append(f"updateUser: {payload}")

    def page(self, client: httpx.Client, who: Account, _number: int) -> None:
        """A hundred people."""
        payload = self.ask(client, who, "LEGAL", "{ users(first: 100) { nodes { id email fullName phone } } }")
        if payload and not all(node["fullName"] for node in payload["nodes"]):
            self.failed.append("users: somebody has no name")

    def look_up(self, client: httpx.Client, who: Account, _number: int) -> None:
        """Somebody by their address."""
        query = '{ user(by: {email: "Subject@demo.example"}) { username email } }'
        payload = self.ask(client, who, "LEGAL", query)
        if payload and payload["username"] != "subject":
            self.failed.append(f"user: {payload}")

    def register(self, client: httpx.Client, _who: Account, _number: int) -> None:
        """Somebody new; the address is taken from then on."""
        name = f"new.{uuid4().hex[:12]}"
        made = {"username": name, "email": f"{name}@people.example", "password": NEW_PASSWORD}
        if payload := self.ask(client, None, None, REGISTER, input=made):
            self.registered[payload["user"]["id"]] = made["email"]

    def _client(self, act: Callable[[httpx.Client, Account, int], None], who: Account, pause: float) -> None:
        with httpx.Client(base_url=self.server.url, timeout=20) as client:
            for number in count():
                if self._stopping.is_set():
                    return
                act(client, who, number)
                time.sleep(pause)

    @contextmanager
    def running(self, subject: Account, minor: Account, privacy: Account) -> Iterator[None]:
        """All are at it within this context, each by a connection of their own."""
        clients = [
            (self.me, subject, _PAUSE),
            (self.me, minor, _PAUSE),
            (self.update, minor, _PAUSE),
            (self.update, subject, _PAUSE),
            (self.page, privacy, _PAUSE),
            (self.look_up, privacy, _PAUSE),
            (self.look_up, privacy, _PAUSE),
            (self.register, subject, _LONG_PAUSE),
        ]
        threads = [threading.Thread(target=self._client, args=each) for each in clients]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            for thread in threads:
                thread.join()
