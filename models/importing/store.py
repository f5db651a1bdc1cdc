"""Storing a batch of people: who is new, who is here already, and who is somebody's double."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from models.database import Database, Raw
from models.erasure import ErasureDocument
from models.importing.rejection import RejectCode, Rejection
from models.importing.row import RunKey
from models.names import email_key
from models.user import UserDocument
from models.uses import Use

_LOOK_ALIKE: Final = "look_alike"


@dataclass(slots=True)
class Stored:
    """Rows by what became of them: `new`, stored by this file before (`again`), `known` otherwise."""

    new: int = 0
    again: int = 0
    known: int = 0
    rejections: list[Rejection] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class BatchStore:
    """Stores batches of one run."""

    database: Database
    key: RunKey
    dry: bool = False

    async def store(self, people: list[tuple[int, Raw]]) -> Stored:
        """Store who is not there yet. `people` are (line, person); safe to call again."""
        result = Stored()
        waiting = await self._unknown(people, result)
        taken = await (self._compare(waiting) if self.dry else self._insert(waiting))
        result.new = len(waiting) - len(taken)
        result.rejections.extend(taken)
        return result

    async def _unknown(self, people: list[tuple[int, Raw]], result: Stored) -> list[tuple[int, Raw]]:
        keys = [person["import_key"] for _, person in people]
        rows = await self.database.find(
            UserDocument, {"import_key": {"$in": keys}}, projection={"_id": 1, "import_key": 1}
        )
        await self.database.opened(Use.IMPORT, UserDocument, *rows)
        # NOTE: after the look at who is here: what erases a person takes the row and notes it in one.
        gone = await self._erased([person["_id"] for _, person in people])
        known = {row["import_key"]: self.key.line_of(row["_id"]) for row in rows if "import_key" in row}
        waiting: list[tuple[int, Raw]] = []
        for line, person in people:
            key = person["import_key"]
            if person["_id"] in gone:
                result.known += 1  # imported from this file before, and erased since: that stays so
            elif key not in known:
                known[key] = line
                waiting.append((line, person))
            elif (earlier := known[key]) is None:
                result.known += 1
            elif earlier == line:
                result.again += 1
            else:
                result.rejections.append(Rejection(line, RejectCode.TAKEN, "import_key"))
        return waiting

    async def _erased(self, people: list[str]) -> set[str]:
        noted = await self.database.find(ErasureDocument, {"_id": {"$in": people}}, projection={"_id": 1})
        sealing = self.database.sealing
        destroyed = await sealing.destroyed(people) if sealing is not None else frozenset()
        return {row["_id"] for row in noted} | destroyed

    async def _insert(self, people: list[tuple[int, Raw]]) -> list[Rejection]:
        taken = await self.database.insert_many(UserDocument, [person for _, person in people])
        return [_taken(people[position][0], index) for position, index in taken]

    async def _compare(self, people: list[tuple[int, Raw]]) -> list[Rejection]:
        found: dict[int, Rejection] = {}
        for name, key in (("username", "username_key"), (_LOOK_ALIKE, "username_skeleton"), ("email", "email")):
            seen = await self._values(key, (person[key] for _, person in people if key in person))
            for line, person in people:
                if person.get(key) is None:
                    continue
                value = _same(key, person[key])
                if value in seen:
                    found.setdefault(line, _taken(line, name))
                seen.add(value)
        return list(found.values())

    async def _values(self, key: str, values: Iterable[str]) -> set[str]:
        rows = await self.database.find(UserDocument, {key: {"$in": list(values)}}, projection={key: 1})
        if key == "email":
            await self.database.opened(Use.IMPORT, UserDocument, *rows)
        return {_same(key, row[key]) for row in rows if key in row}


def _same(key: str, value: str) -> str:
    return email_key(value) if key == "email" else value


def _taken(line: int, index: str) -> Rejection:
    if index == _LOOK_ALIKE:
        return Rejection(line, RejectCode.LOOKS_ALIKE, "username")
    return Rejection(line, RejectCode.TAKEN, index)
