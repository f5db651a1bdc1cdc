"""The ground all servers stand on: one MongoDB with the same people, the same rules, the same tokens."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self, cast

import orjson
from graphql import GraphQLObjectType, build_schema
from pymongo import MongoClient

from auth.policy import Policy
from auth.principal import Kind, Shape
from auth.rules import purposes_of_person
from auth.tokens import MAX_LIFETIME, Claims, Tokens
from bench.clear import NoCopy, copy_in_clear, reader_address, refuse_clear
from graph import schema
from graph.catalogue import read_catalogue
from graph.limits import Limits
from models.crypto.key_file import load_or_create
from models.embedded import Embedded, find_mongod
from models.ids import new_id
from models.vocabulary import Purpose, Relation, Role

REGION: Final = "eu"
ISSUER: Final = "http://127.0.0.1:8000"
AUDIENCE: Final = f"{ISSUER}/graphql"
STAFF: Final = 300
PEERS_SCHEMA: Final = Path(__file__).parent / "peers" / "schema.graphql"
_TYPES: Final = ("User", "Address", "Preferences")
_STAFF_SHARED: Final = ((Role.SUPPORT, Purpose.SUPPORT), (Role.SECURITY, Purpose.SECURITY))


class NoWorld(Exception):
    """The benchmark cannot be set up here. Says why."""


@dataclass(frozen=True, slots=True)
class World:
    """A running MongoDB with people. `shared` is the file that tells the peers the rules, `clear_url` leads to the
    same people in the clear, for whoever has no keys."""

    folder: Path
    mongod: Embedded
    people: int
    shared: Path
    tokens: Tokens
    clear_url: str = field(repr=False)

    @property
    def environment(self) -> dict[str, str]:
        """What a server needs to know, besides its port."""
        return {
            **{key: value for key, value in os.environ.items() if not key.startswith("FIELDWARD_")},
            "FIELDWARD_MONGODB_URL": self.mongod.addresses.api,
            "FIELDWARD_KEYSTORE_URL": self.mongod.addresses.keystore,
            "FIELDWARD_MIGRATOR_URL": self.mongod.addresses.migrator,
            "FIELDWARD_KEYSTORE_MIGRATOR_URL": self.mongod.addresses.keymaster,
            "FIELDWARD_DATA_DIR": str(self.folder),
            "FIELDWARD_ISSUER": ISSUER,
            "FIELDWARD_REGION": REGION,
            "MONGODB_URL": self.clear_url,
            "BENCH_SHARED": str(self.shared),
            "NODE_ENV": "production",
        }

    def ids(self) -> list[str]:
        """Everybody's id, in order."""
        with MongoClient[dict[str, Any]](self.mongod.addresses.api) as client:
            found = client.get_default_database()["users"].find({}, {"_id": 1}, sort=[("_id", 1)])
            return [row["_id"] for row in found]

    def staff_tokens(self, role: Role, count: int = STAFF) -> list[str]:
        """Fresh tokens of `count` different members of staff, good for `MAX_LIFETIME`.

        They are nobody among the people, so that no row is the caller's own.
        """
        now = datetime.now(UTC)
        roles = frozenset({role})
        return [
            self.tokens.issue(
                Claims(
                    subject=new_id("usr", REGION),
                    kind=Kind.PERSON,
                    issued_at=now - timedelta(seconds=1),
                    expires_at=now - timedelta(seconds=1) + MAX_LIFETIME,
                    session=new_id("ses", REGION),
                    roles=roles,
                    purposes=purposes_of_person(roles),
                    region=REGION,
                    methods=frozenset({"pwd"}),
                    authenticated_at=now,
                )
            )
            for _ in range(count)
        ]

    @classmethod
    def made(cls, folder: Path, mongod: Embedded, people: int) -> Self:
        """Add what is missing: people, signing key, the file for the peers, their copy of the people."""
        ring = load_or_create(folder / "keys" / "signing.json")
        shared = folder / "shared.json"
        shared.write_bytes(orjson.dumps(_shared(folder, ring.jwks())))
        tokens = Tokens(ring, issuer=ISSUER, audience=AUDIENCE)
        with MongoClient[dict[str, Any]](mongod.admin_url) as client:
            world = cls(folder, mongod, people, shared, tokens, reader_address(client, mongod))
            try:
                refuse_clear(client)
                world._seed()
                copy_in_clear(client, world.environment)
            except NoCopy as error:
                problem = f"{error} Remove {folder.name} and {folder.name}.keys: they are made anew."
            else:
                return world
        raise NoWorld(problem)

    def _seed(self) -> None:
        with MongoClient[dict[str, Any]](self.mongod.addresses.api) as client:
            if client.get_default_database()["users"].count_documents({}) >= self.people:
                return
        command = [str(Path(sys.executable).with_name("fieldward")), "seed", "--users", str(self.people)]
        if subprocess.run(command, env=self.environment, check=False).returncode:  # noqa: S603 - our own command
            raise NoWorld("The people could not be seeded.")


@contextmanager
def open_world(folder: Path, people: int, core: int | None) -> Iterator[World]:
    """Start MongoDB on `folder`, pinned to `core`, with `people` in it; stop it at the end."""
    binary = find_mongod()
    if binary is None:
        raise NoWorld("There is no embedded MongoDB for this platform, and the benchmark needs a real one.")
    folder = folder.absolute()
    folder.mkdir(mode=0o700, exist_ok=True)
    mongod = Embedded.start(binary, folder / "mongodb", say=print)
    try:
        if core is not None:
            pin(mongod.process.pid, core)
        yield World.made(folder, mongod, people)
    finally:
        mongod.stop()


def pin(process: int, core: int) -> None:
    """Keep a process with all of its threads on one core."""
    for thread in Path(f"/proc/{process}/task").iterdir():
        with suppress(ProcessLookupError):  # a thread may end while the list is read
            os.sched_setaffinity(int(thread.name), {core})


def _shared(folder: Path, jwks: Mapping[str, Any]) -> dict[str, Any]:
    """Rules and paths as the peers read them, decided by Fieldward's own policy.

    `outcomes[role][purpose][coordinate]` is CLEAR, MASKED or DENIED for others' rows; under a purpose in
    `hidesRestricted` nothing but the id is shown of people who have restricted the use of their data.
    """
    catalogue = read_catalogue(schema.graphql_schema(schema.build()))
    types = build_schema(PEERS_SCHEMA.read_text()).type_map
    flat = {
        f"{name}.{field}": catalogue.types[name][field]
        for name in _TYPES
        for field in cast("GraphQLObjectType", types[name]).fields
    }
    policy = Policy(REGION)
    outcomes: dict[str, dict[str, dict[str, str]]] = {}
    hides = set()
    for role, purpose in _STAFF_SHARED:
        shape = Shape(Kind.PERSON, frozenset({role}), region=REGION)
        grant = policy.grant(shape, purpose, [spec.claim for spec in flat.values()])
        decisions = grant.decisions[Relation.OTHER]
        outcomes.setdefault(role.value, {})[purpose.value] = {c: decisions[c].outcome.value for c in flat}
        if grant.conditions[Relation.OTHER].unrestricted_only:
            hides.add(purpose.value)
    return {
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "jwks": jwks,
        "keysFile": str(folder / "keys" / "signing.json"),
        "maxPage": Limits().max_page,
        "paths": {coordinate: spec.stored.path for coordinate, spec in flat.items()},
        "outcomes": outcomes,
        "hidesRestricted": sorted(hides),
    }
